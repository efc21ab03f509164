"""The routes of the unified view: read it, wait for it, follow it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from rapport_gateway.access.audience import (
    Audience,
    require_sections,
    sections_of,
)
from rapport_gateway.api.document import EVENT_STREAM
from rapport_gateway.live.streams import Subscriber, stream
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.value import Values
from rapport_gateway.view import commerce, identity, quality, value
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.callers import Caller
from rapport_shared.contracts.view import CustomerView
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.answers import MOVED, NOT_MODIFIED, Responses, refusals
from rapport_shared.web.application import moved_response
from rapport_shared.web.hot import hot
from rapport_shared.web.nearest import unknown_name
from rapport_shared.web.routing import REVALIDATED, Authenticator, documented_header, scoped

MAX_WAIT_MS = 30_000
FIGURES = frozenset({commerce.NAME, value.NAME})
"""The sections that scoring states: `after` of a commerce document waits for them, too."""
ANSWERED = frozenset({identity.NAME, quality.NAME})
"""The sections that the customer service states: `after` waits for its answer to a touchpoint, too."""
RESUMED = documented_header("Last-Event-ID", "The id of the last event that was read: what came after it follows.")
_STREAM: Responses = {
    200: {
        "description": "Events, each of lines `event`, `id` and `data`, an empty line between them. `data` is JSON.",
        "content": {"text/event-stream": {"schema": EVENT_STREAM}},
    }
}
Reader = Annotated[Caller, scoped("customers:read")]
WaitMs = Annotated[int, Query(ge=0, le=MAX_WAIT_MS, description="How long to wait for the events of `after`.")]
Settled = Annotated[bool, Query(description="Wait until commerce and value follow from all that the view holds.")]


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


def router(views: Views, audience: Audience, values: Values, heartbeat: float) -> APIRouter:
    """Reads of customers."""
    routes = APIRouter(prefix="/v1", tags=["customers"])

    @routes.get(
        "/customers/{customer_id}",
        response_model=CustomerView,
        responses=MOVED | NOT_MODIFIED | refusals(409),
        dependencies=[REVALIDATED],
    )
    @hot
    async def customer(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        sections: Annotated[str | None, Query(max_length=200, description="Sections, separated by commas.")] = None,
        after: Annotated[
            str | None,
            Query(
                max_length=2000, description="Event ids to wait for, with what they change in the sections asked for."
            ),
        ] = None,
        wait_ms: WaitMs = 0,
        settled: Settled = False,
    ) -> Response:
        """The whole customer in one document; 307 to the customer that a merged one is part of now."""
        shown, began = _sections(sections), views.clock()
        readable = sections_of(caller)
        if sections is not None:
            require_sections(caller, shown)
        pending: list[str] = []
        if after:
            await views.until_seen(_event_ids(after), wait_ms)
            left = wait_ms - int((views.clock() - began).total_seconds() * 1000)
            if not shown.isdisjoint(ANSWERED) and not await views.until_answered(_event_ids(after), left):
                pending = sorted(shown & ANSWERED)
        figures = bool(after) and not shown.isdisjoint(FIGURES) and await views.change_figures(_event_ids(after or ""))
        view = await audience.customer(customer_id, caller)
        if (settled or figures) and view.moved_to is None:
            left = wait_ms - int((views.clock() - began).total_seconds() * 1000)
            await values.until_settled(customer_id, left, caller, decided=settled)
            view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, view.moved_to)
        etag = f'"{views.run}.{view.seq}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        withheld = [name for name in SECTIONS if name in shown - readable]
        body = views.document(view, shown & readable, withheld=withheld, pending=pending)
        return Response(body, headers={"ETag": etag}, media_type="application/json")

    _add_stream(routes, views, audience, heartbeat)
    return routes


def _add_stream(routes: APIRouter, views: Views, audience: Audience, heartbeat: float) -> None:
    @routes.get(
        "/customers/{customer_id}/stream", responses=_STREAM, dependencies=[RESUMED], response_class=EventStream
    )
    async def follow(customer_id: UUID, request: Request, caller: Reader) -> Response:
        """Server-sent events: a snapshot, then deltas; `Last-Event-ID` resumes. `moved` and `ended` are the last."""
        await audience.customer(customer_id, caller)
        authenticate: Authenticator = request.app.state.authenticate
        last_event_id = request.headers.get("last-event-id")
        subscriber = Subscriber(customer_id, lambda: authenticate(request), last_event_id, heartbeat)
        events = stream(views, audience, subscriber)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return EventStream(events, headers=headers)


def _event_ids(after: str) -> list[UUID]:
    try:
        return [UUID(part.strip()) for part in after.split(",")]
    except ValueError:
        place = FieldProblem("/query/after", "wrong_format", "It must be event ids, separated by commas.")
        raise Problem(VALIDATION, "The request is not valid.", errors=[place]) from None


def _sections(asked: str | None) -> frozenset[str]:
    if asked is None:
        return frozenset(SECTIONS)
    names = frozenset(part.strip() for part in asked.split(","))
    if names - frozenset(SECTIONS):
        unknown = sorted(names - frozenset(SECTIONS))[0]
        place = FieldProblem("/query/sections", "not_allowed", unknown_name("section", unknown, SECTIONS))
        raise Problem(VALIDATION, "There is no such section.", errors=[place])
    return names
