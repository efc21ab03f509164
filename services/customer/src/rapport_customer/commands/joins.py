"""Joins: a join makes two customers one. Each join can be undone exactly, in any order."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event, profile_map_message
from rapport_customer.domain.joins import Circular, TooManyProfiles, moves_of_join, moves_of_undo
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import CUSTOMER_MERGED, CUSTOMER_UNMERGED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import CustomerMerged, CustomerUnmerged
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox

JoinReason = Literal["manual", "identifier", "matching"]


async def join(
    connection: Connection,
    from_customer: UUID,
    into_profile: UUID,
    reason: JoinReason,
    clock: Clock,
    *,
    decided_by: str | None = None,
    causation_id: UUID | None = None,
) -> Event[Contract]:
    """Joins the customer `from_customer` into `into_profile`. Returns the event, which the caller appends.

    The caller holds the lock of joins. Raises `Circular` if both are one customer, or `TooManyProfiles`.
    """
    members = await store.members(connection, from_customer)
    into = (await store.memberships(connection, [into_profile]))[into_profile]
    already = await store.count_members(connection, into.customer_id)
    moves = moves_of_join(members, into, already)
    merge_id = new_id(clock())
    data = CustomerMerged(
        merge_id=merge_id,
        from_customer=from_customer,
        into_profile=into_profile,
        into_customer=into.customer_id,
        reason=reason,
        decided_by=decided_by,
        moves=moves,
    )
    event = make_event(
        CUSTOMER_MERGED, merge_id, data, 1, clock(), None, customer_id=into.customer_id, causation_id=causation_id
    )
    await store.save_moves(connection, moves)
    await store.save_join(connection, data, event.envelope.recorded_at)
    await outbox.queue(connection, [profile_map_message(move) for move in moves])
    return event


async def join_unless_kept_apart(
    connection: Connection,
    from_customer: UUID,
    into_profile: UUID,
    reason: JoinReason,
    clock: Clock,
    *,
    causation_id: UUID | None = None,
) -> Event[Contract] | None:
    """`join` by decision of Rapport. Returns None and changes nothing if a *never*, the limit or a join forbids it.

    The caller holds the lock of joins.
    """
    into = (await store.memberships(connection, [into_profile]))[into_profile]
    if await store.kept_apart(connection, from_customer, into.customer_id):
        return None
    if await cross_franchises(connection, [from_customer, into.customer_id]):
        return None
    try:
        return await join(connection, from_customer, into_profile, reason, clock, causation_id=causation_id)
    except (Circular, TooManyProfiles):
        return None


async def cross_franchises(connection: Connection, customer_ids: Sequence[UUID]) -> bool:
    """Whether customers belong to different isolated units, or one to an isolated unit and another only to others.

    Customers without a unit are ignored.
    """
    found = await store.franchises(connection, customer_ids)
    if not found:
        return False
    homes = await store.customers_with_units(connection, customer_ids)
    return len({frozenset(found.get(customer, ())) for customer in homes}) > 1


async def undo(
    connection: Connection, join_: store.StoredJoin, clock: Clock, *, decided_by: str | None = None
) -> Event[Contract]:
    """Undoes a join in force. Returns the event, which the caller appends. Both sides are kept apart from now on.

    The caller holds the lock of joins and has read `join_` under it.
    """
    await store.end_join(connection, join_.merge_id, decided_by, join_.last_recorded_at)
    moves = moves_of_undo(await store.branch(connection, join_.from_customer), join_.from_customer)
    data = CustomerUnmerged(
        merge_id=join_.merge_id,
        from_customer=join_.from_customer,
        into_profile=join_.into_profile,
        decided_by=decided_by,
        moves=moves,
    )
    event = make_event(
        CUSTOMER_UNMERGED,
        join_.merge_id,
        data,
        2,
        clock(),
        join_.last_recorded_at,
        customer_id=join_.from_customer,
    )
    recorded_at = event.envelope.recorded_at
    await store.save_moves(connection, moves)
    await store.end_join(connection, join_.merge_id, decided_by, recorded_at)
    await store.never(connection, join_.from_customer, join_.into_profile, decided_by, recorded_at, join_.merge_id)
    await outbox.queue(connection, [profile_map_message(move) for move in moves])
    return event
