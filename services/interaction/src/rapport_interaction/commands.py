"""What is done with arrivals: recorded, known already, or quarantined; and how a recording is mended."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

from rapport_interaction import store
from rapport_interaction.domain.arrivals import Arrival, Normaliser, Unreadable
from rapport_interaction.domain.attribution import Route, Touch, attribute
from rapport_interaction.store import Holders, InteractionState, Known, Recording
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import (
    INTERACTION_QUARANTINED,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    EventType,
)
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import derived_id, new_id, recording_id
from rapport_shared.contracts.interaction import (
    Attribution,
    InteractionQuarantined,
    InteractionRecorded,
    InteractionRetracted,
    QuarantineReason,
    RecordedAssetKey,
    RecordedIdentifier,
)
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, Problem, not_found
from rapport_shared.messaging import outbox
from rapport_shared.normalisation import normalise_identifier, system_and_record

Resolve = Callable[[Recording], tuple[UUID | None, Attribution]]
"""Finds the profile of a recorded touchpoint, and why."""

RetractionReason = Literal["attributed_anew", "wrong_attribution", "reported_in_error"]


@dataclass(frozen=True, slots=True)
class Reading:
    """An arrival with its normal forms."""

    arrival: Arrival
    identifiers: tuple[RecordedIdentifier, ...]
    assets: tuple[RecordedAssetKey, ...]


class Batch:
    """One transaction's worth of recordings: what was locked, what is to be saved, the events in order."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self._now = clock()
        self._interactions: dict[UUID, InteractionState] = {}
        self._profiles: dict[UUID, UUID | None] = {}
        self._events: list[Event[Contract]] = []
        self._keys: list[UUID | None] = []
        self.touchpoints: dict[UUID, Known] = {}

    async def lock(self, interaction_ids: set[UUID]) -> None:
        """Locks the interactions that the batch will add to."""
        self._interactions.update(await store.lock_interactions(self.connection, interaction_ids))

    def add(
        self,
        event_type: EventType,
        event_id: UUID,
        interaction_id: UUID,
        profile_id: UUID | None,
        occurred_at: datetime | None,
        data: Contract,
        touchpoint_id: UUID,
        traceparent: str | None = None,
    ) -> None:
        """Adds the next event of an interaction; it names the touchpoint unless it is its first recording."""
        state = self._interactions.get(interaction_id, InteractionState(0, None))
        recorded_at = next_recorded(self._now, state.last_recorded_at)
        self._interactions[interaction_id] = InteractionState(state.last_sequence + 1, recorded_at)
        self._profiles[interaction_id] = profile_id
        envelope = Envelope(
            id=event_id,
            source=event_type.source,
            type=event_type.wire,
            subject=str(interaction_id),
            occurred_at=occurred_at or recorded_at,
            recorded_at=recorded_at,
            sequence=state.last_sequence + 1,
            profile_id=profile_id,
            touchpoint_id=touchpoint_id if event_id != touchpoint_id else None,
            traceparent=traceparent,
        )
        self._events.append(Event(envelope, event_type, data))
        self._keys.append(None if profile_id is not None else touchpoint_id)

    async def save(self) -> None:
        """Writes everything."""
        if self.touchpoints:
            await store.save_touchpoints(self.connection, list(self.touchpoints.values()))
        if self._interactions:
            await store.save_interactions(self.connection, self._interactions, self._profiles)
        await outbox.append(self.connection, self._events, self._keys)


async def take_in(
    connection: Connection, items: Sequence[Arrival | Unreadable], normaliser: Normaliser, clock: Clock
) -> None:
    """Records new touchpoints, passes by known ones, quarantines the rest. May be repeated."""
    arrivals = [item for item in items if isinstance(item, Arrival)]
    await _quarantine_unreadable(connection, [item for item in items if isinstance(item, Unreadable)], clock)
    fresh = await _fresh(connection, arrivals, clock)
    units = {arrival.touchpoint.unit for arrival in fresh if arrival.touchpoint.unit and not arrival.region}
    regions = await store.unit_regions(connection, units)
    stray = [a for a in fresh if not a.vetted and a.touchpoint.unit and a.touchpoint.unit not in regions]
    await _quarantine_stray(connection, stray, clock)
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
            await _quarantine_conflict(connection, arrival, clock)
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
        decided.append((reading, profile_id, attribution, interaction_of(reading.arrival, profile_id)))
    batch = Batch(connection, clock)
    await batch.lock({interaction_id for *_, interaction_id in decided})
    for reading, profile_id, attribution, interaction_id in decided:
        _add_recording(batch, reading, profile_id, attribution, interaction_id)
    await _save_registers(connection, before, routes, conversations, known_conversations)
    await batch.save()
    await store.save_clues(connection, [clue for decision in decided for clue in _waiting_for(*decision)])
    new = {clue: conversations[clue] for clue in conversations if clue not in known_conversations}
    await attribute_anew(connection, new, _by_conversation(new), clock)


