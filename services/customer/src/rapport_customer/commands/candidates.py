"""Merge candidates: raised on suspicion, decided by a person; every later match respects the decision."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event
from rapport_customer.commands.joins import cross_franchises, join
from rapport_customer.domain.candidates import Suspicion, changed_parts, decided, raised, withdrawn
from rapport_customer.domain.joins import Circular, TooManyProfiles, survivor
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import CANDIDATE_CHANGED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import CandidateChanged, CandidateState
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, Problem, not_found
from rapport_shared.messaging import outbox

Change = Callable[[CandidateState | None], CandidateState]

PUT_OFF = timedelta(days=30)
"""How long a decision is postponed by default."""


@dataclass(frozen=True, slots=True)
class DecideCandidate:
    """The decision on a candidate. A postponed decision is due again at `due_at`, by default in 30 days."""

    decision: Literal["merge", "never", "later"]
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CandidateDecided:
    """The events of a decision; after a merge also the surviving customer and the id of the merge."""

    events: tuple[UUID, ...]
    customer_id: UUID | None = None
    merge_id: UUID | None = None


async def suspect(
    connection: Connection, suspicion: Suspicion, clock: Clock, *, causation_id: UUID | None = None
) -> list[Event[Contract]]:
    """Raises a candidate, unless the two are one customer or must be kept apart. Returns the event, if any.

    The caller holds the lock of joins and appends the event. May be repeated.
    """
    memberships = await store.memberships(connection, [suspicion.one, suspicion.other])
    one, other = memberships[suspicion.one].customer_id, memberships[suspicion.other].customer_id
    if one == other or await store.kept_apart(connection, one, other):
        return []
    if await cross_franchises(connection, [one, other]):
        return []
    return await _change(
        connection, suspicion.candidate_id, lambda known: raised(known, suspicion), clock, causation_id
    )


async def withdraw(connection: Connection, candidate_id: UUID, clock: Clock) -> list[Event[Contract]]:
    """Withdraws a candidate that has no evidence left. Returns the event, if any, which the caller appends."""

    def change(known: CandidateState | None) -> CandidateState:
        assert known is not None
        return withdrawn(known)

    return await _change(connection, candidate_id, change, clock, None)


async def decide(
    connection: Connection, candidate_id: UUID, command: DecideCandidate, caller: Caller, clock: Clock
) -> CandidateDecided:
    """Merges the two customers, keeps them apart permanently, or postpones the decision.

    A registered customer survives before a provisional one, then the oldest. Raises a 404, or a 409 if the two are
    one customer already or would have too many profiles.
    """
    await store.lock_joins(connection)
    known = await store.lock_candidate(connection, candidate_id)
    if known is None:
        raise not_found("merge candidate")
    events: list[Event[Contract]] = []
    if command.decision == "merge":
        events.append(await _merge(connection, known.state, caller, clock))
    elif command.decision == "never":
        await store.never(connection, known.state.one, known.state.other, caller.principal, clock())
    due_at = command.due_at or clock() + PUT_OFF

    def change(state: CandidateState | None) -> CandidateState:
        assert state is not None
        return decided(state, command.decision, caller.principal, due_at)

    events += await _change(connection, candidate_id, change, clock, None)
    await outbox.append(connection, events)
    ids = tuple(event.envelope.id for event in events)
    if command.decision != "merge":
        return CandidateDecided(ids)
    stays = (await store.memberships(connection, [known.state.one]))[known.state.one].customer_id
    return CandidateDecided(ids, stays, UUID(events[0].envelope.subject))


async def _merge(connection: Connection, candidate: CandidateState, caller: Caller, clock: Clock) -> Event[Contract]:
    sides = await store.memberships(connection, [candidate.one, candidate.other])
    one, other = (sides[profile_id].customer_id for profile_id in (candidate.one, candidate.other))
    if one == other:
        raise Problem(CONFLICT, "Both are one customer already.", customer_id=str(one))
    stays = survivor(await store.founding(connection, one), await store.founding(connection, other)).profile_id
    goes, into = (other, candidate.one) if stays == one else (one, candidate.other)
    try:
        return await join(connection, goes, into, "manual", clock, decided_by=caller.principal)
    except (Circular, TooManyProfiles):
        raise Problem(CONFLICT, "The customer would have too many profiles.") from None


async def _change(
    connection: Connection, candidate_id: UUID, change: Change, clock: Clock, causation_id: UUID | None
) -> list[Event[Contract]]:
    known = await store.lock_candidate(connection, candidate_id)
    before = known.state if known else None
    after = change(before)
    if after == before:
        return []
    sequence = known.sequence + 1 if known else 1
    event = make_event(
        CANDIDATE_CHANGED,
        candidate_id,
        CandidateChanged(candidate=after, changed=tuple(changed_parts(before, after))),
        sequence,
        clock(),
        known.last_recorded_at if known else None,
        causation_id=causation_id,
    )
    await store.save_candidate(connection, after, sequence, event.envelope.recorded_at)
    return [event]
