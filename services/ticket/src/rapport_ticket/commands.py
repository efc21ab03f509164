"""What is done to tickets: each command locks one, decides, saves, and appends one event."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar
from uuid import UUID

from rapport_shared.callers import Caller
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import (
    TICKET_COMMENTED,
    TICKET_OPENED,
    TICKET_RESOLVED,
    TICKET_TRANSITIONED,
    TICKET_UPDATED,
    EventType,
)
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.ticket import TicketComment, TicketState
from rapport_shared.database import Connection
from rapport_shared.errors import CONFLICT, NOT_FOUND, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.messaging import outbox
from rapport_shared.web.commands import Answer, revision_etag
from rapport_ticket import store
from rapport_ticket.domain import tickets
from rapport_ticket.domain.addressing import Address, Unreadable, address, addressee
from rapport_ticket.domain.processes import TransitionRefused
from rapport_ticket.domain.tickets import Change, TicketFull
from rapport_ticket.queries import shown
from rapport_ticket.schemas import NewComment, NewTicket, Resolution, TicketEdit, Transition
from rapport_ticket.store import StoredTicket

T = TypeVar("T")

Precondition = Callable[[str], None]
"""Raises a 412 unless the caller saw the ticket of this ETag."""


@dataclass(frozen=True, slots=True)
class Tickets:
    """Commands on tickets, with what they all need."""

    secret: bytes
    clock: Clock

    async def open(self, connection: Connection, request: NewTicket) -> Answer:
        """Opens a ticket at the profile that the customer's id names, or that identifiers are routed to.

        Under an id that is known, the same request is answered again and another one is a 409. Raises a 404 for a
        customer that is not known: report a touchpoint first.
        """
        digest = hashlib.sha256(request.model_dump_json(exclude={"id"}).encode()).hexdigest()
        if request.id is not None:
            known = await store.lock_ticket(connection, request.id)
            if known is not None:
                return _opened_already(known, digest)
        region = await self._region(connection, request.unit)
        profile_id = await self._profile(connection, request, region)
        now = self.clock()
        fields = request.model_dump(include={"kind", "subject", "description", "priority", "unit", "owner"})
        running = await store.next_number(connection)
        ticket = tickets.first_state(request.id or new_id(now), running, {**fields, "profile_id": profile_id}, now)
        event = await self._event(connection, TICKET_OPENED, ticket, ("created",), 1, None)
        await store.insert_ticket(connection, ticket, event.envelope.id, event.envelope.recorded_at, digest)
        await outbox.append(connection, [event])
        answer = Answer(201, shown(ticket), (event.envelope.id,), revision_etag(1))
        answer.headers["Location"] = f"/v1/tickets/{ticket.ticket_id}"
        return answer

    async def edit(self, connection: Connection, name: str, request: TicketEdit, seen: Precondition) -> Answer:
        """Changes fields. Raises a 404, a 412."""
        stored = await self._locked(connection, name, seen)
        fields = request.model_dump(exclude_unset=True)
        if fields.get("subject", "") is None:
            del fields["subject"]
        if "unit" in fields:
            await self._region(connection, request.unit)
        change = _decided(lambda: tickets.edited(stored.ticket, fields, self.clock()))
        if change is None:
            return Answer(200, shown(stored.ticket), (), revision_etag(stored.sequence))
        return await self._save(connection, stored, TICKET_UPDATED, change)

    async def comment(self, connection: Connection, name: str, request: NewComment, caller: Caller) -> Answer:
        """Adds a remark. Raises a 404."""
        stored = await self._locked(connection, name, _any)
        remark = self._remark(request.text, request.visibility, caller)
        change = _decided(lambda: tickets.commented(stored.ticket, remark))
        return await self._save(connection, stored, TICKET_COMMENTED, change, 201)

    async def transition(
        self, connection: Connection, name: str, request: Transition, caller: Caller, seen: Precondition
    ) -> Answer:
        """Moves a ticket in its process. Raises a 404, a 412, a 409 that lists where it can go."""
        stored = await self._locked(connection, name, seen)
        note = self._remark(request.note, "internal", caller) if request.note else None
        change = _decided(lambda: tickets.transitioned(stored.ticket, request.to, note, self.clock()))
        return await self._save(connection, stored, TICKET_TRANSITIONED, change)

    async def resolve(self, connection: Connection, name: str, request: Resolution, seen: Precondition) -> Answer:
        """Resolves a ticket. Raises a 404, a 412, a 409 that lists where it can go."""
        stored = await self._locked(connection, name, seen)
        change = _decided(lambda: tickets.resolved(stored.ticket, request.resolution, self.clock()))
        return await self._save(connection, stored, TICKET_RESOLVED, change)

    async def _save(
        self, connection: Connection, stored: StoredTicket, event_type: EventType, change: Change, status: int = 200
    ) -> Answer:
        sequence = stored.sequence + 1
        event = await self._event(connection, event_type, change.ticket, change.changed, sequence, stored)
        await store.save_ticket(connection, change.ticket, event.envelope.id, sequence, event.envelope.recorded_at)
        await outbox.append(connection, [event])
        return Answer(status, shown(change.ticket), (event.envelope.id,), revision_etag(sequence))

    async def _event(
        self,
        connection: Connection,
        event_type: EventType,
        ticket: TicketState,
        changed: tuple[str, ...],
        sequence: int,
        before: StoredTicket | None,
    ) -> Event[Contract]:
        recorded_at = next_recorded(self.clock(), before.last_recorded_at if before else None)
        envelope = Envelope(
            id=new_id(recorded_at),
            source=event_type.source,
            type=event_type.wire,
            subject=str(ticket.ticket_id),
            occurred_at=recorded_at,
            recorded_at=recorded_at,
            sequence=sequence,
            profile_id=ticket.profile_id,
            customer_id=await store.customer_of(connection, ticket.profile_id),
        )
        return Event(envelope, event_type, event_type.model(ticket=ticket, changed=changed))

    async def _locked(self, connection: Connection, name: str, seen: Precondition) -> StoredTicket:
        ticket_id = _uuid(name) or await store.ticket_id_of(connection, name.upper())
        stored = await store.lock_ticket(connection, ticket_id) if ticket_id else None
        if stored is None:
            raise not_found("ticket")
        seen(revision_etag(stored.sequence))
        return stored

    async def _profile(self, connection: Connection, request: NewTicket, region: str | None) -> UUID:
        if request.customer.id is not None:
            profile_id: UUID | None = request.customer.id
            known = await store.known_profiles(connection, [request.customer.id])
            return _found(profile_id if profile_id in known else None)
        addresses = [self._address(request, position, region) for position in range(len(request.customer.identifiers))]
        routes = await store.routes(connection, [one.key for one in addresses])
        sources = {one.source_profile for one in addresses if one.source_profile}
        return _found(addressee(addresses, routes, await store.known_profiles(connection, sources)))

    def _address(self, request: NewTicket, position: int, region: str | None) -> Address:
        named = request.customer.identifiers[position]
        try:
            return address(self.secret, named.type, named.value, named.region or region, named.system)
        except Unreadable:
            pointer = f"/customer/identifiers/{position}/value"
            place = FieldProblem(pointer, "unreadable", "Nobody can be found by this value.")
            raise Problem(VALIDATION, "An identifier is not valid.", errors=[place]) from None

    async def _region(self, connection: Connection, path: str | None) -> str | None:
        if path is None:
            return None
        region = await store.unit_region(connection, path)
        if region is None:
            place = FieldProblem("/unit", "unknown_unit", "It is not a unit of this firm.")
            raise Problem(VALIDATION, "The unit is not known.", errors=[place])
        return region

    def _remark(self, text: str, visibility: Literal["internal", "public"], caller: Caller) -> TicketComment:
        now = self.clock()
        return TicketComment(id=new_id(now), visibility=visibility, text=text, author=caller.principal, at=now)


def _found(profile_id: UUID | None) -> UUID:
    if profile_id is None:
        raise Problem(NOT_FOUND, "There is no such customer here. Report a touchpoint first.")
    return profile_id


def _opened_already(known: StoredTicket, digest: str) -> Answer:
    if known.digest != digest:
        raise Problem(CONFLICT, "There is another ticket with this id.")
    return Answer(200, shown(known.ticket), (known.opened_event_id,), revision_etag(known.sequence))


def _decided(rule: Callable[[], T]) -> T:
    try:
        return rule()
    except TransitionRefused as refused:
        detail = f"A ticket in state {refused.state} cannot go there."
        raise Problem(CONFLICT, detail, state=refused.state, possible=list(refused.possible)) from None
    except TicketFull:
        raise Problem(CONFLICT, "The ticket holds as much text as one can.") from None


def _any(etag: str) -> None:
    return


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
