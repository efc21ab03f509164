"""Reads of scoring: a customer's value on any day, as it was known at any time, with the lines that add up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, TypeAlias
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.history import History, history_of
from rapport_scoring.domain.indicators import Indicator
from rapport_scoring.domain.indicators.evidence import Ground, with_evidence
from rapport_scoring.domain.ledger.lines import LedgerLine
from rapport_scoring.domain.memory import memory_of
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.valuation import Valuation
from rapport_scoring.loading import load_composed
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.schemas.values import (
    DocumentName,
    IndicatorAnswer,
    OnAccountLine,
    OpenInvoice,
    PartitionPosition,
    PositionAnswer,
    ValueAnswer,
    ValueGap,
    ValueLine,
    WaitingDocument,
)
from rapport_scoring.settings import CONSUMER
from rapport_scoring.store import ScoreRow
from rapport_shared.contracts.scoring import PotentialValue, ScoreUpdated
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Database
from rapport_shared.errors import NOT_FOUND, Problem
from rapport_shared.messaging.cursors import load_cursors
from rapport_shared.pages import Keyset

MOST_LISTED = 100
EPOCH = date(1970, 1, 1)
"""The day of valuation of a customer of whom nothing is left."""
NOTHING_KNOWN = "Nothing is known of this customer that has a value."

Place: TypeAlias = tuple[datetime, UUID, int]
"""Where a line stands: its event's moment, and the how-manieth of that event it is."""
BY_PLACE: Final[Keyset[Place]] = Keyset(datetime, UUID, int)
"""The order of a customer's lines."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer: what was last published, its facts, and the rules in force."""

    row: ScoreRow
    facts: CustomerFacts
    rules: Rules


async def customer_of(database: Database, customer_id: UUID) -> UUID:
    """The customer that `customer_id` is part of now: itself, unless it was merged away."""
    return (await store.roots(database, [customer_id])).get(customer_id, customer_id)


async def customer_value(
    database: Database,
    rules: RulesInForce,
    customer_id: UUID,
    on: date | None,
    known_at: datetime | None,
    horizon: int | None,
    cursor: str | None,
    limit: int,
) -> ValueAnswer:
    """The value of a customer and a page of its lines, of one snapshot. Raises a 404 for one of whom nothing is known.

    Without `on` it is what was last published; with it, what it was on that day, by the rules of now. The forecast
    looks `horizon` months ahead; without it as many as the policy says.
    """
    after = BY_PLACE.position(cursor)
    known = await known_customer(database, rules, customer_id, known_at)
    if horizon is not None:
        known = replace(known, rules=known.rules.looking_ahead(horizon))
    return _answer(known, on, known_at, after, limit)


async def known_customer(
    database: Database, rules: RulesInForce, customer_id: UUID, known_at: datetime | None
) -> Known:
    """A customer's facts, what was last published of it and the rules in force, of one snapshot.

    Raises a 404 for one of whom nothing is known.
    """
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        row = await store.published(connection, customer_id) or ScoreRow(customer_id)
        present = await rules(connection)
        if known_at is None:
            profiles = (await store.compositions(connection, [customer_id]))[customer_id]
        else:
            profiles = await store.composition_at(connection, customer_id, known_at)
        facts = (await load_composed(connection, {customer_id: profiles}, known_at))[customer_id]
    if not facts.known and row.version == 0:
        raise Problem(NOT_FOUND, NOTHING_KNOWN)
    return Known(row, facts, present)


