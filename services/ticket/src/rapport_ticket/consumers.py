"""What the ticket service reads: the registers of the customer service."""

from collections.abc import Sequence
from typing import Any

from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS
from rapport_shared.contracts.codec import Event, decode_event
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outcomes import decide
from rapport_shared.messaging.records import Record
from rapport_ticket import store
from rapport_ticket.domain.registers import FOLDS, fold


def registers() -> Subscription[Event[Any]]:
    """Known profiles, routes, customers and units, as the customer service last stated them."""
    return Subscription(consumer="registers", topics=(CUSTOMER_EVENTS,), decode=_decode, apply=_apply)


def _decode(record: Record) -> Event[Any] | None:
    if record.headers.get("ce_type") not in FOLDS:
        return None
    event = decode_event(record.headers, record.value)
    return event if isinstance(event, Event) else None


async def _apply(connection: Connection, events: Sequence[Event[Any]]) -> None:
    await store.put_registers(connection, decide(fold, events))
