"""Assessing customers, in the caller's transaction: what is known of them, what was decided, what is published."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.commands.states import present_states
from rapport_scoring.domain.assessment import Assessment, Cause, Occasion, assess, nothing_known
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.memory import Memory, Survivor, memory_of, text_of
from rapport_scoring.domain.noticed import Noticed
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.loading import load_customers
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.store import ScoreRow
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import CUSTOMER_VALUE_STATE, SCORE_UPDATED
from rapport_shared.contracts.codec import Event, Message, encode_state, new_event
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.scoring import CustomerValueState, ScoreUpdated
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_shared.messaging.outcomes import rejecting


@dataclass(frozen=True, slots=True)
class News:
    """What came: by profile the instant of its newest fact, and the customers whose profiles changed, at `moved_at`.

    Facts that are marked as history have no instant.
    """

    instants: Mapping[UUID, datetime]
    moved: Set[UUID] = frozenset()
    moved_at: datetime | None = None

    def is_recent(self, state: CustomerState, since: datetime, *, waiting: bool) -> bool:
        """Whether what came of a customer is of now, and not of a past that is only loaded now.

        While a past is loaded, profiles that are joined with others are a part of that.
        """
        if any(self.instants[one] >= since for one in state.profiles if one in self.instants):
            return True
        recent = self.moved_at is not None and self.moved_at >= since
        return state.customer_id in self.moved and recent and not waiting


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be saved of a customer, and published: the score where it is new, and what was noticed."""

    row: ScoreRow
    score: ScoreUpdated
    events: tuple[Event[Contract], ...]
    stated: bool
    entered: tuple[tuple[str, datetime], ...] = ()
    left: tuple[str, ...] = ()
    needs_past: bool = False


async def assess_customers(
    connection: Connection,
    customers: Sequence[UUID],
    rules: RulesInForce,
    clock: Clock,
    *,
    news: News | None = None,
    timed: bool = False,
) -> None:
    """Assesses `customers` (sorted) anew and publishes what changed: because of `news`, of other rules, or of a timer.

    What facts of the past bring about is decided by a timer, once no more of them have come for a while.

    May be repeated: what did not change is not published. Raises `Reject` where a rule fails on a customer's facts.
    """
    before = await store.lock_customers(connection, customers)
    present = await rules(connection)
    roots = await store.roots(connection, customers)
    now = clock()
    memories = {row.customer_id: _memory_of(row) for row in before}
    occasions = {
        row.customer_id: Occasion.of_timer(now, row.timed_at, row.due_at, memories[row.customer_id], present)
        if timed
        else Occasion(now, row.timed_at)
        for row in before
    }
    states = await present_states(connection, occasions, present)
    if not timed:
        edge = now - present.effect_horizon
        gaining = {root for one, root in roots.items() if root != one and memories[one].has_reasons}
        occasions = {
            customer: one
            if customer in gaining
            else replace(one, cause=_cause(states[customer], memories[customer], news, edge))
            for customer, one in occasions.items()
        }
    cases = [
        _Assessed(row, states[row.customer_id], memories[row.customer_id], occasions[row.customer_id]) for row in before
    ]
    found = _changes(cases, roots, present, {})
    if unsure := sorted(change.row.customer_id for change in found if change.needs_past):
        found = _changes(cases, roots, present, await load_customers(connection, unsure))
    if found:
        await _publish(connection, found)


@dataclass(frozen=True, slots=True)
class _Assessed:
    """A customer that is assessed: what was published of it, its state, what is remembered, and the occasion."""

    row: ScoreRow
    state: CustomerState
    before: Memory
    occasion: Occasion


def _changes(
    cases: Sequence[_Assessed], roots: Mapping[UUID, UUID], rules: Rules, pasts: Mapping[UUID, CustomerFacts]
) -> list[Change]:
    """What becomes of customers. Those merged away come last, for reasons that their survivors have go on there.

    `pasts` are the facts of those of which news call for action only if they were not so before.
    """
    survivors: dict[UUID, Memory] = {}
    changes = []
    for case in sorted(
        cases, key=lambda case: roots.get(case.row.customer_id, case.row.customer_id) != case.row.customer_id
    ):
        row, state, root = case.row, case.state, roots.get(case.row.customer_id, case.row.customer_id)
        if row.version == 0 and not state.known and len(state.profiles) < 2:
            continue  # nothing to say of it; a composition of several is said even so, for readers wait for it
        survivor = Survivor(root, survivors.get(root, Memory())) if root != row.customer_id else None
        past = pasts.get(row.customer_id)
        found = rejecting(_assess, case, rules, survivor, past)
        survivors[row.customer_id] = found.memory
        change = _change(case, rules, found, survivor)
        changes += [change] if change is not None else []
    return changes


