"""Changes of customer records by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.owners import GiveCustomer, give_customer
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE, own_rules
from rapport_customer.commands.profiles import Change, Unclaimable, register, release
from rapport_customer.commands.relations import check_relations
from rapport_customer.commands.results import ProfileWritten, profile_written
from rapport_customer.domain.own_fields import as_fields, standing, standing_attributes
from rapport_customer.domain.profiles import FIELDS, Statement, with_consent, with_edit, with_stated_relations
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import ConsentState, ProfileState
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.interaction import IdentifierType, RecordedIdentifier
from rapport_shared.contracts.touchpoints.envelope import Identifier
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, VALIDATION, FieldProblem, Precondition, Problem, not_found
from rapport_shared.normalisation import identifier_key, normalise_identifier, phone_region
from rapport_shared.own_fields import refuse
from rapport_shared.policies import active_document


@dataclass(frozen=True, slots=True)
class StatedFields:
    """The stated fields of a profile as JSON values, by name. Null withdraws a statement by hand."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The deployment's own fields that are stated."""
        return self.fields.get("attributes") or {}


@dataclass(frozen=True, slots=True)
class CreateCustomer:
    """A customer to register by hand; `profile_id` is the caller's own id, if any."""

    stated: StatedFields
    profile_id: UUID | None = None
    identifiers: Sequence[Identifier] = ()
    unit: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class PutConsent:
    """A consent given or withdrawn for a purpose, on one channel or on all."""

    purpose: str
    given: bool
    channel: str | None = None
    wording: str | None = None


