"""The routes of a customer's timeline, and of why a field is what it is."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from rapport_gateway.access.audience import (
    ENTRY_SCOPES,
    Audience,
    entries_of,
    readable_json,
    require_sections,
)
from rapport_gateway.api.document import EXPLANATION
from rapport_gateway.projection.store.timeline import Wanted
from rapport_gateway.reads import timeline as timelines
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.value import Values
from rapport_gateway.view.timeline_schemas import TimelinePage
from rapport_shared.callers import Caller
from rapport_shared.contracts.touchpoints import MODEL_OF
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.answers import MOVED, Responses
from rapport_shared.web.application import json_response, moved_response
from rapport_shared.web.nearest import unknown_name
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

EXPLAINED_BY_SCORING = ("value.", "segments.")
Reader = Annotated[Caller, scoped("customers:read")]
ExplainedField = Annotated[
    str,
    Query(
        max_length=250, description="`identity.name`, `value.tier`, `value.contemporary.revenue`, `segments.loyal` …"
    ),
]


_EXPLAINED: Responses = MOVED | {
    200: {"description": "The explanation.", "content": {"application/json": {"schema": EXPLANATION}}}
}


def router(views: Views, audience: Audience, values: Values) -> APIRouter:
    """What is behind a view: its facts, and its reasons."""
    routes = APIRouter(prefix="/v1", tags=["customers"])

    @routes.get("/customers/{customer_id}/timeline", response_model=TimelinePage, responses=MOVED)
    async def timeline(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        kind: Annotated[str | None, Query(max_length=100)] = None,
        channel: Annotated[str | None, Query(max_length=40)] = None,
        from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        to: AwareDatetime | None = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> Response:
        """Every fact of a customer, newest first, one entry per conversation; 307 for a merged one."""
        view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, view.moved_to, "/timeline")
        since: datetime | None = from_
        _check_kind(kind)
        wanted = Wanted(entries_of(caller), kind, channel, since, to)
        page = await timelines.page(views, customer_id, wanted, cursor, limit)
        return json_response(readable_json(caller, page))

    @routes.get("/customers/{customer_id}/explain", responses=_EXPLAINED)
    async def explain(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        field: ExplainedField,
    ) -> Response:
        """Why a field is what it is: value, source, rule, and what the others state; 307 for a merged customer.

        Of the value and of segments: rule, figures, and the events behind them; that needs `values:read`, too.
        """
        view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, view.moved_to, "/explain")
        if field.startswith(EXPLAINED_BY_SCORING):
            require_sections(caller, [field.partition(".")[0]])
            return await values.explain(customer_id, field, caller)
        explained = await views.explain(customer_id, field)
        if explained is None:
            place = FieldProblem("/query/field", "not_allowed", "It must be a field such as identity.language.")
            raise Problem(VALIDATION, "The field does not exist or has no explanation.", errors=[place])
        return json_response(explained)

    return routes


def _check_kind(kind: str | None) -> None:
    """Raises a 422 for a kind that no entry of a timeline can have; those of the deployment's own may be any."""
    known = {*MODEL_OF, *ENTRY_SCOPES}
    if kind is not None and kind not in known and not kind.startswith("custom."):
        place = FieldProblem("/query/kind", "not_allowed", unknown_name("kind", kind, known))
        raise Problem(VALIDATION, "No entry of a timeline has this kind.", errors=[place])
