"""What the customer holds of the firm. A register is kept with every holder it names; its last holder shows it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later

NAME = "assets"
SHOWN = 10


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """The register of an asset goes to all who held it, so that a former holder learns that it is gone."""
    if fact.type == "customer.asset_changed":
        holders = {UUID(holding["profile_id"]) for holding in fact.data["asset"].get("holdings", ())}
        for profile_id in sorted(holders):
            yield profile_id, fact.subject


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """The highest sequence stands."""
    return {"sequence": fact.sequence, "asset": fact.data["asset"]} if is_later(fact, state) else state


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The assets that one of the profiles holds now."""
    held = [
        state["asset"]
        for (profile_id, _), state in partials.items()
        if state["asset"]["holdings"][-1]["profile_id"] == str(profile_id)
    ]
    held.sort(key=lambda asset: (asset["holdings"][-1]["from_at"], asset["asset_id"]), reverse=True)
    return [_line(asset) for asset in held[:SHOWN]]


def _line(asset: dict[str, Any]) -> dict[str, Any]:
    services = asset.get("services", ())
    keys = {key["type"]: key["normal"] for key in asset.get("keys", ())}
    return {
        "asset_id": asset["asset_id"],
        "type": asset.get("type"),
        "model": asset.get("model"),
        "serial": keys.get("serial"),
        "plate": keys.get("plate"),
        "held_since": asset["holdings"][-1]["from_at"],
        "services": len(services),
        "last_service_at": services[-1]["occurred_at"] if services else None,
        "attributes": {name: stated["value"] for name, stated in (asset.get("attributes") or {}).items()},
    }
