"""Corrects a recording: retracts it, or retracts it and records the touchpoint again at another profile."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.batch import Batch
from rapport_interaction.domain.conversations import Holders, conversation_clue, holder_at, interaction_id
from rapport_interaction.domain.evidence import is_borrowed
from rapport_interaction.store import Known, Recording
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTERACTION_RECORDED, INTERACTION_RETRACTED
from rapport_shared.contracts.ids import derived_id, recording_id
from rapport_shared.contracts.interaction import Attribution, InteractionRetracted
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, Problem, not_found

Resolve = Callable[[Recording], tuple[UUID | None, Attribution]]
"""Finds the profile of a recorded touchpoint, and why."""

RetractionReason = Literal["attributed_anew", "wrong_attribution", "reported_in_error"]


@dataclass(frozen=True, slots=True)
class Move:
    """A touchpoint whose latest recording ends, and that is recorded again at another profile or as anonymous."""

    known: Known
    recording: Recording
    profile_id: UUID | None
    attribution: Attribution
    reason: RetractionReason

    @property
    def interaction_id(self) -> UUID:
        """The interaction that it becomes an entry of."""
        clue = conversation_clue(self.recording.data.touchpoint)
        return interaction_id(self.known.touchpoint_id, clue, self.profile_id)


async def attribute_anew(connection: Connection, clues: Collection[str], resolve: Resolve, clock: Clock) -> None:
    """Records the touchpoints that waited for one of `clues` again, if `resolve` now finds a profile.

    Those wait that are anonymous, and for their conversation those whose profile a document or a device said.
    One that was attributed or retracted by hand waits for nothing any more.
    """
    waiting = await store.anonymous_touchpoints(connection, clues)
    if not waiting:
        return
    touchpoints = await store.lock_touchpoints(connection, waiting)
    logged = await store.logged_recordings(connection, [known.event_id for known in touchpoints.values()])
    moves = []
    for known in touchpoints.values():
        recording = logged[known.event_id]
        profile_id, attribution = resolve(recording)
        borrowed = is_borrowed(recording.data.attribution, recording.data.identifiers)
        better = known.profile_id is None or (borrowed and attribution.by == "conversation")
        if better and profile_id not in (None, known.profile_id) and not known.retracted:
            reason: RetractionReason = "attributed_anew" if known.profile_id is None else "wrong_attribution"
            moves.append(Move(known, recording, profile_id, attribution, reason))
    await record_anew(connection, moves, clock)


async def follow_holders(connection: Connection, keys: Collection[str], holders: Holders, clock: Clock) -> None:
    """Records touchpoints again that were attributed by an asset to a profile that did not hold the asset at that time.

    If no holder is known for that time, the touchpoint becomes anonymous again and waits for the asset.
    """
    touchpoints = await store.lock_touchpoints(connection, await store.touchpoints_by_assets(connection, keys))
    logged = await store.logged_recordings(connection, [known.event_id for known in touchpoints.values()])
    moves = []
    for known in touchpoints.values():
        recording = logged[known.event_id]
        if known.retracted or recording.data.attribution.by != "asset":
            continue
        holder = holder_at(recording.data.assets, recording.occurred_at, holders)
        if holder != known.profile_id:
            attribution = Attribution(by="asset" if holder else "anonymous")
            moves.append(Move(known, recording, holder, attribution, "wrong_attribution"))
    await record_anew(connection, moves, clock)


def asset_clues(move: Move) -> list[tuple[str, UUID]]:
    """The keys of the assets that a moved touchpoint was about, each with the touchpoint."""
    return [(asset.key, move.known.touchpoint_id) for asset in move.recording.data.assets]


async def record_anew(connection: Connection, moves: Sequence[Move], clock: Clock) -> list[tuple[UUID, UUID]]:
    """Retracts and records again; returns both events of each move. The caller holds the locks of the touchpoints."""
    batch = Batch(connection, clock)
    await batch.lock({move.known.interaction_id for move in moves} | {move.interaction_id for move in moves})
    events = [(_add_retraction(batch, move.known, move.reason), _add_recording(batch, move)) for move in moves]
    await batch.save()
    if moves:
        await store.forget_clues(connection, [move.known.touchpoint_id for move in moves])
        await store.save_clues(connection, [clue for move in moves for clue in _waiting_for(move)])
        by_assets = [move for move in moves if move.attribution.by == "asset"]
        await store.save_asset_clues(connection, [clue for move in by_assets for clue in asset_clues(move)])
    return events


def _waiting_for(move: Move) -> list[tuple[str, UUID]]:
    """The clues that may still give a moved touchpoint a better profile."""
    found = asset_clues(move) if move.profile_id is None else []
    clue = conversation_clue(move.recording.data.touchpoint)
    if clue and (move.profile_id is None or is_borrowed(move.attribution, move.recording.data.identifiers)):
        found.append((clue, move.known.touchpoint_id))
    return found


def _add_recording(batch: Batch, move: Move) -> UUID:
    known, number = move.known, move.known.recording + 1
    event_id, entry_of = recording_id(known.touchpoint_id, number), move.interaction_id
    changes = {
        "interaction_id": entry_of,
        "recording": number,
        "profile_id": move.profile_id,
        "attribution": move.attribution,
    }
    if move.attribution.by == "manual":
        # whoever is said to have called need not have the number: named here, it would be claimed for the profile
        changes["identifiers"] = ()
    data = move.recording.data.model_copy(update=changes)
    occurred_at = move.recording.occurred_at
    batch.add(INTERACTION_RECORDED, event_id, entry_of, move.profile_id, occurred_at, data, known.touchpoint_id)
    batch.touchpoints[known.touchpoint_id] = replace(
        known, recording=number, event_id=event_id, interaction_id=entry_of, profile_id=move.profile_id
    )
    return event_id


async def retract(connection: Connection, touchpoint_id: UUID, reason: RetractionReason, clock: Clock) -> UUID:
    """Ends a touchpoint's latest recording and answers the retraction's event id. A retraction is final.

    Raises a 404 for a touchpoint that was never recorded, a 409 for one retracted already.
    """
    known = (await store.lock_touchpoints(connection, [touchpoint_id])).get(touchpoint_id)
    if known is None:
        raise not_found("recorded touchpoint")
    if known.retracted:
        raise Problem(CONFLICT, "The touchpoint is already retracted.")
    batch = Batch(connection, clock)
    await batch.lock({known.interaction_id})
    event_id = _add_retraction(batch, known, reason)
    batch.touchpoints[touchpoint_id] = replace(known, retracted=True)
    await batch.save()
    await store.forget_clues(connection, [touchpoint_id])
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


def by_conversation(profiles: dict[str, UUID]) -> Resolve:
    """Finds the profile of the conversation that the touch was part of."""

    def resolve(recording: Recording) -> tuple[UUID | None, Attribution]:
        clue = conversation_clue(recording.data.touchpoint)
        return (profiles.get(clue) if clue else None), Attribution(by="conversation")

    return resolve


def by_asset(holders: Holders) -> Resolve:
    """Finds the holder, at the time of the touch, of the asset that it was about."""

    def resolve(recording: Recording) -> tuple[UUID | None, Attribution]:
        return holder_at(recording.data.assets, recording.occurred_at, holders), Attribution(by="asset")

    return resolve
