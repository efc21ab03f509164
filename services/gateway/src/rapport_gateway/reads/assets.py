"""Assets as the live run of the view knows them: found by a key, with holders over time and services in pages."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import assets, facts, memberships
from rapport_gateway.projection.store.assets import Register
from rapport_gateway.view.facts import optional_instant
from rapport_shared.pages import Keyset

_DETAILS = ("work", "parts", "cost", "borne_by")


BY_OCCURRENCE: Final[Keyset[tuple[datetime, str]]] = Keyset(datetime, str)
"""The order of an asset's services."""


async def by_id(view: LiveView, asset_id: UUID) -> Register | None:
    """An asset's register; None for one that is not known."""
    async with view.live.connection() as connection:
        return await assets.by_id(connection, asset_id)


async def by_keys(view: LiveView, keys: Sequence[str]) -> list[Register]:
    """The registers of the assets that one of `keys` finds."""
    async with view.live.connection() as connection:
        return await assets.by_keys(connection, keys)


def profiles_of(register: Register) -> list[UUID]:
    """The profiles that have held an asset."""
    return [UUID(holding["profile_id"]) for holding in register.get("holdings") or ()]


async def customers_of(view: LiveView, profiles: Iterable[UUID]) -> dict[UUID, UUID]:
    """The customer that each profile belongs to now."""
    asked = set(profiles)
    async with view.live.connection() as connection:
        known = await memberships.customers_of(connection, asked)
    return {profile: known.get(profile, profile) for profile in asked}


async def shown(
    view: LiveView, register: Register, customers: dict[UUID, UUID], cursor: str | None, limit: int
) -> dict[str, Any]:
    """An asset with its keys, its holders over time, and a page of its services, newest first.

    Raises a 422 for a cursor that is not of this list.
    """
    services = sorted(register.get("services") or (), key=_order, reverse=True)

    async def older(than: tuple[datetime, str] | None, wanted: int) -> list[dict[str, Any]]:
        return [one for one in services if than is None or _order(one) < than][:wanted]

    page = await BY_OCCURRENCE.page(cursor, limit, older, _order)
    return {
        "asset_id": register["asset_id"],
        "type": register.get("type"),
        "model": register.get("model"),
        "attributes": {name: one["value"] for name, one in (register.get("attributes") or {}).items()},
        "keys": [_key(key) for key in register.get("keys") or ()],
        "former_keys": [_key(key) for key in register.get("former_keys") or ()],
        "holders": _holders(register, customers),
        "services_total": len(services),
        "services": await _with_details(view, page.items),
        "next_cursor": page.next_cursor,
    }


def _order(service: dict[str, Any]) -> tuple[datetime, str]:
    return datetime.fromisoformat(service["occurred_at"]), str(service["event_id"])


def _key(key: dict[str, Any]) -> dict[str, Any]:
    line = {"type": key["type"], "value": key["normal"]}
    return line | {name: optional_instant(_instant(key.get(name))) for name in ("from_at", "until") if key.get(name)}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _holders(register: Register, customers: dict[UUID, UUID]) -> list[dict[str, Any]]:
    holdings = register.get("holdings") or ()
    ends = [holding["from_at"] for holding in holdings[1:]]
    return [
        {
            "profile_id": holding["profile_id"],
            "customer_id": str(customers[UUID(holding["profile_id"])]),
            "from_at": holding["from_at"],
            "until": ends[number] if number < len(ends) else None,
        }
        for number, holding in enumerate(holdings)
    ]


async def _with_details(view: LiveView, services: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Services with details from the facts of their touchpoints; the register keeps only what every view needs."""
    async with view.live.connection() as connection:
        recordings = await facts.recordings(connection, [UUID(service["event_id"]) for service in services])
    told = {str(one.event_id): one.data["touchpoint"].get("data") or {} for one in recordings}
    return [
        {
            **{name: service.get(name) for name in ("work_order", "occurred_at", "event_id", "mileage")},
            **{name: told.get(service["event_id"], {}).get(name) for name in _DETAILS},
        }
        for service in services
    ]
