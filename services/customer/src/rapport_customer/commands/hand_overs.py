"""Hand-overs: begun by a command, carried out in batches, resumed after a crash."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.owners import give
from rapport_customer.store import StoredHandOver
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import HandOver
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, VALIDATION, FieldProblem, Problem
from rapport_shared.units import lies_in

AT_ONCE: Final = 50
"""The number of profiles that change owner in one transaction."""


@dataclass(frozen=True, slots=True)
class BeginHandOver:
    """Transfers the customers of `owner` to another owner, optionally limited to one unit."""

    owner: str
    to: str
    unit: str | None = None
    reason: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class HandOverBegun:
    """A hand-over, and the number of profiles that are still to be transferred."""

    hand_over: StoredHandOver
    remaining: int


async def begin(connection: Connection, command: BeginHandOver, caller: Caller, clock: Clock) -> HandOverBegun:
    """Begins a hand-over, or counts what it would transfer. May be repeated: returns the one that is under way.

    Raises a 409 while another hand-over of this owner is under way, a 422 for a hand-over to the same owner or of a
    unit outside the caller's own.
    """
    owner, unit = command.owner, command.unit or caller.unit or ""
    if command.to == owner:
        raise _refused("/to", "oneself", "It is the same person.")
    if not lies_in(unit, caller.unit):
        raise _refused("/unit", "unknown_unit", "The unit does not exist, or the caller does not belong to it.")
    remaining = await store.count_owned(connection, owner, unit)
    running = await store.running_hand_over(connection, owner)
    if running is not None:
        if (running.to_owner, running.unit) != (command.to, unit):
            raise Problem(CONFLICT, "The customers of this owner are being handed over to somebody else already.")
        return HandOverBegun(running, remaining)
    now = clock()
    begun = StoredHandOver(
        new_id(now), owner, command.to, unit, command.reason, caller.principal, 0, now, now if command.dry_run else None
    )
    if not command.dry_run:
        await store.begin_hand_over(connection, begun)
    return HandOverBegun(begun, remaining)


async def hand_over_batch(connection: Connection, clock: Clock) -> bool:
    """Transfers the next batch. Returns whether a hand-over was under way. Only the leader of the role calls this."""
    running = await store.next_hand_over(connection)
    if running is None:
        return False
    owned = await store.owned_profiles(connection, running.owner, running.unit, AT_ONCE)
    handed = 0
    for profile_id in owned:
        handed += bool(await give(connection, [profile_id], await _told(connection, running, profile_id), clock))
    ended_at = None if owned else clock()
    await store.save_hand_over(connection, replace(running, handed=running.handed + handed, ended_at=ended_at))
    return True


async def _told(connection: Connection, running: StoredHandOver, profile_id: UUID) -> HandOver:
    customer_id = (await store.memberships(connection, [profile_id]))[profile_id].customer_id
    return HandOver(
        hand_over_id=running.hand_over_id,
        former_owner=running.owner,
        owner=running.to_owner,
        handed_over=True,
        customer_id=customer_id,
        profiles=tuple(member.profile_id for member in await store.members(connection, customer_id)),
        reason=running.reason,
        decided_by=running.decided_by,
    )


def _refused(pointer: str, code: str, message: str) -> Problem:
    return Problem(VALIDATION, "The hand-over is not possible.", errors=[FieldProblem(pointer, code, message)])
