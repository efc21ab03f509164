"""What is done with arrivals: recorded, passed by because known, or quarantined."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.batch import Batch
from rapport_interaction.commands.evidence import Evidence
from rapport_interaction.commands.mending import attribute_anew, by_conversation
from rapport_interaction.commands.quarantine import (
    Undeclared,
    quarantine_conflict,
    quarantine_stray,
    quarantine_undeclared,
    quarantine_unreadable,
    stray_id,
    undeclared,
)
from rapport_interaction.domain.arrivals import Arrival, Unreadable
from rapport_interaction.domain.attribution import Route, Touch, attribute
from rapport_interaction.domain.conversations import holder_at, interaction_id
from rapport_interaction.domain.evidence import is_borrowed
from rapport_interaction.domain.readings import Normaliser, Reading
from rapport_interaction.store import Known
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTERACTION_RECORDED
from rapport_shared.contracts.interaction import (
    Attribution,
    IdentifierType,
    InteractionRecorded,
)
from rapport_shared.database import Connection
from rapport_shared.own_fields import OwnRules
from rapport_shared.policy_registers import intake_rules


@dataclass(frozen=True, slots=True)
class Judged:
    """Arrivals by what becomes of them: new ones, others under known ids, those of unknown units, those that are not
    as the deployment declared its own fields. Repeats are left out.

    `regions` are the phone regions of the units that the new ones name.
    """

    fresh: list[Arrival]
    conflicts: list[Arrival]
    stray: list[Arrival]
    undeclared: list[Undeclared]
    regions: dict[str, str]


async def take_in(
    connection: Connection, items: Sequence[Arrival | Unreadable], normaliser: Normaliser, clock: Clock
) -> None:
    """Records new touchpoints, passes by known ones, quarantines the rest. May be repeated."""
    await quarantine_unreadable(connection, [item for item in items if isinstance(item, Unreadable)], clock)
    rules = await intake_rules(connection)
    judged = await judge(connection, [item for item in items if isinstance(item, Arrival)], rules.own)
    for arrival in judged.conflicts:
        await quarantine_conflict(connection, arrival, clock)
    await quarantine_stray(connection, judged.stray, clock)
    await quarantine_undeclared(connection, judged.undeclared, clock)
    readings = [normaliser.read(arrival, judged.regions.get) for arrival in judged.fresh]
    if readings:
        await store.share_attribution(connection)
        await _record(connection, readings, rules.order, clock)


async def judge(connection: Connection, arrivals: Sequence[Arrival], rules: OwnRules) -> Judged:
    """What becomes of `arrivals` by the `rules` of own fields, changing nothing."""
    unseen, conflicts = await _unseen(connection, arrivals)
    units = {arrival.touchpoint.unit for arrival in unseen if arrival.touchpoint.unit and not arrival.region}
    regions = await store.unit_regions(connection, units)
    stray = [a for a in unseen if not a.vetted and a.touchpoint.unit and a.touchpoint.unit not in regions]
    others = [arrival for arrival in unseen if not arrival.vetted and arrival not in stray]
    refused = [found for arrival in others if (found := undeclared(rules, arrival)) is not None]
    left_out = {arrival.touchpoint.id for arrival in (*stray, *(one.arrival for one in refused))}
    fresh = [arrival for arrival in unseen if arrival.touchpoint.id not in left_out]
    return Judged(fresh, conflicts, stray, refused, regions)


async def _unseen(connection: Connection, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Arrivals under ids never seen, each id once, and those with another body than is known under their id.

    A body that is in quarantine for its unit, or was mended, is known too: a repeat of it is a repeat.
    """
    known = await store.known_touchpoints(connection, [arrival.touchpoint.id for arrival in arrivals])
    digests = {touchpoint_id: touchpoint.digest for touchpoint_id, touchpoint in known.items()}
    unseen: dict[UUID, Arrival] = {}
    others: list[Arrival] = []
    for arrival in arrivals:
        digest = digests.setdefault(arrival.touchpoint.id, arrival.digest)
        if digest != arrival.digest:
            others.append(arrival)
        elif arrival.touchpoint.id not in known:
            unseen.setdefault(arrival.touchpoint.id, arrival)
    kept = await store.in_quarantine(connection, [stray_id(arrival) for arrival in others]) if others else set()
    return list(unseen.values()), [arrival for arrival in others if stray_id(arrival) not in kept]


async def _record(
    connection: Connection, readings: Sequence[Reading], order: Sequence[IdentifierType], clock: Clock
) -> None:
    routes = await store.lock_routes(connection, {i.key for r in readings for i in r.identifiers if i.routable})
    before = dict(routes)
    clues = {clue for r in readings if (clue := r.arrival.conversation_clue)}
    conversations = await store.conversation_profiles(connection, clues)
    known_conversations = set(conversations)
    holders = await store.asset_holders(connection, {asset.key for r in readings for asset in r.assets})
    evidence = await Evidence.known(connection, readings)
    decided = []
    # those that name somebody first: what they say of documents, devices and conversations decides on the others
    for reading in sorted(readings, key=lambda reading: reading.names_nobody):
        clue = reading.arrival.conversation_clue
        touch = Touch(
            source_record=reading.source_record,
            identifiers=reading.identifiers,
            conversation_profile=conversations.get(clue) if clue else None,
            device_user=evidence.device_user(reading),
            document_owner=evidence.document_owner(reading),
            asset_holder=holder_at(reading.assets, reading.arrival.occurred_at, holders),
        )
        profile_id, attribution = attribute(touch, routes, order)
        evidence.learn(reading, profile_id, attribution)
        if clue and profile_id is not None and not is_borrowed(attribution, reading.identifiers):
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
    await evidence.save(connection, readings)
    waiting = [clue for decision in decided for clue in _waiting_for(*decision)]
    if waiting:
        await store.save_clues(connection, waiting)
    by_assets = [reading for reading, _, attribution, _ in decided if attribution.by == "asset"]
    found_by = [(asset.key, reading.arrival.touchpoint.id) for reading in by_assets for asset in reading.assets]
    if found_by:
        await store.save_asset_clues(connection, found_by)
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
        touchpoint_id=touchpoint.id,
        digest=arrival.digest,
        recording=1,
        event_id=touchpoint.id,
        interaction_id=entry_of,
        profile_id=profile_id,
        retracted=False,
        channel=touchpoint.channel,
        kind=touchpoint.kind,
        unit=touchpoint.unit,
        occurred_at=arrival.occurred_at,
    )


def _waiting_for(
    reading: Reading, profile_id: UUID | None, attribution: Attribution, entry_of: UUID
) -> list[tuple[str, UUID]]:
    clues = [asset.key for asset in reading.assets] if profile_id is None else []
    clue = reading.arrival.conversation_clue
    if clue and (profile_id is None or is_borrowed(attribution, reading.identifiers)):
        clues.append(clue)
    return [(clue, reading.arrival.touchpoint.id) for clue in clues]
