"""Owners: one event names the former and the new owner of a customer, and whether open work follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE
from rapport_customer.commands.profiles import Change, register
from rapport_customer.domain.owners import owner_of
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import HandOver
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Connection
from rapport_shared.policies import active_document


@dataclass(frozen=True, slots=True)
class GiveCustomer:
    """The new owner of a customer, or None for nobody. With `hand_over`, open work follows."""

    owner: str | None
    reason: str | None = None
    hand_over: bool = False


async def give_customer(
    connection: Connection, profile_id: UUID, command: GiveCustomer, caller: Caller, clock: Clock
) -> list[UUID]:
    """Gives a locked profile to another owner. Returns the events.

    With `hand_over`, every profile of the customer that has the customer's former owner gets the new owner too.
    """
    await store.lock_joins(connection)
    customer_id = (await store.memberships(connection, [profile_id]))[profile_id].customer_id
    records = (await store.records_of_customers(connection, [customer_id]))[customer_id]
    former = owner_of(records)
    given = {profile_id}
    if command.hand_over:
        given |= {record.profile_id for record in records if former and record.owner == former}
    told = HandOver(
        hand_over_id=new_id(clock()),
        former_owner=former,
        owner=command.owner,
        handed_over=command.hand_over,
        customer_id=customer_id,
        profiles=tuple(record.profile_id for record in records),
        reason=command.reason,
        decided_by=caller.principal,
    )
    return await give(connection, sorted(given), told, clock)


async def give(connection: Connection, profile_ids: Sequence[UUID], told: HandOver, clock: Clock) -> list[UUID]:
    """Makes `told.owner` the owner of profiles. Returns the events. Profiles that have this owner are skipped."""
    policy = await active_document(connection, MATCHING, MATCHING_PLACE)
    events: list[UUID] = []
    for profile_id in profile_ids:
        events += await register(
            connection, profile_id, "command", (), _given(told.owner), policy, clock, hand_over=told
        )
    return events


def _given(owner: str | None) -> Change:
    return lambda state: state.model_copy(update={"owner": owner})
