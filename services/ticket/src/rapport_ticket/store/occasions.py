"""The SQL of the playbook: occasions, and the tickets that answer them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from rapport_shared.database import Connection, Database
from rapport_ticket.domain.playbook import ReasonEvent
from rapport_ticket.domain.rehearsal import Occasion
from rapport_ticket.store.tickets import TICKET, StoredTicket, stored_ticket

PAGE = 5_000

# A merged customer publishes no events of its own: a reason that ends for the survivor ends for it, too.
_END = """
UPDATE occasion SET ended_at = $4 WHERE reason = $2 AND ended_at IS NULL
AND (customer_id = $1 AND sequence < $3
     OR customer_id IN (SELECT profile_id FROM profile_customer WHERE profile_id <> customer_id AND customer_id =
                        coalesce((SELECT customer_id FROM profile_customer WHERE profile_id = $1), $1)))
RETURNING event_id
"""
_WITHOUT_REASON = f"""
{TICKET} WHERE open
AND ticket_id IN (SELECT ticket_id FROM occasion_ticket WHERE event_id = ANY($1))
AND NOT EXISTS (SELECT FROM occasion_ticket answer JOIN occasion USING (event_id)
                WHERE answer.ticket_id = ticket.ticket_id AND occasion.ended_at IS NULL)
ORDER BY ticket_id FOR UPDATE OF ticket
"""
_ANSWERING = f"""
{TICKET} WHERE open
AND ticket.profile_id IN (SELECT profile_id FROM profile_customer WHERE customer_id = $1 UNION SELECT $1)
AND EXISTS (SELECT FROM occasion_ticket answer WHERE answer.ticket_id = ticket.ticket_id AND play = $2)
ORDER BY ticket_id LIMIT 1 FOR UPDATE OF ticket
"""


async def lock_customer(connection: Connection, customer_id: UUID) -> None:
    """Blocks other transactions that act on occasions of this customer until this transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 4))", str(customer_id))


async def note_occasion(connection: Connection, told: ReasonEvent) -> bool:
    """Inserts an occasion. Returns False if it is there already."""
    new: bool | None = await connection.fetchval(
        "INSERT INTO occasion (event_id, reason, customer_id, sequence, recorded_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT DO NOTHING RETURNING true",
        told.event_id,
        told.reason,
        told.customer_id,
        told.sequence,
        told.recorded_at,
    )
    return bool(new)


async def end_occasions(connection: Connection, told: ReasonEvent) -> list[UUID]:
    """Ends the earlier occasions of the event's reason and customer. Returns the ids of the events that began them."""
    rows = await connection.fetch(_END, told.customer_id, told.reason, told.sequence, told.recorded_at)
    return [row["event_id"] for row in rows]


async def lock_tickets_without_reason(connection: Connection, ended: Sequence[UUID]) -> list[StoredTicket]:
    """Locks and returns the open tickets of which every occasion has ended, the last of them in `ended`."""
    return [stored_ticket(row) for row in await connection.fetch(_WITHOUT_REASON, list(ended))]


async def lock_answering_ticket(connection: Connection, customer_id: UUID, play: str) -> StoredTicket | None:
    """Locks and returns the open ticket that a play opened for any profile of a customer."""
    row = await connection.fetchrow(_ANSWERING, customer_id, play)
    return None if row is None else stored_ticket(row)


async def last_opened_at(connection: Connection, customer_id: UUID, play: str) -> datetime | None:
    """Returns when a play last opened a ticket for this customer id, within the occasions that are kept."""
    found: datetime | None = await connection.fetchval(
        "SELECT max(opened_at) FROM occasion JOIN occasion_ticket USING (event_id) JOIN ticket USING (ticket_id) "
        "WHERE occasion.customer_id = $1 AND play = $2",
        customer_id,
        play,
    )
    return found


async def note_answer(connection: Connection, event_id: UUID, play: str, ticket_id: UUID) -> None:
    """Links a ticket to the occasion that it was opened or commented for."""
    await connection.execute(
        "INSERT INTO occasion_ticket (event_id, play, ticket_id) VALUES ($1, $2, $3)", event_id, play, ticket_id
    )


async def forget_occasions(connection: Connection, before: datetime) -> None:
    """Deletes the occasions recorded before an instant that have no open ticket."""
    await connection.execute(
        "DELETE FROM occasion WHERE recorded_at < $1 AND NOT EXISTS (SELECT FROM occasion_ticket "
        "JOIN ticket USING (ticket_id) WHERE occasion_ticket.event_id = occasion.event_id AND ticket.open)",
        before,
    )


async def occasions_since(database: Database, since: datetime) -> AsyncIterator[list[Occasion]]:
    """Yields pages of the occasions recorded since an instant, ordered by customer and sequence."""
    after: tuple[UUID, int] = (UUID(int=0), 0)
    while True:
        rows = await database.fetch(
            "SELECT customer_id, sequence, reason, recorded_at, ended_at FROM occasion "
            "WHERE recorded_at >= $1 AND (customer_id, sequence) > ($2, $3) ORDER BY customer_id, sequence LIMIT $4",
            since,
            *after,
            PAGE,
        )
        if not rows:
            return
        yield [Occasion(row["customer_id"], row["reason"], row["recorded_at"], row["ended_at"]) for row in rows]
        after = (rows[-1]["customer_id"], rows[-1]["sequence"])