async def _save_registers(
    connection: Connection,
    before: dict[str, Route],
    routes: dict[str, Route],
    conversations: dict[str, UUID],
    known_conversations: set[str],
) -> None:
    guessed = [route for key, route in routes.items() if route != before[key]]
    if guessed:
        await store.save_guesses(connection, guessed)
    new = {clue: profile for clue, profile in conversations.items() if clue not in known_conversations}
    if new:
        await store.save_conversations(connection, new)


def _add_recording(
    batch: Batch, reading: Reading, profile_id: UUID | None, attribution: Attribution, interaction_id: UUID
) -> None:
    arrival = reading.arrival
    touchpoint = arrival.touchpoint
    data = InteractionRecorded(
        interaction_id=interaction_id,
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
        interaction_id,
        profile_id,
        arrival.occurred_at,
        data,
        touchpoint.id,
        arrival.traceparent,
    )
    batch.touchpoints[touchpoint.id] = Known(
        touchpoint.id, arrival.digest, 1, touchpoint.id, interaction_id, profile_id, False
    )


async def attribute_anew(connection: Connection, clues: Collection[str], resolve: Resolve, clock: Clock) -> None:
    """Records anew the anonymous touchpoints that waited for one of `clues`, where `resolve` now finds a profile."""
    waiting = await store.anonymous_touchpoints(connection, clues)
    if not waiting:
        return
    touchpoints = await store.lock_touchpoints(connection, waiting)
    logged = await store.logged_recordings(connection, [known.event_id for known in touchpoints.values()])
    for known in touchpoints.values():
        recording = logged[known.event_id]
        profile_id, attribution = resolve(recording)
        if profile_id is not None and known.profile_id is None and not known.retracted:
            await rerecord(connection, known, recording, profile_id, attribution, "attributed_anew", clock)
            await store.forget_clues(connection, [known.touchpoint_id])


async def rerecord(
    connection: Connection,
    known: Known,
    recording: Recording,
    profile_id: UUID,
    attribution: Attribution,
    reason: RetractionReason,
    clock: Clock,
) -> None:
    """Retracts a touchpoint's latest recording and records it anew at `profile_id`. The caller holds its lock."""
    number = known.recording + 1
    event_id = recording_id(known.touchpoint_id, number)
    interaction_id = _interaction_id(known.touchpoint_id, _clue_of_body(recording.data.touchpoint), profile_id)
    batch = Batch(connection, clock)
    await batch.lock({known.interaction_id, interaction_id})
    _add_retraction(batch, known, reason)
    anew = recording.data.model_copy(
        update={
            "interaction_id": interaction_id,
            "recording": number,
            "profile_id": profile_id,
            "attribution": attribution,
        }
    )
    batch.add(
        INTERACTION_RECORDED, event_id, interaction_id, profile_id, recording.occurred_at, anew, known.touchpoint_id
    )
    batch.touchpoints[known.touchpoint_id] = replace(
        known, recording=number, event_id=event_id, interaction_id=interaction_id, profile_id=profile_id
    )
    await batch.save()


async def retract(connection: Connection, touchpoint_id: UUID, reason: RetractionReason, clock: Clock) -> UUID:
    """Ends a touchpoint's latest recording and answers the retraction's event id. A retraction is final.

    Raises a 404 for a touchpoint that was never recorded, a 409 for one retracted already.
    """
    known = (await store.lock_touchpoints(connection, [touchpoint_id])).get(touchpoint_id)
    if known is None:
        raise not_found("recorded touchpoint")
    if known.retracted:
        raise Problem(CONFLICT, "The touchpoint has been retracted already.")
    batch = Batch(connection, clock)
    await batch.lock({known.interaction_id})
    event_id = _add_retraction(batch, known, reason)
    batch.touchpoints[touchpoint_id] = replace(known, retracted=True)
    await batch.save()
    return event_id


def _add_retraction(batch: Batch, known: Known, reason: RetractionReason) -> UUID:
    event_id = derived_id("retraction", known.event_id)
    data = InteractionRetracted(
        interaction_id=known.interaction_id,
        touchpoint_id=known.touchpoint_id,
        event_id=known.event_id,
        reason=reason,
    )
    batch.add(INTERACTION_RETRACTED, event_id, known.interaction_id, known.profile_id, None, data, known.touchpoint_id)
    return event_id


