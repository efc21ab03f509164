"""What is done with arrivals: recorded, passed by because known, or quarantined."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.batch import Batch
from rapport_interaction.commands.mending import attribute_anew, by_conversation
from rapport_interaction.commands.quarantine import quarantine_conflict, quarantine_stray, quarantine_unreadable
from rapport_interaction.domain.arrivals import Arrival, Normaliser, Unreadable
from rapport_interaction.domain.attribution import Route, Touch, attribute
from rapport_interaction.domain.conversations import holder_at, interaction_id
from rapport_interaction.store import Known
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTERACTION_RECORDED
from rapport_shared.contracts.interaction import (
    Attribution,
    InteractionRecorded,
    RecordedAssetKey,
    RecordedIdentifier,
)
from rapport_shared.database import Connection
from rapport_shared.normalisation import normalise_identifier, system_and_record


@dataclass(frozen=True, slots=True)
class Reading:
    """An arrival with its normal forms."""

    arrival: Arrival
    identifiers: tuple[RecordedIdentifier, ...]
    assets: tuple[RecordedAssetKey, ...]


async def take_in(
    connection: Connection, items: Sequence[Arrival | Unreadable], normaliser: Normaliser, clock: Clock
) -> None:
    """Records new touchpoints, passes by known ones, quarantines the rest. May be repeated."""
    arrivals = [item for item in items if isinstance(item, Arrival)]
    await quarantine_unreadable(connection, [item for item in items if isinstance(item, Unreadable)], clock)
    fresh = await _fresh(connection, arrivals, clock)
    units = {arrival.touchpoint.unit for arrival in fresh if arrival.touchpoint.unit and not arrival.region}
    regions = await store.unit_regions(connection, units)
    stray = [a for a in fresh if not a.vetted and a.touchpoint.unit and a.touchpoint.unit not in regions]
    await quarantine_stray(connection, stray, clock)
    readings = [
        Reading(arrival, normaliser.identifiers(arrival, regions.get), normaliser.assets(arrival))
        for arrival in fresh
        if arrival not in stray
    ]
    if readings:
        await _record(connection, readings, clock)


async def _fresh(connection: Connection, arrivals: Sequence[Arrival], clock: Clock) -> list[Arrival]:
    """Arrivals under ids never seen; one under a known id with another body is quarantined under an id of its own."""
    known = await store.known_touchpoints(connection, [arrival.touchpoint.id for arrival in arrivals])
    digests = {touchpoint_id: touchpoint.digest for touchpoint_id, touchpoint in known.items()}
    fresh: list[Arrival] = []
    for arrival in arrivals:
        digest = digests.setdefault(arrival.touchpoint.id, arrival.digest)
        if digest != arrival.digest:
            await quarantine_conflict(connection, arrival, clock)
        elif arrival.touchpoint.id not in known:
            fresh.append(arrival)
    return list({arrival.touchpoint.id: arrival for arrival in reversed(fresh)}.values())[::-1]


async def _record(connection: Connection, readings: Sequence[Reading], clock: Clock) -> None:
    routes = await store.lock_routes(connection, {i.key for r in readings for i in r.identifiers if i.routable})
    before = dict(routes)
    clues = {clue for r in readings if (clue := r.arrival.conversation_clue)}
    conversations = await store.conversation_profiles(connection, clues)
    known_conversations = set(conversations)
    holders = await store.asset_holders(connection, {asset.key for r in readings for asset in r.assets})
    decided = []
    for reading in readings:
        clue = reading.arrival.conversation_clue
        touch = Touch(
            source_record=_source_record(reading.arrival),
            identifiers=reading.identifiers,
            conversation_profile=conversations.get(clue) if clue else None,
            asset_holder=holder_at(reading.assets, reading.arrival.occurred_at, holders),
        )
        profile_id, attribution = attribute(touch, routes)
        if clue and profile_id is not None:
            conversations.setdefault(clue, profile_id)
        entry_of = interaction_id(reading.arrival.touchpoint.id, clue, profile_id)
        decided.append((reading, profile_id, attribution, entry_of))
    batch = Batch(connection, clock)
    await batch.lock({entry_of for *_, entry_of in decided})
    for reading, profile_id, attribution, entry_of in decided:
        _add_recording(batch, reading, profile_id, attribution, entry_of)
    new = {clue: profile for clue, profile in conversations.items() if clue not in known_conversations}
    await _save_registers(connection, before, routes, new)
    await batch.save()
    await store.save_clues(connection, [clue for decision in decided for clue in _waiting_for(*decision)])
    await attribute_anew(connection, new, by_conversation(new), clock)


async def _save_registers(
    connection: Connection, before: dict[str, Route], routes: dict[str, Route], new_conversations: dict[str, UUID]
) -> None:
    guessed = [route for key, route in routes.items() if route != before[key]]
    if guessed:
        await store.save_guesses(connection, guessed)
    if new_conversations:
        await store.save_conversations(connection, new_conversations)


def _add_recording(
    batch: Batch, reading: Reading, profile_id: UUID | None, attribution: Attribution, entry_of: UUID
) -> None:
    arrival = reading.arrival
    touchpoint = arrival.touchpoint
    data = InteractionRecorded(
        interaction_id=entry_of,
        touchpoint_id=touchpoint.id,
        profile_id=profile_id,
        attribution=attribution,
        identifiers=reading.identifiers,
        assets=reading.assets,
        kind=touchpoint.kind,
        channel=touchpoint.channel,
        unit=touchpoint.unit,
        historical=touchpoint.historical,
        touchpoint=arrival.body,
    )
    batch.add(
        INTERACTION_RECORDED,
        touchpoint.id,
        entry_of,
        profile_id,
        arrival.occurred_at,
        data,
        touchpoint.id,
        arrival.traceparent,
    )
    batch.touchpoints[touchpoint.id] = Known(
        touchpoint.id, arrival.digest, 1, touchpoint.id, entry_of, profile_id, False
    )


def _source_record(arrival: Arrival) -> tuple[str, str] | None:
    source = arrival.touchpoint.source
    if source is None or source.record is None:
        return None
    return system_and_record(normalise_identifier("external", source.record, system=source.system).normal)


def _waiting_for(
    reading: Reading, profile_id: UUID | None, attribution: Attribution, entry_of: UUID
) -> list[tuple[str, UUID]]:
    if profile_id is not None:
        return []
    clues = [asset.key for asset in reading.assets]
    if reading.arrival.conversation_clue:
        clues.append(reading.arrival.conversation_clue)
    return [(clue, reading.arrival.touchpoint.id) for clue in clues]
