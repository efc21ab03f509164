"""The SQL of tickets."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_shared.contracts.ticket import TicketState
from rapport_shared.database import Connection, Database, Row
from rapport_shared.pages import Keyset
from rapport_shared.units import lies_in_sql


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """A ticket's row, and the customer that its profile belongs to now. `digest` is of the request that opened it."""

    ticket: TicketState
    customer_id: UUID
    sequence: int
    last_recorded_at: datetime
    digest: str
    opened_event_id: UUID
    last_event_id: UUID


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets a list shows; None asks for nothing. `customer` follows merges.

    `within` is the caller's own unit, "" for all units.
    """

    state: str | None = None
    kind: str | None = None
    owner: str | None = None
    unit: str | None = None
    open: bool | None = None
    customer: UUID | None = None
    within: str = ""


BY_OPENING: Final[Keyset[tuple[datetime, UUID]]] = Keyset(datetime, UUID)
"""The order of lists: the latest opened first."""

TICKET = """
SELECT register, coalesce(belongs.customer_id, ticket.profile_id) AS customer_id, last_sequence, last_recorded_at,
       request_digest, opened_event_id, last_event_id
FROM ticket LEFT JOIN profile_customer belongs USING (profile_id)
"""


def stored_ticket(row: Row) -> StoredTicket:
    """The ticket of a row that `TICKET` selects."""
    return StoredTicket(
        TicketState.model_validate_json(row["register"]),
        row["customer_id"],
        row["last_sequence"],
        row["last_recorded_at"],
        row["request_digest"],
        row["opened_event_id"],
        row["last_event_id"],
    )


async def next_number(connection: Connection) -> int:
    """The next running number."""
    number: int = await connection.fetchval("SELECT nextval('ticket_number')")
    return number


async def lock_ticket(connection: Connection, ticket_id: UUID) -> StoredTicket | None:
    """A ticket, locked."""
    row = await connection.fetchrow(f"{TICKET} WHERE ticket_id = $1 FOR UPDATE OF ticket", ticket_id)
    return None if row is None else stored_ticket(row)


async def lock_open_tickets(connection: Connection, profile_ids: Collection[UUID], owner: str) -> list[StoredTicket]:
    """The open tickets of profiles that an owner has, locked."""
    rows = await connection.fetch(
        f"{TICKET} WHERE owner = $1 AND open AND ticket.profile_id = ANY($2) ORDER BY ticket_id FOR UPDATE OF ticket",
        owner,
        list(profile_ids),
    )
    return [stored_ticket(row) for row in rows]


async def note_hand_over(connection: Connection, event_id: UUID) -> bool:
    """Records that a hand-over is carried out. Returns False if it was recorded already."""
    new: bool | None = await connection.fetchval(
        "INSERT INTO hand_over (event_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING true", event_id
    )
    return bool(new)


async def ticket_numbered(connection: Connection, number: str) -> UUID | None:
    """The id of the ticket with a number."""
    found: UUID | None = await connection.fetchval("SELECT ticket_id FROM ticket WHERE number = $1", number)
    return found


async def read_ticket(database: Database, name: UUID | str) -> StoredTicket | None:
    """A ticket by its id or its number."""
    column = "ticket_id" if isinstance(name, UUID) else "number"
    row = await database.fetch_row(f"{TICKET} WHERE {column} = $1", name)
    return None if row is None else stored_ticket(row)


async def insert_ticket(connection: Connection, stored: StoredTicket) -> bool:
    """Inserts a ticket. Returns False if another transaction inserted a ticket with this id."""
    ticket = stored.ticket
    made: bool | None = await connection.fetchval(
        "INSERT INTO ticket (ticket_id, number, profile_id, kind, state, open, owner, unit, opened_at, register, "
        "request_digest, opened_event_id, last_event_id, last_sequence, last_recorded_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
        "ON CONFLICT (ticket_id) DO NOTHING RETURNING true",
        ticket.ticket_id,
        ticket.number,
        ticket.profile_id,
        ticket.kind,
        ticket.state,
        ticket.open,
        ticket.owner,
        ticket.unit,
        ticket.opened_at,
        ticket.model_dump_json(),
        stored.digest,
        stored.opened_event_id,
        stored.last_event_id,
        stored.sequence,
        stored.last_recorded_at,
    )
    return bool(made)


async def save_ticket(connection: Connection, stored: StoredTicket) -> None:
    """Updates a ticket."""
    ticket = stored.ticket
    await connection.execute(
        "UPDATE ticket SET state = $2, open = $3, owner = $4, unit = $5, register = $6, last_event_id = $7, "
        "last_sequence = $8, last_recorded_at = $9 WHERE ticket_id = $1",
        ticket.ticket_id,
        ticket.state,
        ticket.open,
        ticket.owner,
        ticket.unit,
        ticket.model_dump_json(),
        stored.last_event_id,
        stored.sequence,
        stored.last_recorded_at,
    )


async def tickets(
    database: Database, asked: TicketFilter, after: tuple[datetime, UUID] | None, limit: int
) -> list[StoredTicket]:
    """Tickets, the latest opened first, after one."""
    rows = await database.fetch(
        f"{TICKET} WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2) "
        f"AND ($3::text IS NULL OR owner = $3) AND ($4::text IS NULL OR {lies_in_sql('unit', '$4')}) "
        "AND ($5::bool IS NULL OR open = $5) "
        "AND ($6::uuid IS NULL OR ticket.profile_id = ANY($7::uuid[])) "
        f"AND {lies_in_sql('unit', '$11')} "
        f"AND {BY_OPENING.behind('opened_at, ticket_id', 8)} "
        "ORDER BY opened_at DESC, ticket_id DESC LIMIT $10",
        asked.state,
        asked.kind,
        asked.owner,
        asked.unit,
        asked.open,
        asked.customer,
        await _profiles(database, asked.customer) if asked.customer else [],
        *BY_OPENING.parameters(after),
        limit,
        asked.within,
    )
    return [stored_ticket(row) for row in rows]


async def _profiles(database: Database, customer_id: UUID) -> list[UUID]:
    rows = await database.fetch(
        "WITH asked AS (SELECT coalesce((SELECT customer_id FROM profile_customer WHERE profile_id = $1), $1) AS id) "
        "SELECT profile_id FROM profile_customer, asked WHERE customer_id = asked.id "
        "UNION SELECT id FROM asked",
        customer_id,
    )
    return [row["profile_id"] for row in rows]
