"""Commands on tickets: each command locks a ticket, decides, saves, and appends one event."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
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
from rapport_shared.errors import CONFLICT, NOT_FOUND, VALIDATION, FieldProblem, Precondition, Problem, not_found
from rapport_shared.normalisation import phone_region
from rapport_shared.own_fields import refuse
from rapport_shared.policy_registers import own_rules
from rapport_shared.units import lies_in
from rapport_ticket.commands.opening import Opening, open_ticket
from rapport_ticket.commands.recording import record_change
from rapport_ticket.commands.requests import OpenTicket, TypedIdentifier
from rapport_ticket.domain import tickets
from rapport_ticket.domain.addressing import Address, Unreadable, address, addressee
from rapport_ticket.domain.processes import RESOLVED, TransitionRefused
from rapport_ticket.domain.tickets import TicketFull, Visibility, ticket_id_of, with_stated
from rapport_ticket.store import registers
from rapport_ticket.store import tickets as store
from rapport_ticket.store.tickets import StoredTicket

T = TypeVar("T")

AHEAD = timedelta(minutes=5)
"""How far a caller's clock may run ahead."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open ticket; `repeated` when an earlier request with the same id and digest opened it."""

    stored: StoredTicket
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Tickets:
    """Commands on tickets, with their common dependencies."""

    secret: bytes
    clock: Clock
    default_region: str | None = None

    async def open(self, connection: Connection, command: OpenTicket, caller: Caller) -> Opened:
        """Opens a ticket at the profile that the customer's id names, or that identifiers are routed to.

        A repeat with a known id returns the same ticket; a different request with that id raises a 409. Raises a 404
        for an unknown customer: report a touchpoint first.
        """
        known = await store.lock_ticket(connection, command.ticket_id) if command.ticket_id else None
        if known is not None:
            return _opened_already(known, command.digest)
        opening = await self._opening(connection, command, caller)
        stored = await open_ticket(connection, opening, self.clock())
        if stored is None:
            return _opened_already(await self._found(connection, command.ticket_id), command.digest)
        return Opened(stored)

    async def edit(
        self, connection: Connection, name: str, fields: Mapping[str, Any], caller: Caller, seen: Precondition
    ) -> StoredTicket:
        """Changes fields; `attributes` among them changes the own fields that it names. Raises a 404, a 412, a 422."""
        stored = await self._locked(connection, name, seen)
        if fields.get("unit") is not None:
            await self._region(connection, fields["unit"], caller)
        now = self._now(stored)
        if "attributes" in fields:
            stated = await self._attributes(connection, stored.ticket, fields["attributes"])
            fields = {**fields, "attributes": stated}
        change = _decided(lambda: tickets.edited(stored.ticket, fields, now))
        if change is None:
            return stored
        return await record_change(connection, stored, TICKET_UPDATED, change, now)

    async def comment(
        self,
        connection: Connection,
        name: str,
        text: str,
        visibility: Visibility,
        caller: Caller,
        seen: Precondition,
    ) -> StoredTicket:
        """Adds a remark. Raises a 404, a 412."""
        stored = await self._locked(connection, name, seen)
        now = self._now(stored)
        remark = _remark(text, visibility, caller, now)
        change = _decided(lambda: tickets.commented(stored.ticket, remark))
        return await record_change(connection, stored, TICKET_COMMENTED, change, now)

    async def transition(
        self, connection: Connection, name: str, to: str, note: str | None, caller: Caller, seen: Precondition
    ) -> StoredTicket:
        """Moves a ticket in its process. Raises a 404, a 412, a 409 that lists where it can go."""
        stored = await self._locked(connection, name, seen)
        now = self._now(stored)
        remark = _remark(note, "internal", caller, now) if note else None
        change = _decided(lambda: tickets.transitioned(stored.ticket, to, remark, now))
        return await record_change(connection, stored, TICKET_TRANSITIONED, change, now)

    async def resolve(self, connection: Connection, name: str, resolution: str, seen: Precondition) -> StoredTicket:
        """Resolves a ticket. Raises a 404, a 412, a 409 that lists where it can go."""
        stored = await self._locked(connection, name, seen)
        now = self._now(stored)
        change = _decided(lambda: tickets.resolved(stored.ticket, resolution, now))
        return await record_change(connection, stored, TICKET_RESOLVED, change, now)

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

    async def _opening(self, connection: Connection, command: OpenTicket, caller: Caller) -> Opening:
        profile_id = await self._profile(connection, command, await self._region(connection, command.unit, caller))
        own = (await own_rules(connection)).tickets(command.kind)
        refuse(own.faults(command.attributes, command.kind))
        return Opening(
            profile_id=profile_id,
            kind=command.kind,
            subject=command.subject,
            opened_at=_opened_at(command.occurred_at, self.clock()),
            description=command.description,
            priority=command.priority,
            unit=command.unit or caller.unit or None,
            owner=command.owner,
            attributes=with_stated({}, command.attributes),
            ticket_id=command.ticket_id,
            digest=command.digest,
        )

    async def _attributes(
        self, connection: Connection, ticket: TicketState, stated: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The ticket's own fields after an edit. No required field may be missing; recorded values may stay."""
        before = ticket.attributes if isinstance(ticket.attributes, dict) else {}
        own, after = (await own_rules(connection)).tickets(ticket.kind), with_stated(before, stated)
        refuse([*own.value_faults(stated), *own.missing(after, ticket.kind)])
        return after

    def _now(self, stored: StoredTicket) -> datetime:
        return next_recorded(self.clock(), stored.last_recorded_at)

    async def _found(self, connection: Connection, ticket_id: UUID | None) -> StoredTicket:
        stored = await store.lock_ticket(connection, ticket_id) if ticket_id else None
        if stored is None:
            raise not_found("ticket")
        return stored

    async def _locked(self, connection: Connection, name: str, seen: Precondition) -> StoredTicket:
        stored = await self._found(
            connection, ticket_id_of(name) or await store.ticket_numbered(connection, name.upper())
        )
        seen(stored.sequence)
        return stored

    async def _profile(self, connection: Connection, command: OpenTicket, region: str | None) -> UUID:
        if command.customer_id is not None:
            known = await registers.known_profiles(connection, [command.customer_id])
            return _known(command.customer_id if command.customer_id in known else None)
        addresses = [self._address(named, position, region) for position, named in enumerate(command.identifiers)]
        routes = await registers.routes(connection, [one.key for one in addresses])
        sources = {one.source_profile for one in addresses if one.source_profile}
        return _known(addressee(addresses, routes, await registers.known_profiles(connection, sources)))

    def _address(self, named: TypedIdentifier, position: int, region: str | None) -> Address:
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


def _known(profile_id: UUID | None) -> UUID:
    if profile_id is None:
        raise Problem(NOT_FOUND, "No customer is known by this id or these identifiers. Report a touchpoint first.")
    return profile_id


def _opened_at(occurred_at: datetime | None, now: datetime) -> datetime:
    if occurred_at is not None and occurred_at > now + AHEAD:
        place = FieldProblem("/occurred_at", "time_ahead", "The time is more than five minutes in the future.")
        raise Problem(VALIDATION, "A case cannot have arisen in the future.", errors=[place])
    return min(occurred_at or now, now).astimezone(UTC)


def _opened_already(known: StoredTicket, digest: str) -> Opened:
    if known.digest != digest:
        raise Problem(CONFLICT, "Another ticket with this id exists already.")
    return Opened(known, repeated=True)


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
