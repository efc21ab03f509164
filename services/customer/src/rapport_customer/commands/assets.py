"""Assets: the items that customers hold, their holders over time, and their services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.asset_register import AssetMention, Change, change_asset
from rapport_customer.commands.policies import own_rules
from rapport_customer.domain.assets import with_attributes, with_holding, with_service
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import AssetService
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.interaction import RecordedAssetKey
from rapport_shared.database import Connection
from rapport_shared.errors import VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.normalisation import identifier_key, normalise_asset_key
from rapport_shared.own_fields import refuse


@dataclass(frozen=True, slots=True)
class AddAsset:
    """An asset that a profile holds from an instant on (by default now)."""

    serial: str | None = None
    plate: str | None = None
    type: str | None = None
    model: str | None = None
    from_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetAdded:
    """An asset, and the events that recorded it."""

    asset_id: UUID
    events: tuple[UUID, ...]


def holding(profile_id: UUID, from_at: datetime, event_id: UUID) -> Change:
    """The change by which a profile holds an asset from an instant on."""
    return lambda state: with_holding(state, profile_id, from_at, event_id)


def service(done: AssetService) -> Change:
    """The change that records a work order at an asset."""
    return lambda state: with_service(state, done)


def attributed(values: Mapping[str, Any], occurred_at: datetime, event_id: UUID) -> Change:
    """The change that states an asset's own fields."""
    return lambda state: with_attributes(state, values, occurred_at, event_id)


async def add_asset(
    connection: Connection, secret: bytes, profile_id: UUID, command: AddAsset, clock: Clock
) -> AssetAdded:
    """Records by hand an asset that a profile holds. Raises a 404 for an unknown profile, a 422 for invalid values."""
    if not await store.known_profiles(connection, [profile_id]):
        raise not_found("customer")
    keys = [
        RecordedAssetKey(
            type=key_type,
            key=identifier_key(secret, key_type, form.normal),
            raw=form.raw,
            normal=form.normal,
            norm_version=form.norm_version,
        )
        for key_type, value in (("serial", command.serial), ("plate", command.plate))
        if value and (form := normalise_asset_key(key_type, value)).usable
    ]
    if not keys:
        place = FieldProblem("/serial", "missing", "A serial number or a plate is required.")
        raise Problem(VALIDATION, "The asset has neither a serial number nor a plate.", errors=[place])
    refuse((await own_rules(connection)).assets.faults(command.attributes, command.type))
    now = clock()
    held = holding(profile_id, command.from_at or now, new_id(now))
    own = attributed(command.attributes, now, new_id(now))
    told = AssetMention(keys, command.from_at or now, new_id(now), command.type, command.model)
    asset_id, events = await change_asset(connection, told, profile_id, lambda state: own(held(state)), clock)
    return AssetAdded(asset_id, tuple(events))
