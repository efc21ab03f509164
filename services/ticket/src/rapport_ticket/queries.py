"""What the ticket service answers."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_shared.contracts.ticket import TicketState
from rapport_shared.database import Database
from rapport_shared.errors import not_found
from rapport_shared.web.commands import revision_etag
from rapport_shared.web.pages import decode_cursor, encode_cursor
from rapport_ticket import store
from rapport_ticket.domain.tickets import possible_states
from rapport_ticket.schemas import TicketPage
from rapport_ticket.store import TicketFilter


def shown(ticket: TicketState) -> dict[str, Any]:
    """A ticket as the API shows it, with where it can go."""
    return {**json.loads(ticket.model_dump_json()), "possible_states": list(possible_states(ticket))}


async def ticket(database: Database, name: str) -> tuple[dict[str, Any], str]:
    """A ticket by id or number, and its ETag. Raises a 404."""
    try:
        stored = await store.read_ticket(database, UUID(name))
    except ValueError:
        stored = await store.read_ticket(database, name.upper())
    if stored is None:
        raise not_found("ticket")
    return shown(stored.ticket), revision_etag(stored.sequence)


async def ticket_page(database: Database, asked: TicketFilter, cursor: str | None, limit: int) -> TicketPage:
    """Tickets, the latest opened first. Raises a 422 for a cursor that is not of this list."""
    after = None
    if cursor is not None:
        opened_at, ticket_id = decode_cursor(cursor, 2)
        after = datetime.fromisoformat(opened_at), UUID(ticket_id)
    found = await store.tickets(database, asked, after, limit + 1)
    page = found[:limit]
    last = page[-1].ticket if len(found) > limit else None
    next_cursor = encode_cursor(last.opened_at.isoformat(), str(last.ticket_id)) if last else None
    return TicketPage(tickets=[shown(stored.ticket) for stored in page], next_cursor=next_cursor)
