"""What is done to tickets: each command locks one, decides, saves, and appends one event."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from rapport_shared.callers import Caller
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import (
    TICKET_COMMENTED,
    TICKET_RESOLVED,
    TICKET_TRANSITIONED,
    TICKET_UPDATED,
)
from rapport_shared.contracts.customer import HandOver
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.ticket import TicketComment, TicketState
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, NOT_FOUND, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.normalisation import phone_region
from rapport_shared.own_fields import refuse
from rapport_shared.policy_registers import own_rules
from rapport_shared.units import lies_in
from rapport_shared.web.commands import Answer, revision_etag
from rapport_ticket.domain import tickets
from rapport_ticket.domain.addressing import Address, Unreadable, address, addressee
from rapport_ticket.domain.processes import RESOLVED, TransitionRefused
from rapport_ticket.domain.tickets import TicketFull, Visibility, with_stated
from rapport_ticket.queries import as_id, shown
from rapport_ticket.recording import record_change, record_opened
from rapport_ticket.schemas import NewComment, NewTicket, Resolution, TicketEdit, Transition
from rapport_ticket.store import registers
from rapport_ticket.store import tickets as store
from rapport_ticket.store.tickets import StoredTicket

T = TypeVar("T")

WRONG_FIELDS: Final = "The deployment's own fields are not as they are declared."
AHEAD = timedelta(minutes=5)
"""How far a caller's clock may run ahead."""

Precondition = Callable[[str], None]
"""Raises a 412 unless the caller saw the ticket of this ETag."""


