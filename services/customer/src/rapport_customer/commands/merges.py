"""Merges by hand: what they would do, doing it, and undoing it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.joins import cross_franchises, join, undo
from rapport_customer.domain.joins import MAX_PROFILES, Membership
from rapport_customer.domain.preview import preview
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import CustomerMerged
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.messaging import outbox


@dataclass(frozen=True, slots=True)
class MergeCustomers:
    """Customers to join into a profile of another one. With `dry_run`, nothing is joined."""

    into: UUID
    customers: tuple[UUID, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class MergeMade:
    """One join of a merge, and its event."""

    merge: CustomerMerged
    event_id: UUID


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The effect of a merge on the record of the profile `into`, and the joins made; none in a dry run."""

    into: Membership
    preview: Mapping[str, Any]
    made: tuple[MergeMade, ...] = ()


@dataclass(frozen=True, slots=True)
class MergeUndone:
    """A merge that was undone: `from_customer` is a customer of its own again."""

    merge_id: UUID
    event_id: UUID
    from_customer: UUID
    into: Membership


async def merge(connection: Connection, command: MergeCustomers, caller: Caller, clock: Clock) -> MergeResult:
    """Joins each of the customers into the profile `into`, or previews the effect.

    Raises a 404 for unknown ids, a 422 for a merge of a customer into itself, a 409 for an id that is part of
    another customer already or for too many profiles. Then nothing is changed.
    """
    await store.lock_joins(connection)
    into = await _check(connection, command)
    parties = await store.records_of_customers(connection, [into.customer_id, *command.customers])
    found = preview(parties)
    if command.dry_run:
        return MergeResult(into, found)
    events = [
        await join(connection, customer, command.into, "manual", clock, decided_by=caller.principal)
        for customer in command.customers
    ]
    await outbox.append(connection, events)
    return MergeResult(into, found, tuple(_made(event) for event in events))


async def undo_merge(connection: Connection, merge_id: UUID, caller: Caller, clock: Clock) -> MergeUndone:
    """Undoes a merge. Each customer keeps what its own profiles received since.

    Raises a 404 for an unknown merge, a 409 for a merge that was undone already.
    """
    await store.lock_joins(connection)
    known = await store.read_join(connection, merge_id)
    if known is None:
        raise not_found("merge")
    if known.undone:
        raise Problem(CONFLICT, "The merge has been undone already.")
    event = await undo(connection, known, clock, decided_by=caller.principal)
    await outbox.append(connection, [event])
    into = (await store.memberships(connection, [known.into_profile]))[known.into_profile]
    return MergeUndone(merge_id, event.envelope.id, known.from_customer, into)


async def _check(connection: Connection, command: MergeCustomers) -> Membership:
    known = await store.known_profiles(connection, [command.into, *command.customers])
    for pointer, profile_id in (("/into", command.into), *_placed(command.customers)):
        if profile_id not in known:
            place = FieldProblem(pointer, "unknown", "There is no such customer.")
            raise Problem(not_found("customer").problem_type, "There is no such customer.", errors=[place])
    memberships = await store.memberships(connection, [command.into, *command.customers])
    into = memberships[command.into]
    for pointer, customer_id in _placed(command.customers):
        _check_root(pointer, memberships[customer_id], into)
    if await cross_franchises(connection, [into.customer_id, *command.customers]):
        raise Problem(CONFLICT, "Customers of an isolated unit cannot be merged with customers of other units.")
    sizes = [await store.count_members(connection, customer) for customer in (into.customer_id, *command.customers)]
    if sum(sizes) > MAX_PROFILES:
        raise Problem(CONFLICT, f"The customer would have more than {MAX_PROFILES} profiles.")
    return into


def _check_root(pointer: str, member: Membership, into: Membership) -> None:
    if member.customer_id == into.customer_id:
        if member.profile_id in (into.profile_id, into.customer_id):
            raise _refused(pointer, "same_customer", "A customer cannot be merged into itself.")
        raise Problem(CONFLICT, "Both are one customer already.", customer_id=str(into.customer_id))
    if member.customer_id != member.profile_id:
        detail = "The id belongs to a profile of another customer. Merge that customer instead."
        raise Problem(CONFLICT, detail, customer_id=str(member.customer_id))


def _placed(ids: Sequence[UUID]) -> list[tuple[str, UUID]]:
    return [(f"/from/{position}", profile_id) for position, profile_id in enumerate(ids)]


def _refused(pointer: str, code: str, message: str) -> Problem:
    return Problem(VALIDATION, "The merge is not possible.", errors=[FieldProblem(pointer, code, message)])


def _made(event: Event[Contract]) -> MergeMade:
    assert isinstance(event.data, CustomerMerged)
    return MergeMade(event.data, event.envelope.id)
