"""What scoring does about facts: keep them, follow the mapping, assess the customers they touch. One transaction."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.commands.assessments import News, assess_customers
from rapport_scoring.commands.sums import Changes, SumRules, keep_sums
from rapport_scoring.recorded import Kept, Recorded, kept
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.store.registers import CaseRegister, ChangedCase, ProfileRegister
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import ProfileMove
from rapport_shared.database import Connection


@dataclass(frozen=True, slots=True)
class RecordingRetracted:
    """A recording, of whatever kind, no longer counts."""

    event_id: UUID
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ProfilesMoved:
    """Profiles belong to other customers."""

    moves: tuple[ProfileMove, ...]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ProfileStated:
    """A profile's register; `happened_at` is the newest instant in it."""

    register: ProfileRegister
    happened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseStated:
    """A ticket's register."""

    register: CaseRegister


@dataclass(frozen=True, slots=True)
class UnitStated:
    """A unit's register."""

    path: str
    time_zone: str
    sequence: int


Fact = Recorded | RecordingRetracted | ProfilesMoved | ProfileStated | CaseStated | UnitStated


async def take_facts(connection: Connection, facts: Sequence[Fact], rules: RulesInForce, clock: Clock) -> None:
    """Keeps `facts` and assesses the customers they touch, in the caller's transaction.

    Locks units, recordings, registers, totals of profiles, names of documents, mappings, customers, in this order and
    each sorted. May be repeated: what is known changes nothing, and only what changed is published.
    """
    named = {fact.recording.unit for fact in facts if isinstance(fact, Recorded) and fact.recording.unit is not None}
    await _keep_units(connection, [fact for fact in facts if isinstance(fact, UnitStated)], sorted(named))
    new, ended = await _keep_recordings(connection, facts)
    touched = await _keep_profiles(connection, [fact.register for fact in facts if isinstance(fact, ProfileStated)])
    cases = await _keep_cases(connection, [fact.register for fact in facts if isinstance(fact, CaseStated)])
    if new or ended or cases:
        present = await rules(connection)
        touched |= await keep_sums(connection, Changes(new, ended, cases), SumRules.of(present.value))
    moved = await _move(connection, [fact for fact in facts if isinstance(fact, ProfilesMoved)])
    customers = moved | (await store.customers_of(connection, sorted(touched)) if touched else set())
    if customers:
        news = News(_instants(facts, touched), frozenset(moved), _moved_at(facts))
        await assess_customers(connection, sorted(customers), rules, clock, news=news)


def _instants(facts: Sequence[Fact], touched: Set[UUID]) -> dict[UUID, datetime]:
    """By profile, when the newest of the facts that touch it happened; facts that are marked as history are left out.

    A profile whose documents have to do with those of others is touched by theirs.
    """
    found: dict[UUID, datetime] = {}
    shared: list[datetime] = []
    for fact in facts:
        match fact:
            case Recorded(recording=one) if not one.historical:
                _note(found, one.profile_id, one.occurred_at)
                shared += [one.occurred_at] if one.key is not None else []
            case RecordingRetracted():
                shared.append(fact.recorded_at)
            case ProfileStated(happened_at=datetime() as at):
                _note(found, fact.register.profile_id, at)
            case CaseStated():
                _note(found, fact.register.case.profile_id, fact.register.changed_at)
    own = {fact.recording.profile_id for fact in facts if isinstance(fact, Recorded)}
    for profile in touched - own if shared else ():
        _note(found, profile, max(shared))
    return found


def _note(found: dict[UUID, datetime], profile: UUID, at: datetime) -> None:
    found[profile] = max(at, found.get(profile, at))


def _moved_at(facts: Sequence[Fact]) -> datetime | None:
    return max((fact.recorded_at for fact in facts if isinstance(fact, ProfilesMoved)), default=None)


async def _keep_recordings(connection: Connection, facts: Sequence[Fact]) -> tuple[list[Kept], list[Kept]]:
    """Keeps what was recorded and retracted; answers what came and what counts no more."""
    stated = {fact.recording.event_id: fact.recording for fact in facts if isinstance(fact, Recorded)}
    ended = {fact.event_id: fact for fact in facts if isinstance(fact, RecordingRetracted)}
    new: list[Kept] = []
    if stated:
        added = await store.record(connection, [stated[event] for event in sorted(stated)])
        units = sorted({unit for event in added if (unit := stated[event].unit) is not None})
        zones = await store.zones(connection, units)
        new = [kept(stated[event], zones.get(stated[event].unit or "")) for event in sorted(added)]
    gone: list[Kept] = []
    if ended:
        gone += await store.retract(connection, [(event, ended[event].recorded_at) for event in sorted(ended)])
    return new, gone


async def _keep_profiles(connection: Connection, registers: Sequence[ProfileRegister]) -> set[UUID]:
    newest: dict[UUID, ProfileRegister] = {}
    for one in registers:
        if one.profile_id not in newest or one.sequence > newest[one.profile_id].sequence:
            newest[one.profile_id] = one
    return await store.put_profiles(connection, [one for _, one in sorted(newest.items())]) if newest else set()


async def _keep_cases(connection: Connection, registers: Sequence[CaseRegister]) -> list[ChangedCase]:
    newest: dict[UUID, CaseRegister] = {}
    for one in registers:
        known = newest.get(one.case.ticket_id)
        if known is None or one.sequence > known.sequence:
            newest[one.case.ticket_id] = one
    return await store.put_cases(connection, [one for _, one in sorted(newest.items())]) if newest else []


async def _move(connection: Connection, moved: Sequence[ProfilesMoved]) -> set[UUID]:
    """Follows moves; answers every customer whose composition changed, those merged away among them."""
    newest: dict[UUID, ProfileMove] = {}
    told = {(move.profile_id, move.mapping_seq): (move, one.recorded_at) for one in moved for move in one.moves}
    for move, _ in told.values():
        known = newest.get(move.profile_id)
        if known is None or move.mapping_seq > known.mapping_seq:
            newest[move.profile_id] = move
    if not newest:
        return set()
    history = [(move.profile_id, move.customer_id, move.mapping_seq, at) for _, (move, at) in sorted(told.items())]
    await store.remember_moves(connection, history)
    founders = {move.customer_id for move in newest.values()}  # part of their customer, whether heard of or not
    before = await store.lock_profiles(connection, sorted(founders | newest.keys()))
    due = [move for profile, move in sorted(newest.items()) if move.mapping_seq > before[profile][1]]
    if not due:
        return set()
    await store.move_profiles(connection, [(move.profile_id, move.customer_id, move.mapping_seq) for move in due])
    left = {before[move.profile_id][0] for move in due}
    return left | {move.customer_id for move in due} | {move.profile_id for move in due}


async def _keep_units(connection: Connection, units: Sequence[UnitStated], named: Sequence[str]) -> None:
    """Keeps units. Where days are counted in another zone now, the customers that it concerns are assessed anew."""
    if named:
        await store.name_units(connection, named)
    newest: dict[str, UnitStated] = {}
    for unit in units:
        if unit.path not in newest or unit.sequence > newest[unit.path].sequence:
            newest[unit.path] = unit
    if newest:
        rows = [(path, unit.time_zone, unit.sequence) for path, unit in sorted(newest.items())]
        if moved := await store.put_units(connection, rows):
            await store.outdate_sums(connection, moved)
            await store.outdate_units(connection, moved)
