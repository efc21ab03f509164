"""What the ticket service reads: the registers of the customer service, customers that change hands, occasions."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, PROFILE_CHANGED, SCORE_EVENTS
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import HandOver, ProfileChanged
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import rejecting
from rapport_shared.messaging.records import Record, read_event
from rapport_ticket.commands.playbook import Playbook
from rapport_ticket.commands.tickets import Tickets
from rapport_ticket.domain.playbook import READ, ReasonEvent, told
from rapport_ticket.domain.registers import FOLDS, fold
from rapport_ticket.store.registers import put_registers


def registers() -> Subscription[Event[Any]]:
    """Known profiles, routes, customers and units, as the customer service last stated them."""
    return Subscription(
        consumer="registers", topics=(CUSTOMER_EVENTS,), decode=read_event, apply=_apply, types=frozenset(FOLDS)
    )


Handed = tuple[UUID, HandOver]
"""The event of a changed owner, and its hand-over."""


def hand_overs(tickets: Tickets, signal: OutboxSignal) -> Subscription[Handed]:
    """The reaction to a customer that was handed over: the open work of its former owner follows.

    Only a person's command hands anything over, so no fact of the past, however late it is loaded, moves a ticket.
    """
    return Subscription(
        consumer="hand-overs",
        topics=(CUSTOMER_EVENTS,),
        decode=_handed_over,
        apply=partial(_hand_over, tickets),
        committed=signal.committed,
        types=frozenset({PROFILE_CHANGED.wire}),
    )


def occasions(playbook: Playbook, signal: OutboxSignal) -> Subscription[tuple[ReasonEvent, ...]]:
    """The reaction to events of scoring: applies the playbook."""
    return Subscription(
        consumer="playbook",
        topics=(SCORE_EVENTS,),
        decode=_told,
        apply=partial(_play, playbook),
        committed=signal.committed,
        types=frozenset(READ),
    )


def _told(record: Record) -> tuple[ReasonEvent, ...] | None:
    event = read_event(record)
    return None if event is None else rejecting(told, event)


async def _play(playbook: Playbook, connection: Connection, said: Sequence[tuple[ReasonEvent, ...]]) -> None:
    await playbook.play(connection, [one for each in said for one in each])


def _handed_over(record: Record) -> Handed | None:
    if b'"handed_over"' not in (record.value or b""):
        return None
    event = read_event(record)
    if event is None or not isinstance(event.data, ProfileChanged):
        return None
    change = event.data.hand_over
    return (event.envelope.id, change) if change and change.handed_over else None


async def _hand_over(tickets: Tickets, connection: Connection, handed: Sequence[Handed]) -> None:
    for event_id, hand_over in handed:
        await tickets.hand_over(connection, hand_over, event_id)


async def _apply(connection: Connection, events: Sequence[Event[Any]]) -> None:
    await put_registers(connection, rejecting(fold, events))
