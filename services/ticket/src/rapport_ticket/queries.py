"""What the ticket service answers."""

from datetime import datetime
from uuid import UUID

from rapport_shared.database import Database
from rapport_shared.errors import VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.web.commands import revision_etag
from rapport_shared.web.pages import decode_cursor, encode_cursor
from rapport_ticket.domain.tickets import possible_states, ticket_id_of
from rapport_ticket.schemas import Ticket, TicketPage
from rapport_ticket.store import tickets as store
from rapport_ticket.store.tickets import StoredTicket, TicketFilter


def shown(stored: StoredTicket) -> Ticket:
    """A ticket as the API shows it."""
    return Ticket(
        **dict(stored.ticket), customer_id=stored.customer_id, possible_states=list(possible_states(stored.ticket))
    )


async def ticket(database: Database, name: str) -> tuple[Ticket, str]:
    """A ticket by id or number, and its ETag. Raises a 404."""
    stored = await store.read_ticket(database, ticket_id_of(name) or name.upper())
    if stored is None:
        raise not_found("ticket")
    return shown(stored), revision_etag(stored.sequence)


async def ticket_page(database: Database, asked: TicketFilter, cursor: str | None, limit: int) -> TicketPage:
    """Tickets, the latest opened first. Raises a 422 for a cursor that is not of this list."""
    found = await store.tickets(database, asked, _position(cursor) if cursor else None, limit + 1)
    page = found[:limit]
    last = page[-1].ticket if len(found) > limit else None
    next_cursor = encode_cursor(last.opened_at.isoformat(), str(last.ticket_id)) if last else None
    return TicketPage(tickets=[shown(stored) for stored in page], next_cursor=next_cursor)


def _position(cursor: str) -> tuple[datetime, UUID]:
    opened_at, ticket_id = decode_cursor(cursor, 2)
    try:
        position = datetime.fromisoformat(opened_at), UUID(ticket_id)
        if position[0].tzinfo is not None:
            return position
    except (ValueError, TypeError, AttributeError):
        pass
    place = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
    raise Problem(VALIDATION, "The cursor is not valid.", errors=[place])
