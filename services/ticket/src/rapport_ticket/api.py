"""The routes of the ticket service."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from rapport_shared.callers import Caller
from rapport_shared.contracts.ticket import TicketKind
from rapport_shared.database import Connection, Database
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.commands import Answer, CommandRunner, check_precondition, revision_etag
from rapport_shared.web.nearest import unknown_name
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import GUARDED, scoped
from rapport_ticket import queries
from rapport_ticket.commands.requests import OpenTicket, TypedIdentifier
from rapport_ticket.commands.tickets import Tickets
from rapport_ticket.domain.processes import STATES
from rapport_ticket.schemas import NewComment, NewTicket, Resolution, Ticket, TicketEdit, TicketPage, Transition
from rapport_ticket.store.tickets import StoredTicket, TicketFilter

Reader = Annotated[Caller, scoped("tickets:read")]
Writer = Annotated[Caller, scoped("tickets:write")]
Name = Annotated[
    str,
    Path(max_length=40, pattern="^[0-9A-Za-z-]+$", description="The ticket's id, or its number such as `R-100234`."),
]
Word = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


def router(database: Database, runner: CommandRunner, tickets: Tickets) -> APIRouter:
    """Cases of every kind."""
    routes = APIRouter(prefix="/v1/tickets", tags=["tickets"])

    @routes.post("", status_code=201, response_model=Ticket)
    async def open_ticket(body: NewTicket, request: Request, caller: Writer) -> Response:
        """Opens a ticket."""

        async def work(connection: Connection) -> Answer:
            opened = await tickets.open(connection, _opening(body), caller)
            if opened.repeated:
                return _answer(opened.stored, event=opened.stored.opened_event_id)
            return _answer(opened.stored, 201, {"Location": f"/v1/tickets/{opened.stored.ticket.ticket_id}"})

        return await runner.run(request, caller, work)

    @routes.get("")
    async def page(
        caller: Reader,
        state: Word = None,
        kind: TicketKind | None = None,
        owner: Word = None,
        unit: Word = None,
        open: bool | None = None,
        customer_id: UUID | None = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> TicketPage:
        """Tickets, the latest opened first."""
        _require_known_state(state)
        asked = TicketFilter(state, kind, owner, unit, open, customer_id, caller.unit)
        return await queries.ticket_page(database, asked, cursor, limit)

    @routes.get("/{ticket}")
    async def read(ticket: Name, caller: Reader, response: Response) -> Ticket:
        """A ticket."""
        found, response.headers["ETag"] = await queries.ticket(database, ticket)
        return found

    _add_changes(routes, runner, tickets)
    return routes


def _require_known_state(state: str | None) -> None:
    """Raises a 422 that names the nearest state: a misspelt one would find nothing."""
    if state is not None and state not in STATES:
        place = FieldProblem("/query/state", "state", unknown_name("state", state, STATES))
        raise Problem(VALIDATION, "The request is not valid.", errors=[place])


def _add_changes(routes: APIRouter, runner: CommandRunner, tickets: Tickets) -> None:
    @routes.patch("/{ticket}", response_model=Ticket, dependencies=[GUARDED])
    async def edit(ticket: Name, body: TicketEdit, request: Request, caller: Writer) -> Response:
        """Changes fields of a ticket."""
        seen = partial(check_precondition, request)
        fields = body.model_dump(exclude_unset=True)
        return await _run(runner, request, caller, lambda c: tickets.edit(c, ticket, fields, caller, seen))

    @routes.post("/{ticket}/comments", status_code=201, response_model=Ticket, dependencies=[GUARDED])
    async def comment(ticket: Name, body: NewComment, request: Request, caller: Writer) -> Response:
        """Adds a remark."""
        seen = partial(check_precondition, request)

        async def work(connection: Connection) -> Answer:
            return _answer(await tickets.comment(connection, ticket, body.text, body.visibility, caller, seen), 201)

        return await runner.run(request, caller, work)

    @routes.post("/{ticket}/transitions", response_model=Ticket, dependencies=[GUARDED])
    async def transition(ticket: Name, body: Transition, request: Request, caller: Writer) -> Response:
        """Moves a ticket in its process."""
        seen = partial(check_precondition, request)
        return await _run(
            runner, request, caller, lambda c: tickets.transition(c, ticket, body.to, body.note, caller, seen)
        )

    @routes.post("/{ticket}/resolve", response_model=Ticket, dependencies=[GUARDED])
    async def resolve(ticket: Name, body: Resolution, request: Request, caller: Writer) -> Response:
        """Resolves a ticket."""
        seen = partial(check_precondition, request)
        return await _run(runner, request, caller, lambda c: tickets.resolve(c, ticket, body.resolution, seen))


async def _run(
    runner: CommandRunner, request: Request, caller: Caller, change: Callable[[Connection], Awaitable[StoredTicket]]
) -> Response:
    async def work(connection: Connection) -> Answer:
        return _answer(await change(connection))

    return await runner.run(request, caller, work)


def _opening(body: NewTicket) -> OpenTicket:
    identifiers = tuple(TypedIdentifier(**dict(named)) for named in body.customer.identifiers)
    return OpenTicket(
        kind=body.kind,
        subject=body.subject,
        digest=_digest(body),
        customer_id=body.customer.customer_id,
        identifiers=identifiers,
        ticket_id=body.id,
        description=body.description,
        priority=body.priority,
        unit=body.unit,
        owner=body.owner,
        occurred_at=body.occurred_at,
        attributes=body.attributes,
    )


def _digest(body: NewTicket) -> str:
    """The fields that two requests with the same id must share, under their original names."""
    left_out = {"id"} if body.attributes else {"id", "attributes"}
    return hashlib.sha256(body.model_dump_json(exclude=left_out, by_alias=True).encode()).hexdigest()


def _answer(
    stored: StoredTicket, status: int = 200, headers: dict[str, str] | None = None, *, event: UUID | None = None
) -> Answer:
    body = queries.shown(stored).model_dump(mode="json")
    return Answer(status, body, (event or stored.last_event_id,), revision_etag(stored.sequence), headers or {})
