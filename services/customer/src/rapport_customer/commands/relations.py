"""Relations by hand: stating one, ending one, and refusing those that cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE
from rapport_customer.commands.profiles import Change, register
from rapport_customer.commands.results import ProfileWritten, profile_written
from rapport_customer.domain.profiles import MANUAL
from rapport_customer.domain.relations import target, with_relation, without_relation
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import ACYCLIC_RELATIONS, EndedRelation, ProfileState, RelationState
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Connection
from rapport_shared.errors import VALIDATION, FieldProblem, Precondition, Problem, not_found
from rapport_shared.policies import active_document


@dataclass(frozen=True, slots=True)
class Relate:
    """A relation of a profile to another. Both are named by id, so that no URL contains personal data."""

    profile_id: UUID
    type: str
    to: UUID
    clock: Clock
    seen: Precondition

    async def state(self, connection: Connection) -> ProfileWritten:
        """States the relation by hand. Raises a 404 for an unknown profile, a 412, a 422 for an impossible relation.

        May be repeated.
        """
        before = await self._locked(connection)
        target_state = (await store.lock_profiles(connection, {self.profile_id, self.to}))[self.to].state
        if target_state is None:
            raise not_found("customer that the relation leads to")
        now = self.clock()
        relation = RelationState(
            type=self.type,
            to=_record_of(target_state),
            profile_id=self.to,
            source=MANUAL,
            manual=True,
            occurred_at=now,
            event_id=new_id(now),
        )
        await check_relations(connection, self.profile_id, [relation], "/path/to")
        if any(one.manual and target(one) == (self.type, self.to) for one in before.relations):
            return await self._changed(connection, lambda state: state)
        return await self._changed(connection, lambda state: with_relation(state, relation))

    async def end(self, connection: Connection) -> ProfileWritten:
        """Ends the relation by hand, whichever source states it. Raises a 404, a 412."""
        before, now = await self._locked(connection), self.clock()
        ended = without_relation(
            before, EndedRelation(type=self.type, profile_id=self.to, occurred_at=now, event_id=new_id(now))
        )
        if ended is None:
            raise not_found("relation")
        return await self._changed(connection, lambda _: ended)

    async def _locked(self, connection: Connection) -> ProfileState:
        if not await store.known_profiles(connection, [self.profile_id]):
            raise not_found("customer")
        # locks both profiles in order: two concurrent relations between the same profiles would deadlock otherwise
        locked = (await store.lock_profiles(connection, {self.profile_id, self.to}))[self.profile_id]
        self.seen(locked.sequence)
        assert locked.state is not None
        return locked.state

    async def _changed(self, connection: Connection, change: Change) -> ProfileWritten:
        policy = await active_document(connection, MATCHING, MATCHING_PLACE)
        events = await register(connection, self.profile_id, "command", (), change, policy, self.clock)
        return await profile_written(connection, self.profile_id, events)


async def check_relations(
    connection: Connection, profile_id: UUID, relations: Sequence[RelationState], pointer: str
) -> None:
    """Raises a 422 for a relation to oneself, or for one that closes a chain of its type.

    `pointer` is a JSON Pointer with a placeholder for the index of a relation. Locks joins until the transaction ends.
    """
    if not relations:
        return
    await store.lock_joins(connection)
    customers = await store.memberships(connection, [profile_id, *(target(one)[1] for one in relations)])
    own = customers[profile_id].customer_id
    for position, relation in enumerate(relations):
        theirs = customers[target(relation)[1]].customer_id
        place = pointer.format(position)
        if theirs == own:
            raise _refused(place, "oneself", "A customer cannot be related to itself.")
        if relation.type in ACYCLIC_RELATIONS and await store.leads_to(connection, relation.type, theirs, own):
            raise _refused(place, "cyclic", "The relation would close a circle of relations of this type.")


def _record_of(state: ProfileState) -> dict[str, str]:
    named = next((source for source in state.sources if source.record), None)
    return {"system": named.system, "record": str(named.record)} if named else {}


def _refused(pointer: str, code: str, message: str) -> Problem:
    return Problem(VALIDATION, "The relation is not possible.", errors=[FieldProblem(pointer, code, message)])
