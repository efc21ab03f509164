"""Attribution by hand: a person states the profile of an interaction. It overrides automatic attribution."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.mending import Move, record_anew
from rapport_interaction.domain.attribution import MAX_ENTRIES
from rapport_interaction.domain.conversations import conversation_clue
from rapport_interaction.store import Known, Recording
from rapport_shared.clock import Clock
from rapport_shared.contracts.interaction import Attribution
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, VALIDATION, FieldProblem, Problem, not_found

_BY_HAND = Attribution(by="manual")


@dataclass(frozen=True, slots=True)
class Attributed:
    """The touchpoints that are now recorded at the profile, and their interactions.

    `events` are the last that took one from another profile and the last that brought one: each is the last of its
    partition, so that who has seen them has seen all. They are none where nothing changed.
    """

    touchpoint_ids: tuple[UUID, ...]
    interaction_ids: tuple[UUID, ...]
    events: tuple[UUID, ...]


async def attribute_by_hand(
    connection: Connection, interaction_id: UUID, profile_id: UUID, named: Sequence[UUID] | None, clock: Clock
) -> Attributed:
    """Records the entries of an interaction again at `profile_id`: all, or only those in `named`. May be repeated.

    Without names, the conversation and its anonymous entries belong to the profile from now on. With names, the
    profile of the conversation does not change. Raises a 404 for an unknown interaction or profile, a 409 for entries
    that were retracted or belong to another interaction now, a 422 for names that are not entries.
    """
    await store.own_attribution(connection)
    entries = await store.entries_of(connection, interaction_id)
    if not entries:
        raise not_found("interaction")
    if not await store.profile_exists(connection, profile_id):
        raise not_found("customer or profile")
    if named is not None:
        _check_named(named, entries)
    chosen = await store.lock_touchpoints(connection, entries if named is None else named)
    standing = _standing(interaction_id, profile_id, chosen.values(), named)
    logged = await store.logged_recordings(connection, [known.event_id for known in standing])
    if named is None:
        siblings = await _take_conversations(connection, profile_id, logged.values())
        logged |= await store.logged_recordings(connection, [known.event_id for known in siblings])
        standing += [known for known in siblings if known.touchpoint_id not in chosen]
    return await _move(connection, standing, logged, profile_id, clock)


def _check_named(named: Sequence[UUID], entries: Sequence[UUID]) -> None:
    wrong = [index for index, touchpoint_id in enumerate(named) if touchpoint_id not in set(entries)]
    if wrong:
        message = "It is not an entry of this interaction."
        places = [FieldProblem(f"/touchpoint_ids/{index}", "not_an_entry", message) for index in wrong[:20]]
        raise Problem(VALIDATION, "Some of the touchpoints are not entries of the interaction.", errors=places)


def _standing(
    interaction_id: UUID, profile_id: UUID, chosen: Iterable[Known], named: Sequence[UUID] | None
) -> list[Known]:
    """Those of `chosen` that are to move, or are where they should be. Raises a 409 where that is none, or not all."""
    counting = [known for known in chosen if not known.retracted]
    here = [known for known in counting if known.interaction_id == interaction_id or known.profile_id == profile_id]
    if not counting or (named is not None and len(counting) < len(set(named))):
        raise Problem(CONFLICT, "The touchpoints are retracted, so they cannot be attributed.")
    if not here or (named is not None and len(here) < len(counting)):
        elsewhere = next(known for known in counting if known not in here)
        raise Problem(
            CONFLICT,
            "The touchpoints belong to another interaction now. `interaction_id` names it.",
            interaction_id=str(elsewhere.interaction_id),
        )
    if len(here) > MAX_ENTRIES:
        place = FieldProblem("/touchpoint_ids", "too_large", f"At most {MAX_ENTRIES} can be attributed at once.")
        raise Problem(VALIDATION, "The interaction has too many entries. Name some of them.", errors=[place])
    return here


async def _take_conversations(connection: Connection, profile_id: UUID, recordings: Iterable[Recording]) -> list[Known]:
    """Moves conversations to the profile; returns the anonymous touchpoints that waited for one of them."""
    clues = {clue for recording in recordings if (clue := conversation_clue(recording.data.touchpoint))}
    if not clues:
        return []
    await store.put_conversations(connection, clues, profile_id)
    waiting = await store.lock_touchpoints(connection, await store.anonymous_touchpoints(connection, clues))
    return [known for known in waiting.values() if known.profile_id is None and not known.retracted]


async def _move(
    connection: Connection,
    touchpoints: Sequence[Known],
    logged: dict[UUID, Recording],
    profile_id: UUID,
    clock: Clock,
) -> Attributed:
    moves = [
        Move(
            known,
            logged[known.event_id],
            profile_id,
            _BY_HAND,
            "attributed_anew" if known.profile_id is None else "wrong_attribution",
        )
        for known in touchpoints
        if known.profile_id != profile_id
    ]
    moves.sort(key=lambda move: (move.recording.occurred_at, move.known.touchpoint_id))
    events = await record_anew(connection, moves, clock)
    taken = [retraction for move, (retraction, _) in zip(moves, events, strict=True) if move.known.profile_id]
    there = {known.interaction_id for known in touchpoints if known.profile_id == profile_id}
    return Attributed(
        tuple(known.touchpoint_id for known in touchpoints),
        tuple(sorted(there | {move.interaction_id for move in moves})),
        (*taken[-1:], *(recording for _, recording in events[-1:])),
    )
