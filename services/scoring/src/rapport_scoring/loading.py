"""From rows to customers: everything that is known of each, as the domain takes it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_scoring import store
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.facts import Attribute, Case
from rapport_scoring.recorded import RecordedFacts, facts
from rapport_shared.contracts.survivorship import choose
from rapport_shared.database import Connection, Reading, Row

NOT_REGISTERED = datetime.max.replace(tzinfo=UTC)


async def load_customers(connection: Connection, customers: Sequence[UUID]) -> dict[UUID, CustomerFacts]:
    """The facts of customers as they are composed now."""
    return await load_composed(connection, await store.compositions(connection, customers))


async def load_composed(
    connection: Reading, composition: Mapping[UUID, Sequence[UUID]], known_at: datetime | None = None
) -> dict[UUID, CustomerFacts]:
    """The facts of customers that are made of the given profiles, as they were known at an instant."""
    profiles = sorted({profile for found in composition.values() for profile in found})
    partners = await _partners(connection, profiles)
    everyone = sorted(set(profiles).union(*partners.values()))
    recorded = _by_profile(await store.recordings_of(connection, everyone, known_at))
    registers = _by_profile(await store.profile_registers(connection, profiles))
    cases = _by_profile(await store.cases_of(connection, profiles))
    return {
        customer: _customer(customer, own, partners, recorded, registers, cases)
        for customer, own in composition.items()
    }


async def _partners(connection: Reading, profiles: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """Of each profile, whose documents have to do with its own: a reversal of a payment is two names away."""
    near = await store.partners(connection, profiles)
    if not near:
        return {}
    further = await store.partners(connection, sorted(set().union(*near.values())))
    return {one: found.union(*(further.get(partner, set()) for partner in found)) for one, found in near.items()}


def _by_profile(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["profile_id"]].append(row)
    return found


def _customer(
    customer: UUID,
    profiles: Sequence[UUID],
    partners: Mapping[UUID, set[UUID]],
    recorded: Mapping[UUID, list[Row]],
    registers: Mapping[UUID, list[Row]],
    cases: Mapping[UUID, list[Row]],
) -> CustomerFacts:
    own = facts(row for profile in profiles for row in recorded.get(profile, ()))
    others = sorted({one for profile in profiles for one in partners.get(profile, ())} - set(profiles))
    foreign = facts(row for profile in others for row in recorded.get(profile, ()))
    opened = [_case(row) for profile in profiles for row in cases.get(profile, ())]
    stated = [row for profile in profiles for row in registers.get(profile, ())]
    instants = _instants(own, [row for profile in profiles for row in cases.get(profile, ())], stated)
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
        unit=_unit(stated),
        earliest=min(instants, default=None),
        latest=max(instants, default=None),
        last_day=max([day.astimezone(UTC).date() for day in instants] + _days(own), default=None),
        history=own.history,
        historical=own.latest_is_history and own.latest == max(instants, default=None),
    )


def _instants(own: RecordedFacts, cases: Iterable[Row], registers: Iterable[Row]) -> list[datetime]:
    """The event times that bound what is known of a customer."""
    recorded = [at for at in (own.earliest, own.latest) if at is not None]
    told = [row["reported_at"] or row["registered_at"] for row in registers]
    registered = [at for at in told if at is not None]
    return [*recorded, *registered, *(row["changed_at"] for row in cases), *(row["opened_at"] for row in cases)]


def _days(own: RecordedFacts) -> list[Any]:
    return [] if own.last_day is None else [own.last_day]


def _case(row: Row) -> Case:
    return Case(
        ticket_id=row["ticket_id"],
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        kind=row["kind"],
        state=row["state"],
        open=row["open"],
        opened_at=row["opened_at"],
        responded_at=row["responded_at"],
        resolved_at=row["resolved_at"],
    )


def _attributes(registers: Sequence[Row]) -> dict[str, Attribute]:
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


def _unit(registers: Sequence[Row]) -> str | None:
    """The unit of the oldest registered profile that has one, as the view shows it."""
    having = [row for row in registers if row["unit"] is not None]
    having.sort(key=lambda row: (row["registered_at"] or NOT_REGISTERED, row["profile_id"]))
    return having[0]["unit"] if having else None
