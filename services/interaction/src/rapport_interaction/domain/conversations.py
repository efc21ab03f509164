"""Which interaction a touchpoint is an entry of, and what tells whose an anonymous one is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_shared.contracts.customer import AssetState
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import RecordedAssetKey

Holders = dict[str, list[tuple[datetime, UUID]]]
"""Holders of each asset key, in time order."""


def conversation_clue(touchpoint: Mapping[str, Any]) -> str | None:
    """What names the conversation of a touchpoint's body, unique per channel and source system; None without one."""
    if touchpoint.get("conversation") is None:
        return None
    system = (touchpoint.get("source") or {}).get("system", "")
    return str(derived_id("conversation", touchpoint["channel"], system, touchpoint["conversation"]))


def interaction_id(touchpoint_id: UUID, clue: str | None, profile_id: UUID | None) -> UUID:
    """A conversation of one profile is an interaction; a touchpoint without either is one by itself."""
    if clue is None or profile_id is None:
        return derived_id("interaction", touchpoint_id, profile_id)
    return derived_id("interaction", clue, profile_id)


def holders_by_key(asset: AssetState) -> Holders:
    """Who held an asset, by each key that found it, while it did: plates move from vehicle to vehicle."""
    held = [(holding.from_at, holding.profile_id) for holding in asset.holdings]
    ends = [from_at for from_at, _ in held[1:]]
    found: Holders = {}
    for key in (*asset.keys, *asset.former_keys):
        begins = found.setdefault(key.key, [])
        for number, (from_at, profile_id) in enumerate(held):
            begin = max(from_at, key.from_at or from_at)
            end = min((at for at in (*ends[number : number + 1], key.until) if at is not None), default=None)
            if end is None or begin < end:
                begins.append((begin, profile_id))
    return found


def holder_at(assets: Sequence[RecordedAssetKey], occurred_at: datetime, holders: Holders) -> UUID | None:
    """The holder, at an instant, of the first of `assets` that had a holder then."""
    for asset in assets:
        held = [profile for from_at, profile in holders.get(asset.key, ()) if from_at <= occurred_at]
        if held:
            return held[-1]
    return None