@dataclass(frozen=True, slots=True)
class Records:
    """Commands on records, with their common dependencies."""

    secret: bytes
    clock: Clock
    default_region: str | None = None

    async def create(self, connection: Connection, command: CreateCustomer, caller: Caller) -> ProfileWritten:
        """Registers a customer by hand. Raises a 409 for an id that is taken, or an identifier of another customer."""
        profile_id = command.profile_id or new_id(self.clock())
        stated = command.stated
        await self._check_unit(connection, command.unit)
        own = (await own_rules(connection)).profiles
        refuse(own.faults(stated.attributes, stated.fields.get("kind")))
        if await store.known_profiles(connection, [profile_id]):
            raise Problem(CONFLICT, "A customer with this id exists already.")
        statement = self._statement(stated)
        await check_relations(connection, profile_id, statement.relations or (), "/relations/{}/to")

        def change(state: ProfileState) -> ProfileState:
            update = {"registered": True, "unit": command.unit, "owner": command.owner}
            return with_edit(state, statement).model_copy(update=update)

        return await self._register(connection, profile_id, command.identifiers, change, caller)

    async def edit(
        self, connection: Connection, profile_id: UUID, stated: StatedFields, seen: Precondition
    ) -> ProfileWritten:
        """States fields by hand; null withdraws a statement by hand. Raises a 404, a 412, or a 422."""
        await self._seen(connection, profile_id, seen)
        await self._check_own(connection, profile_id, stated)
        statement = self._statement(stated)
        await check_relations(connection, profile_id, statement.relations or (), "/relations/{}/to")
        return await self._change(connection, profile_id, lambda state: with_edit(state, statement))

    async def add_identifier(
        self, connection: Connection, profile_id: UUID, identifier: Identifier, caller: Caller, seen: Precondition
    ) -> ProfileWritten:
        """Adds an identifier and its route. Raises a 409 if the identifier belongs to another registered customer."""
        await self._seen(connection, profile_id, seen)
        register_it: Change = lambda state: state.model_copy(update={"registered": True})  # noqa: E731
        return await self._register(connection, profile_id, [identifier], register_it, caller)

    async def remove_identifier(
        self, connection: Connection, profile_id: UUID, key: str, seen: Precondition
    ) -> ProfileWritten:
        """Removes an identifier permanently: touchpoints do not add it again. Raises a 404."""
        await self._seen(connection, profile_id, seen)
        policy = await active_document(connection, MATCHING, MATCHING_PLACE)
        events = await release(connection, profile_id, key, policy, self.clock)
        if events is None:
            raise not_found("identifier at this customer")
        return await profile_written(connection, profile_id, events)

    async def put_consent(
        self, connection: Connection, profile_id: UUID, command: PutConsent, seen: Precondition
    ) -> ProfileWritten:
        """Records a consent. A withdrawal counts at every profile that the customer has now."""
        await self._seen(connection, profile_id, seen)
        now = self.clock()
        consent = ConsentState(
            purpose=command.purpose,
            given=command.given,
            channel=command.channel,
            wording=command.wording,
            occurred_at=now,
            event_id=new_id(now),
        )
        policy = await active_document(connection, MATCHING, MATCHING_PLACE)
        profile_ids = [profile_id] if command.given else await self._siblings(connection, profile_id)
        events: list[UUID] = []
        for sibling in profile_ids:
            events += await register(
                connection, sibling, "command", (), lambda state: with_consent(state, consent), policy, self.clock
            )
        return await profile_written(connection, profile_id, events)

    async def put_owner(
        self, connection: Connection, profile_id: UUID, command: GiveCustomer, caller: Caller, seen: Precondition
    ) -> ProfileWritten:
        """Sets the owner of the customer.

        With `hand_over`, all profiles of the customer that have the former owner get the new owner, and open work
        follows.
        """
        await self._seen(connection, profile_id, seen)
        events = await give_customer(connection, profile_id, command, caller, self.clock)
        return await profile_written(connection, profile_id, events)

    async def _change(self, connection: Connection, profile_id: UUID, change: Change) -> ProfileWritten:
        policy = await active_document(connection, MATCHING, MATCHING_PLACE)
        events = await register(connection, profile_id, "command", (), change, policy, self.clock)
        return await profile_written(connection, profile_id, events)

    async def _register(
        self,
        connection: Connection,
        profile_id: UUID,
        identifiers: Sequence[Identifier],
        change: Change,
        caller: Caller,
    ) -> ProfileWritten:
        recorded = [self._recorded(identifier, position, caller) for position, identifier in enumerate(identifiers)]
        try:
            policy = await active_document(connection, MATCHING, MATCHING_PLACE)
            events = await register(connection, profile_id, "command", recorded, change, policy, self.clock)
        except Unclaimable as error:
            raise error.problem(naming=caller.may("customers:read")) from error
        return await profile_written(connection, profile_id, events)

    def _recorded(self, identifier: Identifier, position: int, caller: Caller) -> RecordedIdentifier:
        if identifier.type in ("external", "social") and not identifier.system:
            raise _invalid(position, "system", "missing", "An external or social identifier needs this field.")
        region = phone_region(identifier.region, None, self.default_region)
        form = normalise_identifier(identifier.type, str(identifier.value), region, identifier.system)
        if not form.usable:
            raise _invalid(position, "value", "unreadable", "must be a readable identifier of its type")
        type_ = IdentifierType(identifier.type)
        return RecordedIdentifier(
            type=type_,
            key=identifier_key(self.secret, type_, form.normal),
            raw=form.raw,
            normal=form.normal,
            norm_version=form.norm_version,
            verified=identifier.verified and identifier.type in caller.may_verify,
            system=identifier.system,
            routable=type_.addressable,
        )

    def _statement(self, stated: StatedFields) -> Statement:
        now, data = self.clock(), stated.fields
        statement = Statement(
            system="manual",
            record=None,
            fields={name: data[name] for name in FIELDS if name in data} | as_fields(stated.attributes),
            relations=None,
            occurred_at=now,
            event_id=new_id(now),
            manual=True,
        )
        return with_stated_relations(statement, data["relations"]) if "relations" in data else statement

    async def _seen(self, connection: Connection, profile_id: UUID, seen: Precondition) -> None:
        if not await store.known_profiles(connection, [profile_id]):
            raise not_found("customer")
        locked = (await store.lock_profiles(connection, [profile_id]))[profile_id]
        seen(locked.sequence)

    async def _check_own(self, connection: Connection, profile_id: UUID, stated: StatedFields) -> None:
        """Checks that an edit leaves no required own field missing. Values of earlier declarations may stay."""
        state = (await store.lock_profiles(connection, [profile_id]))[profile_id].state
        if not stated.attributes or state is None:
            return
        own, after = (await own_rules(connection)).profiles, with_edit(state, self._statement(stated))
        missing = own.missing(standing_attributes(after), standing(after, "kind"))
        refuse([*own.value_faults(stated.attributes), *missing])

    async def _siblings(self, connection: Connection, profile_id: UUID) -> list[UUID]:
        await store.lock_joins(connection)
        membership = (await store.memberships(connection, [profile_id]))[profile_id]
        found = [member.profile_id for member in await store.members(connection, membership.customer_id)]
        return found or [profile_id]

    async def _check_unit(self, connection: Connection, path: str | None) -> None:
        if path is not None and not await store.unit_exists(connection, path):
            place = FieldProblem("/unit", "unknown_unit", "The unit does not exist.")
            raise Problem(VALIDATION, "The unit is not known.", errors=[place])


def _invalid(position: int, field: str, code: str, message: str) -> Problem:
    place = FieldProblem(f"/identifiers/{position}/{field}", code, message)
    return Problem(VALIDATION, "An identifier is not valid.", errors=[place])
