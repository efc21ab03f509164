"""What the customer holds of the firm. A register is kept with every holder it names; its last holder shows it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view import listing
from rapport_gateway.view.facts import Fact, State, is_later, shown_instant

NAME = "assets"
SHOWN = 10
_SERVICE = ("work_order", "occurred_at", "mileage")


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """The register of an asset goes to all who held it or were said to, so that they learn when it is gone."""
    if fact.type == "customer.asset_changed":
        asset = fact.data["asset"]
        holders = {UUID(holding["profile_id"]) for holding in asset.get("holdings", ())}
        for profile_id in sorted(holders | {UUID(profile_id) for profile_id in asset.get("former_holders") or ()}):
            yield profile_id, fact.subject


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """Keeps the state with the highest sequence."""
    return {"sequence": fact.sequence, "asset": fact.data["asset"]} if is_later(fact, state) else state


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The assets that one of the profiles holds now, the ten that it has held for the shortest time."""
    return [_line(state["asset"]) for state in listing.first(rank, SHOWN, partials)]


def rank(profile_id: UUID, state: State) -> int | None:
    """Assets that the profile holds are listed, the one that it got last first."""
    asset = state["asset"]
    held = holder(asset) == str(profile_id)
    return -listing.instant_rank(asset["holdings"][-1]["from_at"]) if held else None


def tally(state: State) -> Mapping[str, int]:
    """Nothing is counted."""
    return {}


def holder(asset: dict[str, Any]) -> str | None:
    """The profile that holds an asset last."""
    holdings = asset.get("holdings") or ()
    return holdings[-1]["profile_id"] if holdings else None


def _line(asset: dict[str, Any]) -> dict[str, Any]:
    services = asset.get("services", ())
    last = _service(services[-1]) if services else None
    keys = {key["type"]: key["normal"] for key in asset.get("keys", ())}
    return {
        "asset_id": asset["asset_id"],
        "type": asset.get("type"),
        "model": asset.get("model"),
        "serial": keys.get("serial"),
        "plate": keys.get("plate"),
        "held_since": shown_instant(asset["holdings"][-1]["from_at"]),
        "services": len(services),
        "last_service_at": last["occurred_at"] if last else None,
        "last_service": last,
        "attributes": {name: stated["value"] for name, stated in (asset.get("attributes") or {}).items()},
    }


def _service(service: dict[str, Any]) -> dict[str, Any]:
    return {name: service.get(name) for name in _SERVICE} | {"occurred_at": shown_instant(service["occurred_at"])}
