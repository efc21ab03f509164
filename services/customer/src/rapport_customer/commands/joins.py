"""Joins: two customers become one, by a fact that can be undone."""

from typing import Literal
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event, profile_map_message
from rapport_customer.domain.joins import moves_of_join
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import CUSTOMER_MERGED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import CustomerMerged
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox


async def join(
    connection: Connection,
    from_customer: UUID,
    into_profile: UUID,
    reason: Literal["manual", "identifier", "matching"],
    clock: Clock,
    *,
    causation_id: UUID | None = None,
) -> Event[Contract]:
    """Puts the customer `from_customer` under `into_profile` and answers the event, which the caller appends.

    The caller holds the lock of joins. Raises `Circular` when both are one customer.
    """
    members = await store.members(connection, from_customer)
    into = (await store.memberships(connection, [into_profile]))[into_profile]
    moves = moves_of_join(members, into)
    merge_id = new_id(clock())
    data = CustomerMerged(
        merge_id=merge_id,
        from_customer=from_customer,
        into_profile=into_profile,
        into_customer=into.customer_id,
        reason=reason,
        moves=moves,
    )
    event = make_event(
        CUSTOMER_MERGED,
        merge_id,
        data,
        1,
        clock(),
        None,
        customer_id=into.customer_id,
        causation_id=causation_id,
    )
    await store.save_moves(connection, moves)
    await store.save_join(connection, merge_id, from_customer, into_profile, reason, event.envelope.recorded_at)
    await outbox.queue(connection, [profile_map_message(move) for move in moves])
    return event
