"""Reads of scoring: a customer's value from its documents, with the lines that add up."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.commands import statements_by_profile
from rapport_scoring.domain.ledger import ledger
from rapport_scoring.domain.lines import LedgerLine
from rapport_scoring.domain.score import score
from rapport_scoring.schemas import DocumentName, ValueAnswer, ValueLine, WaitingDocument
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Database
from rapport_shared.errors import NOT_FOUND, VALIDATION, FieldProblem, Problem
from rapport_shared.web.pages import decode_cursor, encode_cursor

MAX_WAITING = 100

Place: TypeAlias = tuple[datetime, UUID, int]
"""Where a line stands: its event's moment, and the how-manieth of that event it is."""


async def customer_of(database: Database, customer_id: UUID) -> UUID:
    """The customer that `customer_id` is part of now: itself, unless it was merged away."""
    async with database.connection() as connection:
        return (await store.roots(connection, [customer_id])).get(customer_id, customer_id)


async def customer_value(database: Database, customer_id: UUID, cursor: str | None, limit: int) -> ValueAnswer:
    """The value of a customer and a page of its lines, of one snapshot. Raises a 404 for one without commerce."""
    after = None if cursor is None else _place_of(cursor)
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        row = await store.published(connection, customer_id)
        profiles = (await store.compositions(connection, [customer_id]))[customer_id]
        by_profile = statements_by_profile(await store.statements_about(connection, profiles))
        version, policy = await store.present_parameters(connection)
    if row is None or row.version == 0:
        raise Problem(NOT_FOUND, "No commerce document of this customer is known.")
    book = ledger([told for profile in profiles for told in by_profile.get(profile, ())], policy)
    scored = score(customer_id, profiles, book, version)
    page, next_cursor = _page(book.lines, after, limit)
    return ValueAnswer(
        customer_id=customer_id,
        as_of=scored.as_of,
        scored_at=row.recorded_at,
        sequence=row.sequence,
        parameter_version=scored.parameter_version,
        policy_version=scored.policy_version,
        profiles=list(scored.profiles),
        contemporary=scored.contemporary,
        line_count=scored.lines,
        lines=[_line(line) for line in page],
        waiting=[
            WaitingDocument(event_id=statement.event_id, document=_name(statement.key))
            for statement in book.waiting[:MAX_WAITING]
        ],
        waiting_count=scored.waiting,
        next_cursor=next_cursor,
    )


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
    occurred_at, event_id, number = places[end - 1]
    return lines[start:end], encode_cursor(occurred_at.isoformat(), str(event_id), number)


def _place_of(cursor: str) -> Place:
    occurred_at, event_id, number = decode_cursor(cursor, 3)
    try:
        return datetime.fromisoformat(occurred_at).astimezone(UTC), UUID(event_id), int(number)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        place = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
        raise Problem(VALIDATION, "The cursor is not valid.", errors=[place]) from error


def _line(line: LedgerLine) -> ValueLine:
    assert line.document is not None  # a ledger of documents alone
    return ValueLine(
        event_id=line.event_id,
        profile_id=line.profile_id,
        document=_name(line.document),
        part=line.part.value,
        item=line.item,
        amount=line.amount,
        currency=line.currency,
        estimated=line.estimated,
        value_date=line.day,
    )


def _name(key: DocumentKey) -> DocumentName:
    return DocumentName(system=key.system, family=key.family, number=key.number)
