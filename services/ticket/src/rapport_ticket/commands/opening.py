"""Opens tickets for all callers: a person, the playbook, or a touchpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.ticket import TicketOrigin
from rapport_shared.database import Connection
from rapport_ticket.commands.recording import record_opened
from rapport_ticket.domain import tickets
from rapport_ticket.store import registers
from rapport_ticket.store.tickets import StoredTicket, next_number


@dataclass(frozen=True, slots=True)
class Opening:
    """A ticket to open at a profile, with all fields decided.

    `digest` identifies the request, `causation_id` the event that the ticket follows from.
    """

    profile_id: UUID
    kind: str
    subject: str
    opened_at: datetime
    description: str | None = None
    priority: str = "normal"
    unit: str | None = None
    owner: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    origin: TicketOrigin | None = None
    ticket_id: UUID | None = None
    digest: str = ""
    causation_id: UUID | None = None


async def open_ticket(connection: Connection, opening: Opening, now: datetime) -> StoredTicket | None:
    """Opens a ticket and records its event; None when another transaction has just opened one with its id."""
    fields = {
        "kind": opening.kind,
        "profile_id": opening.profile_id,
        "subject": opening.subject,
        "description": opening.description,
        "priority": opening.priority,
        "unit": opening.unit,
        "owner": opening.owner,
        "attributes": dict(opening.attributes),
        "origin": opening.origin,
    }
    number = await next_number(connection)
    ticket = tickets.first_state(opening.ticket_id or new_id(now), number, fields, opening.opened_at, now)
    customer_id = await registers.customer_of(connection, opening.profile_id)
    return await record_opened(connection, ticket, customer_id, now, opening.digest, opening.causation_id)