def _is_merged_away(customer: UUID, roots: Mapping[UUID, UUID]) -> bool:
    return roots.get(customer, customer) != customer


def _change(case: _Assessed, rules: Rules, found: Assessment, survivor: Survivor | None) -> Change | None:
    """What becomes of a customer, None where nothing does."""
    after = replace(
        case.row,
        moved_to=None if survivor is None else survivor.customer_id,
        timed_at=case.occasion.timed_at,
        due_at=found.due_at,
        generation=rules.generation,
        memory=text_of(found.memory),
        peer_group=found.group,
    )
    return _published(case.row, after, case.before, found, case.occasion.now)


def _assess(case: _Assessed, rules: Rules, survivor: Survivor | None, past: CustomerFacts | None) -> Assessment:
    if not case.state.known:
        return nothing_known(case.state, rules, case.before, survivor)
    return assess(case.state, rules, case.before, case.occasion, past)


def _cause(state: CustomerState, before: Memory, news: News | None, edge: datetime) -> Cause:
    """Why a customer is assessed. Without news it is for other rules, and decisions that wait go on waiting."""
    recent = not before.waiting if news is None else news.is_recent(state, edge, waiting=before.waiting)
    return Cause.FACTS if recent else Cause.PAST


def _memory_of(row: ScoreRow) -> Memory:
    """What is remembered; in memories of before profiles were kept, they are those of the last score."""
    memory = memory_of(row.memory)
    if memory.profiles is None and row.score is not None:
        return replace(memory, profiles=tuple(sorted(ScoreUpdated.model_validate_json(row.score).profiles)))
    return memory


def _published(
    before: ScoreRow, after: ScoreRow, remembered: Memory, found: Assessment, now: datetime
) -> Change | None:
    text = found.score.model_dump_json()
    news = [Noticed(SCORE_UPDATED, found.score)] if text != before.score else []
    news += found.noticed
    stated = bool(news) or after.moved_to != before.moved_to
    if not stated and after == before:
        return None
    events = tuple(_events(before, news, now))
    row = replace(
        after,
        sequence=before.sequence + len(events),
        recorded_at=events[-1].envelope.recorded_at if events else before.recorded_at,
        score=text,
        version=before.version + stated,
    )
    was = remembered.segments
    entered = tuple((name, at) for name, at in sorted(found.memory.segments.items()) if was.get(name) != at)
    left = tuple(sorted(was.keys() - found.memory.segments.keys()))
    return Change(row, found.score, events, stated, entered, left, found.needs_past)


def _events(row: ScoreRow, news: Sequence[Noticed], now: datetime) -> list[Event[Contract]]:
    events: list[Event[Contract]] = []
    last = row.recorded_at
    for place, one in enumerate(news, 1):
        last = next_recorded(now, last)
        sequence = row.sequence + place
        events.append(
            new_event(
                one.type,
                row.customer_id,
                one.data,
                sequence=sequence,
                recorded_at=last,
                customer_id=row.customer_id,
            )
        )
    return events


async def _publish(connection: Connection, changes: Sequence[Change]) -> None:
    await store.save_scores(connection, [change.row for change in changes])
    entries = sorted((name, change.row.customer_id, at) for change in changes for name, at in change.entered)
    await store.enter_segments(connection, entries)
    leaves = sorted((name, change.row.customer_id) for change in changes for name in change.left)
    await store.leave_segments(connection, leaves)
    await outbox.append(connection, [event for change in changes for event in change.events])
    await outbox.queue(connection, [_state(change) for change in changes if change.stated])


def _state(change: Change) -> Message:
    row = change.row
    state = CustomerValueState(
        customer_id=row.customer_id,
        version=row.version,
        score=change.score if row.moved_to is None else None,
        moved_to=row.moved_to,
    )
    return encode_state(CUSTOMER_VALUE_STATE, row.customer_id, state)
