"""The routes of the ticket service."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from rapport_shared.callers import Caller
from rapport_shared.contracts.ticket import TicketKind
from rapport_shared.database import Database
from rapport_shared.web.commands import CommandRunner, check_precondition
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import GUARDED, scoped
from rapport_ticket import queries
from rapport_ticket.commands import Tickets
from rapport_ticket.schemas import NewComment, NewTicket, Resolution, Ticket, TicketEdit, TicketPage, Transition
from rapport_ticket.store.tickets import TicketFilter

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
        return await runner.run(request, caller, lambda c: tickets.open(c, body, caller))

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
        asked = TicketFilter(state, kind, owner, unit, open, customer_id, caller.unit)
        return await queries.ticket_page(database, asked, cursor, limit)

    @routes.get("/{ticket}")
    async def read(ticket: Name, caller: Reader, response: Response) -> Ticket:
        """A ticket."""
        found, response.headers["ETag"] = await queries.ticket(database, ticket)
        return found

    @routes.patch("/{ticket}", response_model=Ticket, dependencies=[GUARDED])
    async def edit(ticket: Name, body: TicketEdit, request: Request, caller: Writer) -> Response:
        """Changes fields of a ticket."""
        seen = partial(check_precondition, request)
        return await runner.run(request, caller, lambda c: tickets.edit(c, ticket, body, caller, seen))

    @routes.post("/{ticket}/comments", status_code=201, response_model=Ticket, dependencies=[GUARDED])
    async def comment(ticket: Name, body: NewComment, request: Request, caller: Writer) -> Response:
        """Adds a remark."""
        seen = partial(check_precondition, request)
        return await runner.run(request, caller, lambda c: tickets.comment(c, ticket, body, caller, seen))

    @routes.post("/{ticket}/transitions", response_model=Ticket, dependencies=[GUARDED])
    async def transition(ticket: Name, body: Transition, request: Request, caller: Writer) -> Response:
        """Moves a ticket in its process."""
        seen = partial(check_precondition, request)
        return await runner.run(request, caller, lambda c: tickets.transition(c, ticket, body, caller, seen))

    @routes.post("/{ticket}/resolve", response_model=Ticket, dependencies=[GUARDED])
    async def resolve(ticket: Name, body: Resolution, request: Request, caller: Writer) -> Response:
        """Resolves a ticket."""
        seen = partial(check_precondition, request)
        return await runner.run(request, caller, lambda c: tickets.resolve(c, ticket, body, seen))

    return routes
