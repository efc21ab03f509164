"""Changes of an asset's register: finding the asset, moving plates, undoing retracted statements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event
from rapport_customer.domain.assets import holder, with_keys, without_touch
from rapport_customer.domain.plates import PlateStatement, Span, asset_at, spans, with_plate
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import ASSET_CHANGED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import AssetChanged, AssetKey, AssetState
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import RecordedAssetKey
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox

Change = Callable[[AssetState], AssetState]
Plates = dict[str, tuple[AssetKey, list[Span]]]
"""The plates of a command by their keys, and where each was."""


@dataclass(frozen=True, slots=True)
class AssetMention:
    """What a fact says about an asset: its keys, its kind and the time of the statement."""

    keys: Sequence[RecordedAssetKey]
    at: datetime
    event_id: UUID
    type: str | None = None
    model: str | None = None

    @property
    def ordered(self) -> list[AssetKey]:
        """A serial number takes precedence over a plate, because plates move from vehicle to vehicle."""
        keys = sorted(self.keys, key=lambda key: (key.type != "serial", key.key))
        return [AssetKey(type=key.type, key=key.key, normal=key.normal) for key in keys]


async def change_asset(
    connection: Connection,
    mention: AssetMention,
    profile_id: UUID,
    change: Change,
    clock: Clock,
    *,
    causation_id: UUID | None = None,
) -> tuple[UUID, list[UUID]]:
    """Changes the asset, created if needed. Returns the asset and the events, also those of other assets' plates.

    May be repeated: nothing changes the second time. Locks the keys, then the assets, each sorted.
    """
    keys = mention.ordered
    bound = await store.lock_asset_keys(connection, {key.key: derived_id("asset", key.key) for key in keys})
    plates = await _plates(connection, [key for key in keys if key.type == "plate"])
    asset_id = await _find(connection, keys, bound, plates, mention.at)
    by_serial = any(key.type == "serial" for key in keys)
    for key, known in plates.values():
        if by_serial or not known:
            await store.state_plate(connection, key.key, PlateStatement(asset_id, mention.at, mention.event_id))
    await store.bind_keys(connection, {key.key: asset_id for key in keys if key.type == "serial"})
    serials = tuple(key for key in keys if key.type == "serial")

    def own(state: AssetState) -> AssetState:
        return change(with_keys(state, serials, mention.type, mention.model))

    events = await _save(connection, asset_id, own, list(plates.values()), profile_id, clock, causation_id)
    return asset_id, events


async def take_back(
    connection: Connection,
    asset_id: UUID,
    event_id: UUID,
    profile_id: UUID,
    again: Sequence[Change],
    clock: Clock,
    causation_id: UUID,
) -> list[UUID]:
    """Removes the statements of a retracted touchpoint from an asset; `again` applies the remaining touchpoints.

    A plate that the retracted touchpoint had moved returns to the asset that it was on before.
    """
    moved = await store.plates_of_report(connection, event_id)
    await store.lock_asset_keys(connection, dict.fromkeys(moved, asset_id))
    locked = await store.lock_asset(connection, asset_id)
    if locked is None:
        return []
    known_by = {key.key: key for key in (*locked.state.former_keys, *locked.state.keys) if key.key in moved}
    before = await _plates(connection, list(known_by.values()))
    await store.take_back_plates(connection, event_id)

    def own(state: AssetState) -> AssetState:
        state = without_touch(state, event_id)
        for change in again:
            state = change(state)
        return state

    return await _save(connection, asset_id, own, list(before.values()), profile_id, clock, causation_id)


async def _plates(connection: Connection, plates: Sequence[AssetKey]) -> Plates:
    stated = await store.plate_statements(connection, [plate.key for plate in plates])
    return {plate.key: (plate, spans(stated[plate.key])) for plate in plates}


async def _find(
    connection: Connection, keys: Sequence[AssetKey], bound: dict[str, UUID], plates: Plates, at: datetime
) -> UUID:
    first = keys[0]
    if first.type == "plate":
        return asset_at(plates[first.key][1], at) or bound[first.key]
    if await store.asset_exists(connection, bound[first.key]):
        return bound[first.key]
    for _, known in plates.values():
        # an asset that was known only by the plate is this vehicle, whose serial number is now known
        found = asset_at(known, at)
        if found is not None and not await store.has_serial(connection, found):
            return found
    return bound[first.key]


async def _save(
    connection: Connection,
    asset_id: UUID,
    change: Change,
    plates: Sequence[tuple[AssetKey, list[Span]]],
    profile_id: UUID,
    clock: Clock,
    causation_id: UUID | None,
) -> list[UUID]:
    """Changes the asset, and assigns each plate to its present asset: this one, or another that has had the plate."""
    now = await _plates(connection, [plate for plate, _ in plates])
    concerned = {span.asset_id for _, known in (*plates, *now.values()) for span in known}
    changes = {asset_id: change, **dict.fromkeys(concerned - {asset_id}, _as_it_was)}
    events = []
    for one in sorted(changes):
        settle = partial(_settled, changes[one], now)
        event = await _save_one(connection, one, settle, profile_id, clock, causation_id)
        events += [event] if event else []
    await store.bind_keys(connection, {key: known[-1].asset_id for key, (_, known) in now.items() if known})
    await outbox.append(connection, events, [UUID(event.envelope.subject) for event in events])
    return [event.envelope.id for event in events]


def _as_it_was(state: AssetState) -> AssetState:
    return state


def _settled(change: Change, plates: Plates, state: AssetState) -> AssetState:
    state = change(state)
    for plate, known in plates.values():
        state = with_plate(state, plate, known)
    return state


async def _save_one(
    connection: Connection, asset_id: UUID, change: Change, profile_id: UUID, clock: Clock, causation_id: UUID | None
) -> Event[Contract] | None:
    locked = await store.lock_asset(connection, asset_id)
    before = locked.state if locked else AssetState(asset_id=asset_id, keys=())
    after = change(before)
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
    return event


def _changed(before: AssetState, after: AssetState) -> tuple[str, ...]:
    return tuple(name for name in AssetState.model_fields if getattr(before, name) != getattr(after, name))
