"""From rows to customers: the state that is assessed, from kept sums; and all facts, for questions about the past."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from rapport_scoring import store
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.facts import Attribute, Case
from rapport_scoring.domain.figures import CustomerFigures, PurchaseDays, in_order
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.domain.sums import KEPT, Sums, add
from rapport_scoring.recorded import Kept, RecordedFacts, facts, is_document, names_used, statement_of
from rapport_scoring.store.recordings import Fields
from rapport_scoring.store.registers import UNSTATED_ZONE, case_of
from rapport_scoring.store.states import CASE, DAY, INVOICE, PROFILE
from rapport_shared.contracts.survivorship import Seniority, choose, of_first, seniority
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Connection, Reading, Row

NOT_CREATED = datetime.max.replace(tzinfo=UTC)


async def load_customers(connection: Connection, customers: Sequence[UUID]) -> dict[UUID, CustomerFacts]:
    """All facts of customers as they are composed now."""
    return await load_composed(connection, await store.compositions(connection, customers))


async def load_composed(
    connection: Reading, composition: Mapping[UUID, Sequence[UUID]], known_at: datetime | None = None
) -> dict[UUID, CustomerFacts]:
    """All facts of customers that are made of the given profiles, as they were known at an instant.

    Those that state a document come with the statements that it is settled with, whoever's they are.
    """
    profiles = sorted({profile for found in composition.values() for profile in found})
    rows = await store.recordings_of(connection, profiles, known_at)
    recorded = _by_profile(rows)
    connected = await _connected(connection, [row for row in rows if is_document(row)], known_at)
    registers = _by_profile(await store.profile_registers(connection, profiles))
    cases = _by_profile(await store.cases_of(connection, profiles))
    return {
        customer: _customer(customer, own, connected, recorded, registers, cases)
        for customer, own in composition.items()
    }


@dataclass(slots=True)
class _Connected:
    """Statements by the names that they use."""

    rows: dict[UUID, Kept] = field(default_factory=dict)
    names: dict[UUID, frozenset[DocumentKey]] = field(default_factory=dict)
    users: defaultdict[DocumentKey, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    def enter(self, row: Kept) -> frozenset[DocumentKey]:
        """Takes note of a statement; answers the names it uses."""
        event_id, names = row["event_id"], names_used(statement_of(row))
        self.rows[event_id], self.names[event_id] = row, names
        for name in names:
            self.users[name].add(event_id)
        return names

    def foreign(self, own: Iterable[Kept]) -> list[Kept]:
        """The statements of others that `own` are settled with."""
        mine = {row["event_id"] for row in own}
        reached, ahead = set(mine), list(mine)
        while ahead:
            for name in self.names.get(ahead.pop(), ()):
                ahead += (further := self.users[name] - reached)
                reached |= further
        return [self.rows[event_id] for event_id in sorted(reached - mine)]


async def _connected(connection: Reading, rows: Sequence[Kept], known_at: datetime | None) -> _Connected:
    found = _Connected()
    seeds = {name for row in rows for name in found.enter(row)}
    looked: set[DocumentKey] = set()
    while ahead := sorted(seeds - looked):
        looked |= set(ahead)
        for row in await store.statements_using(connection, ahead, known_at):
            if row["event_id"] not in found.rows:
                seeds |= found.enter(row)
    return found


@dataclass(slots=True)
class _Read:
    """What was read of a customer."""

    profiles: list[Fields] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)
    ever: Sums = field(default_factory=dict)
    days: dict[date, Sums] = field(default_factory=dict)
    invoices: list[str] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


async def load_states(
    connection: Connection, customers: Sequence[UUID], built: str
) -> dict[UUID, CustomerState | None]:
    """The states of customers as they are composed now; None where the sums of a profile are not made by the rules
    that are called `built`."""
    found = {customer: _Read() for customer in customers}
    for row in await store.state_rows(connection, customers):
        _enter_row(found[row["customer_id"]], row)
    with_kept = [profile for read in found.values() if read.ever.get(KEPT) for profile in read.ids]
    kept = _by_profile(await store.kept_recordings(connection, with_kept)) if with_kept else {}
    return {
        customer: _state(customer, read, [row for profile in read.ids for row in kept.get(profile, ())])
        if all(one["built"] == built for one in read.profiles)
        else None
        for customer, read in found.items()
    }


def _enter_row(read: _Read, row: Row) -> None:
    match row["source"]:
        case source if source == PROFILE:
            profile = orjson.loads(row["body"])
            read.profiles.append(profile)
            read.ids.append(row["profile_id"])
            add(read.ever, json.loads(profile["sums"] or "{}"))
        case source if source == DAY:
            add(read.days.setdefault(row["day"], {}), json.loads(row["body"]))
        case source if source == INVOICE:
            read.invoices.append(row["body"])
        case source if source == CASE:
            read.cases.append(_case(orjson.loads(row["body"])))


def _state(customer: UUID, read: _Read, kept: Sequence[Row]) -> CustomerState:
    recorded, profiles = facts(kept), read.profiles
    registers = [one for one in profiles if one["sequence"] is not None]
    latest, unit = _instants(profiles, "latest"), _unit(registers)
    instants = [*_instants(profiles, "earliest", "first_case_at", "last_case_at"), *latest, *_registered(registers)]
    return CustomerState(
        customer_id=customer,
        profiles=tuple(sorted(read.ids)),
        figures=CustomerFigures(
            ever=read.ever,
            days=read.days,
            bought_on=_bought_on(profiles),
            invoices=in_order(store.read_invoice(text) for text in read.invoices),
            last_order_at=max(_instants(profiles, "last_order_at"), default=None),
            first_contact_on=min(_dates(profiles, "first_contact_on"), default=None),
        ),
        answers=recorded.answers,
        cases=read.cases,
        wallets=recorded.wallets,
        asset_events=recorded.asset_events,
        attributes=_attributes(registers),
        unit=unit.path,
        zone=unit.zone,
        earliest=min(instants, default=None),
        latest=max(instants, default=None),
        last_day=max([at.astimezone(unit.zone).date() for at in instants] + _dates(profiles, "last_day"), default=None),
        historical=bool(latest) and max(instants) == max(latest) and _is_history(profiles, max(latest)),
        begins_on=min(_dates(profiles, "begins_on"), default=None),
    )


def _instants(profiles: Iterable[Fields], *names: str) -> list[datetime]:
    return [datetime.fromisoformat(one[name]) for one in profiles for name in names if one[name] is not None]


def _dates(profiles: Iterable[Fields], name: str) -> list[date]:
    return [date.fromisoformat(one[name]) for one in profiles if one[name] is not None]


def _bought_on(profiles: Sequence[Fields]) -> PurchaseDays:
    lists = [one["bought_on"] for one in profiles if one["bought_on"]]
    if len(lists) == 1:
        return PurchaseDays(tuple(lists[0]))
    return PurchaseDays(tuple(sorted({day for found in lists for day in found})))


def _is_history(profiles: Iterable[Fields], latest: datetime) -> bool:
    """Whether all recordings of the last instant were reported as history."""
    last = [one for one in profiles if one["latest"] and datetime.fromisoformat(one["latest"]) == latest]
    return all(one["latest_is_history"] for one in last)


def _registered(registers: Iterable[Fields]) -> list[datetime]:
    """When what profiles were registered for happened."""
    stated = (one["reported_at"] or one["registered_at"] for one in registers)
    return [at if isinstance(at, datetime) else datetime.fromisoformat(at) for at in stated if at is not None]


def _by_profile(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["profile_id"]].append(row)
    return found


def _customer(
    customer: UUID,
    profiles: Sequence[UUID],
    connected: _Connected,
    recorded: Mapping[UUID, list[Row]],
    registers: Mapping[UUID, list[Row]],
    cases: Mapping[UUID, list[Row]],
) -> CustomerFacts:
    rows = [row for profile in profiles for row in recorded.get(profile, ())]
    own = facts(rows)
    foreign = facts(connected.foreign(row for row in rows if is_document(row)))
    opened = [case_of(row) for profile in profiles for row in cases.get(profile, ())]
    stated = [row for profile in profiles for row in registers.get(profile, ())]
    unit = _unit(stated)
    instants = _happened(own, [row for profile in profiles for row in cases.get(profile, ())], stated)
    return CustomerFacts(
        customer_id=customer,
        profiles=tuple(sorted(profiles)),
        statements=[*own.statements, *foreign.statements],
        contacts=own.contacts,
        answers=own.answers,
        cases=opened,
        wallets=own.wallets,
        asset_events=own.asset_events,
        attributes=_attributes(stated),
        unit=unit.path,
        zone=unit.zone,
        earliest=min(instants, default=None),
        latest=max(instants, default=None),
        last_day=max([at.astimezone(unit.zone).date() for at in instants] + _days(own), default=None),
        history=own.history,
        historical=own.latest_is_history and own.latest == max(instants, default=None),
    )


def _happened(own: RecordedFacts, cases: Iterable[Row], registers: Iterable[Row]) -> list[datetime]:
    """The event times that bound what is known of a customer."""
    recorded = [at for at in (own.earliest, own.latest) if at is not None]
    return [
        *recorded,
        *_registered(registers),
        *(row["changed_at"] for row in cases),
        *(row["opened_at"] for row in cases),
    ]


def _days(own: RecordedFacts) -> list[Any]:
    return [] if own.last_day is None else [own.last_day]


def _case(stated: Mapping[str, Any]) -> Case:
    """A case of a row that is JSON."""
    ids = {name: UUID(stated[name]) for name in ("ticket_id", "event_id", "profile_id")}
    instants = {
        name: None if stated[name] is None else datetime.fromisoformat(stated[name])
        for name in ("opened_at", "responded_at", "resolved_at")
    }
    return case_of({**stated, **ids, **instants})


def _attributes(registers: Sequence[Fields]) -> dict[str, Attribute]:
    """What survives of each attribute, by the rule that every view of a customer follows."""
    candidates: defaultdict[str, list[Any]] = defaultdict(list)
    for row in registers:
        for name, stated in orjson.loads(row["attributes"]).items():
            candidates[name].extend(stated)
    found = {}
    for name, stated in sorted(candidates.items()):
        choice = choose(stated)
        if choice is not None and isinstance(choice.winner["value"], str):
            at = datetime.fromisoformat(choice.winner["occurred_at"])
            found[name] = Attribute(choice.winner["value"], at, UUID(choice.winner["event_id"]))
    return found


@dataclass(frozen=True, slots=True)
class _Unit:
    """The unit of a customer, and the zone in which it counts days."""

    path: str | None
    zone: tzinfo


def _unit(registers: Sequence[Fields]) -> _Unit:
    """The unit of a customer, by the rule that every view of it follows."""
    path = of_first((_seniority(row), row["unit"]) for row in registers)
    name = next((row["time_zone"] for row in registers if row["unit"] == path and row["time_zone"]), UNSTATED_ZONE)
    return _Unit(path, ZoneInfo(name))


def _seniority(row: Fields) -> Seniority:
    at = row["created_at"] or NOT_CREATED  # of a register of before, until it is read again
    created_at = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return seniority(row["registered"] or False, created_at, row["profile_id"])
