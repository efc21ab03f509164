"""Merges by hand: what they would do, doing it, and undoing it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.joins import cross_franchises, join, undo
from rapport_customer.domain.joins import MAX_PROFILES, Membership
from rapport_customer.domain.preview import preview
from rapport_customer.schemas.merges import MergeRequest
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import CustomerMerged
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.messaging import outbox
from rapport_shared.web.commands import Answer


async def merge(connection: Connection, request: MergeRequest, caller: Caller, clock: Clock) -> Answer:
    """Joins each customer of `from` into the profile `into`, or says what that would do.

    Raises a 404 for ids that are not known, a 422 for a merge of a customer into itself, a 409 for one that is part
    of another customer already or for too many profiles; nothing is changed then.
    """
    await store.lock_joins(connection)
    into = await _check(connection, request)
    parties = await store.records_of_customers(connection, [into.customer_id, *request.from_])
    body = {"into": _named(into), "dry_run": request.dry_run, **preview(parties)}
    if request.dry_run:
        return Answer(200, body)
    events = [
        await join(connection, customer, request.into, "manual", clock, decided_by=caller.principal)
        for customer in request.from_
    ]
    await outbox.append(connection, events)
    return Answer(201, body | {"merges": [_merge_line(event) for event in events]}, _ids(events))


async def undo_merge(connection: Connection, merge_id: UUID, caller: Caller, clock: Clock) -> Answer:
    """Undoes a merge: both customers are as if it had never been, each with what came to its own profiles since.

    Raises a 404 for an unknown merge, a 409 for one that was undone.
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
    body = {
        "merge_id": str(merge_id),
        "event_id": str(event.envelope.id),
        "from": str(known.from_customer),
        "into": _named(into),
        "undone": True,
    }
    return Answer(200, body, _ids([event]))


async def _check(connection: Connection, request: MergeRequest) -> Membership:
    known = await store.known_profiles(connection, [request.into, *request.from_])
    for pointer, profile_id in (("/into", request.into), *_placed(request.from_)):
        if profile_id not in known:
            place = FieldProblem(pointer, "unknown", "There is no such customer.")
            raise Problem(not_found("customer").problem_type, "There is no such customer.", errors=[place])
    memberships = await store.memberships(connection, [request.into, *request.from_])
    into = memberships[request.into]
    for pointer, customer_id in _placed(request.from_):
        _check_root(pointer, memberships[customer_id], into)
    if await cross_franchises(connection, [into.customer_id, *request.from_]):
        raise Problem(CONFLICT, "Customers of an isolated unit are merged with no others.")
    sizes = [await store.count_members(connection, customer) for customer in (into.customer_id, *request.from_)]
    if sum(sizes) > MAX_PROFILES:
        raise Problem(CONFLICT, f"The customer would have more than {MAX_PROFILES} profiles.")
    return into


def _check_root(pointer: str, member: Membership, into: Membership) -> None:
    if member.customer_id == into.customer_id:
        if member.profile_id in (into.profile_id, into.customer_id):
            raise _refused(pointer, "same_customer", "A customer cannot be merged into itself.")
        raise Problem(CONFLICT, "Both are one customer already.", customer_id=str(into.customer_id))
    if member.customer_id != member.profile_id:
        detail = "It is a profile of another customer: merge that one."
        raise Problem(CONFLICT, detail, customer_id=str(member.customer_id))


def _placed(ids: Sequence[UUID]) -> list[tuple[str, UUID]]:
    return [(f"/from/{position}", profile_id) for position, profile_id in enumerate(ids)]


def _refused(pointer: str, code: str, message: str) -> Problem:
    return Problem(VALIDATION, "The merge is not possible.", errors=[FieldProblem(pointer, code, message)])


def _named(member: Membership) -> dict[str, str]:
    return {"customer_id": str(member.customer_id), "profile_id": str(member.profile_id)}


def _merge_line(event: Event[Contract]) -> dict[str, Any]:
    assert isinstance(event.data, CustomerMerged)
    merged = event.data
    profiles = [str(move.profile_id) for move in merged.moves]
    return {
        "merge_id": str(merged.merge_id),
        "event_id": str(event.envelope.id),
        "from": str(merged.from_customer),
        "profiles": profiles,
    }


def _ids(events: Sequence[Event[Contract]]) -> tuple[UUID, ...]:
    return tuple(event.envelope.id for event in events)