async def settled_position(database: Database, customer_id: UUID) -> PositionAnswer:
    """How far scoring has read, and the newest event of the customer that it had recorded by then; one snapshot."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        cursors = await load_cursors(connection, CONSUMER)
        row = await store.published(connection, customer_id)
    read = [
        PartitionPosition(topic=partition.topic, partition=partition.number, position=cursors[partition].position)
        for partition in sorted(cursors, key=lambda partition: (partition.topic, partition.number))
    ]
    if row is None:
        return PositionAnswer(sequence=0, positions=read)
    return PositionAnswer(sequence=row.sequence, deciding=memory_of(row.memory).waiting, positions=read)


def present_history(known: Known, on: date | None) -> History:
    """The history up to the end of a day, else up to that of the day that was last published."""
    row = known.row
    if on is None and row.score is not None:
        on = ScoreUpdated.model_validate_json(row.score).valued_on
    return history_of(known.facts, known.rules, on or known.facts.last_day or EPOCH)


def _answer(known: Known, on: date | None, known_at: datetime | None, after: Place | None, limit: int) -> ValueAnswer:
    row, facts, rules = known.row, known.facts, known.rules
    history = present_history(known, on)
    values, standing, book = history.values, history.standing, history.ledger
    memory = memory_of(row.memory)
    page, next_cursor = _page(book.lines, after, limit)
    now = on is None and known_at is None
    return ValueAnswer(
        customer_id=facts.customer_id,
        as_of=facts.latest,
        valued_on=values.on,
        known_at=known_at,
        scored_at=row.recorded_at,
        sequence=row.sequence,
        parameter_version=rules.versions.parameters,
        policy_version=rules.versions.value,
        profiles=list(facts.profiles),
        contemporary=values.contemporary,
        potential=_with_interval(values),
        model=values.outlook.model,
        total=standing.total,
        tier=standing.tier_state,
        stage=standing.stage_state,
        indicators=[_indicator(one) for one in _explained(history, rules)],
        alarms=list(memory.alarm_states) if now else [],
        triggers=list(memory.trigger_states) if now else [],
        suggestions=list(standing.suggestions),
        segments=sorted(memory.segments) if now else [],
        receivables=[OpenInvoice.model_validate(one, from_attributes=True) for one in book.receivables if one.open][
            :MOST_LISTED
        ],
        receivable_count=sum(1 for one in book.receivables if one.open),
        on_account=[OnAccountLine.model_validate(one, from_attributes=True) for one in book.on_account][:MOST_LISTED],
        gaps=[ValueGap.model_validate(one, from_attributes=True) for one in book.gaps][:MOST_LISTED],
        line_count=len(book.lines),
        lines=[line_answer(line) for line in page],
        waiting=[
            WaitingDocument(event_id=statement.event_id, document=_name(statement.key))
            for statement in book.waiting[:MOST_LISTED]
        ],
        waiting_count=len(book.waiting),
        next_cursor=next_cursor,
    )


def _explained(history: History, rules: Rules) -> list[Indicator]:
    on = history.values.on
    at = datetime.combine(on, datetime.max.time(), UTC)
    owed = history.ledger.receivables
    ground = Ground(history.facts, history.purchases, owed, on, at, rules.value.contacts)
    return with_evidence(history.standing.indicators, ground)


def _with_interval(values: Valuation) -> PotentialValue:
    """Potential value as it is published, and between what the number of orders lies."""
    basis = values.outlook.basis
    interval = basis.orders(values.on) if basis is not None else None
    return values.outlook.potential.model_copy(update={"orders_interval": interval})


def _page(lines: Sequence[LedgerLine], after: Place | None, limit: int) -> tuple[Sequence[LedgerLine], str | None]:
    """The lines behind `after`, at most `limit`, and the cursor of what follows them."""
    counted: Counter[UUID] = Counter()
    places: list[Place] = []
    for line in lines:
        counted[line.event_id] += 1
        places.append((*line.moment, counted[line.event_id]))
    start = 0 if after is None else sum(place <= after for place in places)
    end = start + limit
    if end >= len(lines):
        return lines[start:], None
    return lines[start:end], BY_PLACE.cursor(places[end - 1])


def line_answer(line: LedgerLine) -> ValueLine:
    """A ledger line as the API tells it."""
    return ValueLine(
        event_id=line.event_id,
        profile_id=line.profile_id,
        document=None if line.document is None else _name(line.document),
        part=line.part.value,
        item=line.item,
        amount=line.amount,
        currency=line.currency,
        estimated=line.estimated,
        value_date=line.day,
    )


def _indicator(one: Indicator) -> IndicatorAnswer:
    return IndicatorAnswer(
        name=one.name,
        subject=one.subject,
        kind=one.kind.value,
        value=None if one.value is None else str(one.value),
        unit=one.unit,
        on=one.on,
        events=list(one.events),
        event_count=one.event_count,
        missing=one.missing.value if one.missing is not None else None,
    )


def _name(key: DocumentKey) -> DocumentName:
    return DocumentName(system=key.system, family=key.family, number=key.number)