@dataclass(frozen=True, slots=True)
class Tickets:
    """Commands on tickets, with what they all need."""

    secret: bytes
    clock: Clock
    default_region: str | None = None

    async def open(self, connection: Connection, request: NewTicket, caller: Caller) -> Answer:
        """Opens a ticket at the profile that the customer's id names, or that identifiers are routed to.

        Under an id that is known, the same request is answered again and another one is a 409. Raises a 404 for a
        customer that is not known: report a touchpoint first.
        """
        digest = _digest(request)
        known = await store.lock_ticket(connection, request.id) if request.id else None
        if known is not None:
            return _opened_already(known, digest)
        unit = request.unit or caller.unit or None
        profile_id = await self._profile(connection, request, await self._region(connection, request.unit, caller))
        own = (await own_rules(connection)).tickets(request.kind)
        refuse(own.faults(request.attributes, request.kind), WRONG_FIELDS)
        now = self.clock()
        opened_at = _opened_at(request.occurred_at, now)
        fields = request.model_dump(include={"kind", "subject", "description", "priority", "owner"})
        fields |= {"unit": unit, "profile_id": profile_id, "attributes": with_stated({}, request.attributes)}
        running = await store.next_number(connection)
        ticket = tickets.first_state(request.id or new_id(now), running, fields, opened_at, now)
        customer_id = await registers.customer_of(connection, profile_id)
        stored = await record_opened(connection, ticket, customer_id, now, digest)
        if stored is None:
            return _opened_already(await self._found(connection, ticket.ticket_id), digest)
        return _answer(stored, 201, {"Location": f"/v1/tickets/{ticket.ticket_id}"})

    async def edit(
        self, connection: Connection, name: str, request: TicketEdit, caller: Caller, seen: Precondition
    ) -> Answer:
        """Changes fields. Raises a 404, a 412, a 422."""
        stored = await self._locked(connection, name, seen)
        if request.unit is not None:
            await self._region(connection, request.unit, caller)
        now, fields = self._now(stored), request.model_dump(exclude_unset=True)
        if "attributes" in fields:
            fields["attributes"] = await self._attributes(connection, stored.ticket, request.attributes)
        change = _decided(lambda: tickets.edited(stored.ticket, fields, now))
        if change is None:
            return _answer(stored)
        return _answer(await record_change(connection, stored, TICKET_UPDATED, change, now))

    async def comment(
        self, connection: Connection, name: str, request: NewComment, caller: Caller, seen: Precondition
    ) -> Answer:
        """Adds a remark. Raises a 404, a 412."""
        stored = await self._locked(connection, name, seen)
        now = self._now(stored)
        remark = _remark(request.text, request.visibility, caller, now)
        change = _decided(lambda: tickets.commented(stored.ticket, remark))
        return _answer(await record_change(connection, stored, TICKET_COMMENTED, change, now), 201)

    async def transition(
        self, connection: Connection, name: str, request: Transition, caller: Caller, seen: Precondition
    ) -> Answer:
        """Moves a ticket in its process. Raises a 404, a 412, a 409 that lists where it can go."""
        stored = await self._locked(connection, name, seen)
        now = self._now(stored)
        note = _remark(request.note, "internal", caller, now) if request.note else None
        change = _decided(lambda: tickets.transitioned(stored.ticket, request.to, note, now))
        return _answer(await record_change(connection, stored, TICKET_TRANSITIONED, change, now))

    async def resolve(self, connection: Connection, name: str, request: Resolution, seen: Precondition) -> Answer:
        """Resolves a ticket. Raises a 404, a 412, a 409 that lists where it can go."""
        stored = await self._locked(connection, name, seen)
        now = self._now(stored)
        change = _decided(lambda: tickets.resolved(stored.ticket, request.resolution, now))
        return _answer(await record_change(connection, stored, TICKET_RESOLVED, change, now))

    async def hand_over(self, connection: Connection, told: HandOver, event_id: UUID) -> int:
        """Assigns the open tickets of a customer's former owner to the new owner. Returns how many.

        `event_id` is the event of the changed owner. A repeat of the event changes nothing.
        """
        if told.former_owner is None or not await store.note_hand_over(connection, event_id):
            return 0
        left = await store.lock_open_tickets(connection, told.profiles, told.former_owner)
        for stored in left:
            now = self._now(stored)
            change = tickets.edited(stored.ticket, {"owner": told.owner}, now)
            if change is not None:
                await record_change(connection, stored, TICKET_UPDATED, change, now, event_id)
        return len(left)

    async def _attributes(
        self, connection: Connection, ticket: TicketState, stated: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The ticket's own fields after an edit, which leaves none missing; what was recorded before may stay."""
        before = ticket.attributes if isinstance(ticket.attributes, dict) else {}
        own, after = (await own_rules(connection)).tickets(ticket.kind), with_stated(before, stated)
        refuse([*own.value_faults(stated), *own.missing(after, ticket.kind)], WRONG_FIELDS)
        return after

    def _now(self, stored: StoredTicket) -> datetime:
        return next_recorded(self.clock(), stored.last_recorded_at)

    async def _found(self, connection: Connection, ticket_id: UUID | None) -> StoredTicket:
        stored = await store.lock_ticket(connection, ticket_id) if ticket_id else None
        if stored is None:
            raise not_found("ticket")
        return stored

    async def _locked(self, connection: Connection, name: str, seen: Precondition) -> StoredTicket:
        stored = await self._found(connection, as_id(name) or await store.ticket_id_of(connection, name.upper()))
        seen(revision_etag(stored.sequence))
        return stored

    async def _profile(self, connection: Connection, request: NewTicket, region: str | None) -> UUID:
        if request.customer.id is not None:
            profile_id: UUID | None = request.customer.id
            known = await registers.known_profiles(connection, [request.customer.id])
            return _known(profile_id if profile_id in known else None)
        addresses = [self._address(request, position, region) for position in range(len(request.customer.identifiers))]
        routes = await registers.routes(connection, [one.key for one in addresses])
        sources = {one.source_profile for one in addresses if one.source_profile}
        return _known(addressee(addresses, routes, await registers.known_profiles(connection, sources)))

    def _address(self, request: NewTicket, position: int, region: str | None) -> Address:
        named = request.customer.identifiers[position]
        try:
            read_by = phone_region(named.region, region, self.default_region)
            return address(self.secret, named.type, named.value, read_by, named.system)
        except Unreadable:
            pointer = f"/customer/identifiers/{position}/value"
            place = FieldProblem(pointer, "unreadable", "must be a readable identifier of its type")
            raise Problem(VALIDATION, "An identifier is not valid.", errors=[place]) from None

    async def _region(self, connection: Connection, path: str | None, caller: Caller) -> str | None:
        if path is None:
            return await registers.unit_region(connection, caller.unit)
        region = await registers.unit_region(connection, path)
        if region is None or not lies_in(path, caller.unit):
            place = FieldProblem("/unit", "unknown_unit", "The unit does not exist, or lies outside the caller's unit.")
            raise Problem(VALIDATION, "The unit is not known.", errors=[place])
        return region


def _digest(request: NewTicket) -> str:
    """What two requests under one id must have alike."""
    left_out = {"id"} if request.attributes else {"id", "attributes"}
    return hashlib.sha256(request.model_dump_json(exclude=left_out).encode()).hexdigest()


def _known(profile_id: UUID | None) -> UUID:
    if profile_id is None:
        raise Problem(NOT_FOUND, "No customer is known by this id or these identifiers. Report a touchpoint first.")
    return profile_id


def _opened_at(occurred_at: datetime | None, now: datetime) -> datetime:
    if occurred_at is not None and occurred_at > now + AHEAD:
        place = FieldProblem("/occurred_at", "time_ahead", "It is more than five minutes ahead.")
        raise Problem(VALIDATION, "A case cannot have arisen in the future.", errors=[place])
    return min(occurred_at or now, now).astimezone(UTC)


def _opened_already(known: StoredTicket, digest: str) -> Answer:
    if known.digest != digest:
        raise Problem(CONFLICT, "There is another ticket with this id.")
    return replace(_answer(known), events=(known.opened_event_id,))


def _answer(stored: StoredTicket, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    body = shown(stored).model_dump(mode="json")
    return Answer(status, body, (stored.last_event_id,), revision_etag(stored.sequence), headers or {})


def _remark(text: str, visibility: Visibility, caller: Caller, now: datetime) -> TicketComment:
    return TicketComment(id=new_id(now), visibility=visibility, text=text, author=caller.principal, at=now)


def _decided(rule: Callable[[], T]) -> T:
    try:
        return rule()
    except TransitionRefused as refused:
        possible = ", ".join(refused.possible)
        detail = f"The ticket is in state {refused.state}. It can go to: {possible}."
        if RESOLVED in refused.possible:
            detail += " To resolve the ticket, post a resolution to its path `/resolve`."
        raise Problem(CONFLICT, detail, state=refused.state, possible=list(refused.possible)) from None
    except TicketFull:
        raise Problem(CONFLICT, "A ticket holds at most 1,000 comments and 480 KiB. Open another one.") from None
