"""Whether the customer service's answer to recorded touchpoints is in the view: the profile that each led to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.projection.store import lookup, partials, touchpoints
from rapport_gateway.view import identity
from rapport_shared.database import Database, Row

_REPORTS: Final = "profile.reported"
_CONSENTS: Final = frozenset({"consent.given", "consent.withdrawn"})


async def are_missing(database: Database, event_ids: Collection[UUID]) -> bool:
    """Whether a recording among `event_ids` led to something that the customer service has not said yet.

    It says of each the profile, where its routable identifiers lead, and of a report or a consent what became of it.
    What is not recorded, anonymous or retracted leads to nothing.
    """
    recorded = await touchpoints.recorded(database, event_ids)
    if not recorded:
        return False
    said = {row["event_id"]: orjson.loads(row["data"]) for row in recorded}
    kept = await partials.every(database, [(row["profile_id"], identity.NAME) for row in recorded])
    registers = {place.profile_id: state["profile"] for place, state in kept.items()}
    routes = await lookup.routed_profiles(database, {key for data in said.values() for key in _routable(data)})
    return any(_is_missing(row, said[row["event_id"]], registers.get(row["profile_id"]), routes) for row in recorded)


def _is_missing(
    row: Row, data: Mapping[str, Any], register: Mapping[str, Any] | None, routes: Mapping[str, UUID | None]
) -> bool:
    keys = _routable(data)
    if register is None or not routes.keys() >= keys:
        return True
    held = {identifier["key"] for identifier in register.get("identifiers", ())}
    if any(routes[key] == row["profile_id"] and key not in held for key in keys):
        return True
    stated = _statements(row["kind"], data["touchpoint"], register)
    return stated is not None and not any(_instant(one) >= row["occurred_at"] for one in stated)


def _routable(data: Mapping[str, Any]) -> set[str]:
    return {identifier["key"] for identifier in data.get("identifiers", ()) if identifier.get("routable", True)}


def _statements(
    kind: str, touchpoint: Mapping[str, Any], register: Mapping[str, Any]
) -> Sequence[Mapping[str, Any]] | None:
    """What the register has of the source or the purpose that a touchpoint speaks of; None where it speaks of none."""
    if kind == _REPORTS:
        source = touchpoint.get("source") or {}
        place = (source.get("system") or touchpoint["channel"], source.get("record"))
        return [one for one in register.get("sources", ()) if (one["system"], one.get("record")) == place]
    if kind in _CONSENTS:
        place = (touchpoint["data"]["purpose"], touchpoint["data"].get("channel"))
        return [one for one in register.get("consents", ()) if (one["purpose"], one.get("channel")) == place]
    return None


def _instant(stated: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(stated["occurred_at"])
