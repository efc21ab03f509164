"""What scoring does about facts: keep them, follow the mapping, score the customers they touch. One transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.domain.documents import Statement
from rapport_scoring.domain.ledger import ledger
from rapport_scoring.domain.ledger_policy import LedgerPolicy
from rapport_scoring.domain.score import score
from rapport_scoring.store import ScoreRow
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import CUSTOMER_VALUE_STATE, SCORE_UPDATED
from rapport_shared.contracts.codec import Event, Message, encode_state
from rapport_shared.contracts.customer import ProfileMove
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.scoring import CustomerValueState, ScoreUpdated
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_shared.messaging.outcomes import decide


@dataclass(frozen=True, slots=True)
class DocumentStated:
    """A commerce document was recorded."""

    statement: Statement
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class RecordingRetracted:
    """A recording, of whatever kind, no longer counts."""

    event_id: UUID
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ProfilesMoved:
    """Profiles belong to other customers."""

    moves: tuple[ProfileMove, ...]


@dataclass(frozen=True, slots=True)
class UnitStated:
    """A unit's register."""

    path: str
    time_zone: str
    sequence: int


Fact = DocumentStated | RecordingRetracted | ProfilesMoved | UnitStated


async def take_facts(connection: Connection, facts: Sequence[Fact], clock: Clock) -> None:
    """Keeps `facts` and scores the customers they touch, in the caller's transaction.

    Locks recordings, documents, profiles, customers, in this order and each sorted. May be repeated: what is known
    changes nothing, and only a score that changed is published.
    """
    await _keep_units(connection, [fact for fact in facts if isinstance(fact, UnitStated)])
    touched = await _keep_recordings(connection, facts)
    moved = await _move(connection, [move for fact in facts if isinstance(fact, ProfilesMoved) for move in fact.moves])
    customers = moved | (await store.customers_of(connection, sorted(touched)) if touched else set())
    if customers:
        await rescore(connection, sorted(customers), clock)


async def rescore(connection: Connection, customers: Sequence[UUID], clock: Clock) -> None:
    """Scores `customers` (sorted) anew and publishes what changed, in the caller's transaction."""
    before = await store.lock_customers(connection, customers)
    parameters = await store.present_parameters(connection)
    roots = await store.roots(connection, customers)
    composition = await store.compositions(connection, customers)
    everyone = sorted({profile for profiles in composition.values() for profile in profiles})
    statements = await store.statements_about(connection, everyone)
    by_profile = statements_by_profile(statements)
    changes = [
        change
        for row in before
        if (change := _change(row, roots, composition[row.customer_id], by_profile, parameters, clock())) is not None
    ]
    await _publish(connection, changes)


@dataclass(frozen=True, slots=True)
class _Change:
    row: ScoreRow
    scored: ScoreUpdated
    is_new: bool


def _change(
    row: ScoreRow,
    roots: dict[UUID, UUID],
    profiles: list[UUID],
    by_profile: dict[UUID, list[Statement]],
    parameters: tuple[int, LedgerPolicy],
    now: datetime,
) -> _Change | None:
    """What is to be published of a customer, None where nothing changed."""
    root = roots.get(row.customer_id, row.customer_id)
    moved_to = None if root == row.customer_id else root
    own = [statement for profile in profiles for statement in by_profile.get(profile, ())]
    if row.version == 0 and not own:
        return None
    scored = decide(_scored, row.customer_id, profiles, own, parameters)
    text = scored.model_dump_json()
    is_new = text != row.score
    if not is_new and moved_to == row.moved_to:
        return None
    recorded_at = next_recorded(now, row.recorded_at) if is_new else row.recorded_at
    after = replace(
        row,
        sequence=row.sequence + is_new,
        recorded_at=recorded_at,
        score=text,
        version=row.version + 1,
        moved_to=moved_to,
    )
    return _Change(after, scored, is_new)


def _scored(
    customer_id: UUID, profiles: list[UUID], statements: list[Statement], parameters: tuple[int, LedgerPolicy]
) -> ScoreUpdated:
    version, policy = parameters
    return score(customer_id, profiles, ledger(statements, policy), version)