async def _quarantine_unreadable(connection: Connection, items: Sequence[Unreadable], clock: Clock) -> None:
    for item in items:
        data = InteractionQuarantined(
            quarantine_id=item.quarantine_id,
            touchpoint_id=item.touchpoint_id,
            reason=item.reason,
            errors=item.errors,
            received_at=item.received_at,
        )
        await _quarantine(connection, data, dict(item.headers), item.body, clock)


async def _quarantine_stray(connection: Connection, arrivals: Sequence[Arrival], clock: Clock) -> None:
    reason = QuarantineReason(pointer="/unit", code="unknown_unit", message="is not a unit of this firm")
    for arrival in arrivals:
        data = InteractionQuarantined(
            quarantine_id=derived_id("stray", arrival.touchpoint.id, arrival.digest),
            touchpoint_id=arrival.touchpoint.id,
            reason="unknown_unit",
            errors=(reason,),
            received_at=arrival.received_at,
        )
        await _quarantine(connection, data, {}, orjson.dumps(arrival.body), clock)


async def _quarantine_conflict(connection: Connection, arrival: Arrival, clock: Clock) -> None:
    quarantine_id = derived_id("conflict", arrival.touchpoint.id, arrival.digest)
    data = InteractionQuarantined(
        quarantine_id=quarantine_id,
        touchpoint_id=quarantine_id,
        reason="id_conflict",
        errors=(QuarantineReason(pointer="/id", code="id_conflict", message="is known with another body"),),
        conflict_of=arrival.touchpoint.id,
        received_at=arrival.received_at,
    )
    await _quarantine(connection, data, {}, orjson.dumps(arrival.body), clock)


async def _quarantine(
    connection: Connection, data: InteractionQuarantined, headers: dict[str, str], body: bytes | None, clock: Clock
) -> None:
    if not await store.save_quarantined(connection, data, headers, body):
        return
    now = clock()
    envelope = Envelope(
        id=new_id(now),
        source=INTERACTION_QUARANTINED.source,
        type=INTERACTION_QUARANTINED.wire,
        subject=str(data.quarantine_id),
        occurred_at=data.received_at,
        recorded_at=now,
        sequence=1,
        touchpoint_id=data.touchpoint_id,
    )
    await outbox.append(connection, [Event(envelope, INTERACTION_QUARANTINED, data)])


def interaction_of(arrival: Arrival, profile_id: UUID | None) -> UUID:
    """The interaction that a touchpoint is an entry of: a conversation of one profile, else its own."""
    return _interaction_id(arrival.touchpoint.id, arrival.conversation_clue, profile_id)


def _interaction_id(touchpoint_id: UUID, clue: str | None, profile_id: UUID | None) -> UUID:
    if clue is None or profile_id is None:
        return derived_id("interaction", touchpoint_id, profile_id)
    return derived_id("interaction", clue, profile_id)


def _source_record(arrival: Arrival) -> tuple[str, str] | None:
    source = arrival.touchpoint.source
    if source is None or source.record is None:
        return None
    return system_and_record(normalise_identifier("external", source.record, system=source.system).normal)


def holder_at(assets: Sequence[RecordedAssetKey], occurred_at: datetime, holders: Holders) -> UUID | None:
    """Who held the first of `assets` that had a holder at an instant."""
    for asset in assets:
        held = [profile for from_at, profile in holders.get(asset.key, ()) if from_at <= occurred_at]
        if held:
            return held[-1]
    return None


def _waiting_for(
    reading: Reading, profile_id: UUID | None, attribution: Attribution, interaction_id: UUID
) -> list[tuple[str, UUID]]:
    if profile_id is not None:
        return []
    clues = [asset.key for asset in reading.assets]
    if reading.arrival.conversation_clue:
        clues.append(reading.arrival.conversation_clue)
    return [(clue, reading.arrival.touchpoint.id) for clue in clues]


def _by_conversation(profiles: dict[str, UUID]) -> Resolve:
    def resolve(recording: Recording) -> tuple[UUID | None, Attribution]:
        clue = _clue_of_body(recording.data.touchpoint)
        return (profiles.get(clue) if clue else None), Attribution(by="conversation")

    return resolve


def by_asset(holders: Holders) -> Resolve:
    """Finds the holder, at the time of the touch, of the asset that it was about."""

    def resolve(recording: Recording) -> tuple[UUID | None, Attribution]:
        return holder_at(recording.data.assets, recording.occurred_at, holders), Attribution(by="asset")

    return resolve


def _clue_of_body(body: dict[str, object]) -> str | None:
    conversation = body.get("conversation")
    if conversation is None:
        return None
    source = body.get("source")
    system = source.get("system", "") if isinstance(source, dict) else ""
    return str(derived_id("conversation", body.get("channel"), system, conversation))
