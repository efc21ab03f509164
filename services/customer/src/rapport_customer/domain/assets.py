"""An asset's register: its keys, holders and services. Changes may come in any order."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_shared.contracts.customer import AssetAttribute, AssetHolding, AssetKey, AssetService, AssetState


def with_keys(state: AssetState, keys: tuple[AssetKey, ...], type_: str | None, model: str | None) -> AssetState:
    """The asset with `keys` added. A kind that was stated once does not change."""
    merged = {key.key: key for key in (*keys, *state.keys)}
    return state.model_copy(
        update={
            "keys": tuple(sorted(merged.values(), key=lambda key: (key.type, key.key))),
            "type": state.type or type_,
            "model": state.model or model,
        }
    )


def with_holding(state: AssetState, profile_id: UUID, from_at: datetime, event_id: UUID) -> AssetState:
    """The asset, held by `profile_id` from an instant on."""
    if any(holding.event_id == event_id for holding in state.holdings):
        return state
    holding = AssetHolding(profile_id=profile_id, from_at=from_at, event_id=event_id)
    holdings = sorted((*state.holdings, holding), key=lambda h: (h.from_at, h.event_id))
    former = tuple(one for one in state.former_holders if one != profile_id)
    return state.model_copy(update={"holdings": tuple(holdings), "former_holders": former})


def with_service(state: AssetState, service: AssetService) -> AssetState:
    """The asset after a work order. The latest report of a work order counts."""
    known = next((s for s in state.services if s.work_order == service.work_order), None)
    if known is not None and (known.occurred_at, known.event_id) >= (service.occurred_at, service.event_id):
        return state
    others = [s for s in state.services if s.work_order != service.work_order]
    services = sorted((*others, service), key=lambda s: (s.occurred_at, s.event_id))
    return state.model_copy(update={"services": tuple(services)})


def with_attributes(state: AssetState, values: Mapping[str, Any], occurred_at: datetime, event_id: UUID) -> AssetState:
    """The asset with stated own fields. The latest statement of a field counts."""
    attributes = dict(state.attributes)
    for name, value in values.items():
        known = attributes.get(name)
        if value is not None and (known is None or (known.occurred_at, known.event_id) < (occurred_at, event_id)):
            attributes[name] = AssetAttribute(value=value, occurred_at=occurred_at, event_id=event_id)
    return state.model_copy(update={"attributes": dict(sorted(attributes.items()))})


def without_touch(state: AssetState, event_id: UUID) -> AssetState:
    """The asset without the statements of a retracted touch. The caller applies the replaced statements again."""
    holdings = tuple(holding for holding in state.holdings if holding.event_id != event_id)
    left = {holding.profile_id for holding in state.holdings} - {holding.profile_id for holding in holdings}
    return state.model_copy(
        update={
            "holdings": holdings,
            "former_holders": tuple(sorted({*state.former_holders, *left})),
            "services": tuple(service for service in state.services if service.event_id != event_id),
            "attributes": {name: one for name, one in state.attributes.items() if one.event_id != event_id},
        }
    )


def holder(state: AssetState) -> UUID | None:
    """The latest holder of the asset."""
    return state.holdings[-1].profile_id if state.holdings else None