async def _publish(connection: Connection, changes: Sequence[_Change]) -> None:
    if not changes:
        return
    await store.save_scores(connection, [change.row for change in changes])
    await outbox.append(connection, [_event(change) for change in changes if change.is_new])
    await outbox.queue(connection, [_state(change) for change in changes])


def _event(change: _Change) -> Event[Contract]:
    row = change.row
    assert row.recorded_at is not None
    envelope = Envelope(
        id=new_id(row.recorded_at),
        source=SCORE_UPDATED.source,
        type=SCORE_UPDATED.wire,
        subject=str(row.customer_id),
        occurred_at=row.recorded_at,
        recorded_at=row.recorded_at,
        sequence=row.sequence,
        customer_id=row.customer_id,
    )
    return Event(envelope, SCORE_UPDATED, change.scored)


def _state(change: _Change) -> Message:
    row = change.row
    state = CustomerValueState(
        customer_id=row.customer_id,
        version=row.version,
        score=change.scored if row.moved_to is None else None,
        moved_to=row.moved_to,
    )
    return encode_state(CUSTOMER_VALUE_STATE, row.customer_id, state)


async def _keep_recordings(connection: Connection, facts: Sequence[Fact]) -> set[UUID]:
    """Keeps documents and retractions; answers the profiles that hold a statement of a document they touch."""
    stated = {fact.statement.event_id: fact for fact in facts if isinstance(fact, DocumentStated)}
    ended = {fact.event_id: fact for fact in facts if isinstance(fact, RecordingRetracted)}
    keys: set[DocumentKey] = set()
    if stated:
        told = [(stated[event].statement, stated[event].recorded_at) for event in sorted(stated)]
        keys |= {stated[event].statement.key for event in await store.record(connection, told)}
    if ended:
        keys |= await store.retract(connection, [(event, ended[event].recorded_at) for event in sorted(ended)])
    if not keys:
        return set()
    await store.lock_documents(connection, sorted(keys))
    return await store.holders(connection, sorted(keys))


async def _move(connection: Connection, moves: Sequence[ProfileMove]) -> set[UUID]:
    """Follows `moves`; answers every customer whose composition changed, those merged away among them."""
    newest: dict[UUID, ProfileMove] = {}
    for move in moves:
        known = newest.get(move.profile_id)
        if known is None or move.mapping_seq > known.mapping_seq:
            newest[move.profile_id] = move
    if not newest:
        return set()
    founders = {move.customer_id for move in newest.values()}  # part of their customer, whether heard of or not
    before = await store.lock_profiles(connection, sorted(founders | newest.keys()))
    due = [move for profile, move in sorted(newest.items()) if move.mapping_seq > before[profile][1]]
    if not due:
        return set()
    await store.move_profiles(connection, [(move.profile_id, move.customer_id, move.mapping_seq) for move in due])
    left = {before[move.profile_id][0] for move in due}
    return left | {move.customer_id for move in due} | {move.profile_id for move in due}


async def _keep_units(connection: Connection, units: Sequence[UnitStated]) -> None:
    newest: dict[str, UnitStated] = {}
    for unit in units:
        if unit.path not in newest or unit.sequence > newest[unit.path].sequence:
            newest[unit.path] = unit
    if newest:
        rows = [(path, unit.time_zone, unit.sequence) for path, unit in sorted(newest.items())]
        await store.put_units(connection, rows)


def statements_by_profile(statements: Sequence[Statement]) -> dict[UUID, list[Statement]]:
    """What each profile states. Of a document stated by several the highest statement alone counts, wherever it is."""
    highest: dict[tuple[DocumentKey, str], Statement] = {}
    for statement in statements:
        known = highest.get((statement.key, statement.kind))
        if known is None or statement.rank > known.rank:
            highest[statement.key, statement.kind] = statement
    found: dict[UUID, list[Statement]] = {}
    for statement in highest.values():
        found.setdefault(statement.profile_id, []).append(statement)
    return found
