"""How tickets are recorded: the row and its event, in the caller's transaction."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.catalogue import TICKET_OPENED, EventType
from rapport_shared.contracts.codec import Event, new_event
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.ticket import TicketState
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_ticket.domain.tickets import Change
from rapport_ticket.store import tickets as store
from rapport_ticket.store.tickets import StoredTicket


async def record_opened(
    connection: Connection,
    ticket: TicketState,
    customer_id: UUID,
    now: datetime,
    digest: str = "",
    causation_id: UUID | None = None,
) -> StoredTicket | None:
    """Inserts a ticket and its event. Returns None if another transaction has inserted a ticket with this id.

    `digest` is of the request that opens it, `causation_id` the event that it follows from.
    """
    event = _event(TICKET_OPENED, Change(ticket, ("created",)), 1, now, customer_id, causation_id)
    stored = StoredTicket(ticket, customer_id, 1, now, digest, event.envelope.id, event.envelope.id)
    if not await store.insert_ticket(connection, stored):
        return None
    await outbox.append(connection, [event])
    return stored


async def record_change(
    connection: Connection,
    before: StoredTicket,
    event_type: EventType,
    change: Change,
    now: datetime,
    causation_id: UUID | None = None,
) -> StoredTicket:
    """Updates a locked ticket and appends its event."""
    event = _event(event_type, change, before.sequence + 1, now, before.customer_id, causation_id)
    after = replace(
        before,
        ticket=change.ticket,
        sequence=before.sequence + 1,
        last_recorded_at=now,
        last_event_id=event.envelope.id,
    )
    await store.save_ticket(connection, after)
    await outbox.append(connection, [event])
    return after


def _event(
    event_type: EventType,
    change: Change,
    sequence: int,
    recorded_at: datetime,
    customer_id: UUID,
    causation_id: UUID | None,
) -> Event[Contract]:
    ticket = change.ticket
    return new_event(
        event_type,
        ticket.ticket_id,
        event_type.model(ticket=ticket, changed=change.changed),
        sequence=sequence,
        recorded_at=recorded_at,
        occurred_at=ticket.opened_at if event_type is TICKET_OPENED else None,
        profile_id=ticket.profile_id,
        customer_id=customer_id,
        causation_id=causation_id,
    )
