"""Assets: what customers have of the firm, who held them when, what was done to them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event
from rapport_customer.commands.policies import own_rules
from rapport_customer.commands.records import WRONG_FIELDS
from rapport_customer.domain.assets import holder, with_attributes, with_holding, with_keys, with_service
from rapport_customer.schemas import NewAsset
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import ASSET_CHANGED
from rapport_shared.contracts.customer import AssetChanged, AssetKey, AssetService, AssetState
from rapport_shared.contracts.ids import derived_id, new_id
from rapport_shared.contracts.interaction import RecordedAssetKey
from rapport_shared.database import Connection
from rapport_shared.errors import VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.messaging import outbox
from rapport_shared.normalisation import identifier_key, normalise_asset_key
from rapport_shared.own_fields import refuse
from rapport_shared.web.commands import Answer

Change = Callable[[AssetState], AssetState]


async def change_asset(
    connection: Connection,
    keys: Sequence[RecordedAssetKey],
    profile_id: UUID,
    change: Change,
    clock: Clock,
    *,
    type_: str | None = None,
    model: str | None = None,
    causation_id: UUID | None = None,
) -> UUID | None:
    """Changes the asset that `keys` find, made if need be; answers the event, None when nothing changed.

    A serial number decides before a plate, for plates move from vehicle to vehicle.
    """
    ordered = sorted(keys, key=lambda key: (key.type != "serial", key.key))
    known = await store.known_asset(connection, [key.key for key in ordered])
    asset_id = await store.asset_of_keys(
        connection, {key.key: known or derived_id("asset", ordered[0].key) for key in ordered}
    )
    locked = await store.lock_asset(connection, asset_id)
    before = locked.state if locked else AssetState(asset_id=asset_id, keys=())
    found_by = tuple(AssetKey(type=key.type, key=key.key, normal=key.normal) for key in ordered)
    after = change(with_keys(before, found_by, type_, model))
    if after == before:
        return None
    sequence = locked.sequence + 1 if locked else 1
    event = make_event(
        ASSET_CHANGED,
        asset_id,
        AssetChanged(asset=after, changed=_changed(before, after)),
        sequence,
        clock(),
        locked.last_recorded_at if locked else None,
        profile_id=holder(after) or profile_id,
        causation_id=causation_id,
    )
    await store.save_asset(connection, after, sequence, event.envelope.recorded_at)
    await outbox.append(connection, [event], [asset_id])
    return event.envelope.id


def holding(profile_id: UUID, from_at: datetime, event_id: UUID) -> Change:
    """The change by which a profile holds an asset from an instant on."""
    return lambda state: with_holding(state, profile_id, from_at, event_id)


def service(done: AssetService) -> Change:
    """The change by which a work order was carried out at an asset."""
    return lambda state: with_service(state, done)


def attributed(values: Mapping[str, Any], occurred_at: datetime, event_id: UUID) -> Change:
    """The change by which an asset's own fields were stated."""
    return lambda state: with_attributes(state, values, occurred_at, event_id)


async def add_asset(connection: Connection, secret: bytes, profile_id: UUID, request: NewAsset, clock: Clock) -> Answer:
    """Records by hand an asset that a profile holds. Raises a 404, or a 422 for what is not valid."""
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
        for key_type, value in (("serial", request.serial), ("plate", request.plate))
        if value and (form := normalise_asset_key(key_type, value)).usable
    ]
    if not keys:
        place = FieldProblem("/serial", "missing", "A serial or a plate is required.")
        raise Problem(VALIDATION, "The asset has nothing to be found by.", errors=[place])
    refuse((await own_rules(connection)).assets.faults(request.attributes, request.type), WRONG_FIELDS)
    now = clock()
    held = holding(profile_id, request.from_at or now, new_id(now))
    own = attributed(request.attributes, now, new_id(now))
    event_id = await change_asset(
        connection,
        keys,
        profile_id,
        lambda state: own(held(state)),
        clock,
        type_=request.type,
        model=request.model,
    )
    return Answer(201, {"profile_id": str(profile_id)}, (event_id,) if event_id else ())


def _changed(before: AssetState, after: AssetState) -> tuple[str, ...]:
    names = ("keys", "type", "model", "holdings", "services", "attributes")
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))
