"""The queries of the ticket service."""

from datetime import datetime
from functools import partial
from uuid import UUID

from rapport_shared.database import Database
from rapport_shared.errors import not_found
from rapport_shared.web.commands import revision_etag
from rapport_ticket.domain.tickets import possible_states, ticket_id_of
from rapport_ticket.schemas import Ticket, TicketPage
from rapport_ticket.store import tickets as store
from rapport_ticket.store.tickets import BY_OPENING, StoredTicket, TicketFilter


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
    page = await BY_OPENING.page(cursor, limit, partial(store.tickets, database, asked), _place)
    return TicketPage(tickets=[shown(stored) for stored in page.items], next_cursor=page.next_cursor)


def _place(stored: StoredTicket) -> tuple[datetime, UUID]:
    return stored.ticket.opened_at, stored.ticket.ticket_id
