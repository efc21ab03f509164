"""HTTP of scoring."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from rapport_scoring.domain.forecast.policy import MOST_MONTHS
from rapport_scoring.explanations import explain_value
from rapport_scoring.queries import customer_of, customer_value, settled_position
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.schemas.values import Explanation, PositionAnswer, ValueAnswer
from rapport_shared.callers import Caller
from rapport_shared.database import Database
from rapport_shared.web.answers import MOVED
from rapport_shared.web.application import json_response, moved_response
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

OnDay = Annotated[
    date | None, Query(description="The day at whose end the customer is valued; without it what was last published.")
]
KnownAt = Annotated[AwareDatetime | None, Query(description="What was known at a moment, instead of what is now.")]
Months = Annotated[
    int | None,
    Query(ge=1, le=MOST_MONTHS, description="How far the forecast looks ahead, instead of what the policy says."),
]

ExplainedField = Annotated[str, Query(max_length=250, description="A field: `value.tier`, `segments.loyal`.")]


def router(database: Database, rules: RulesInForce) -> APIRouter:
    """The routes of values."""
    routes = APIRouter(prefix="/v1", tags=["values"])

    @routes.get("/customers/{customer_id}/value", response_model=ValueAnswer, responses=MOVED)
    async def value(
        customer_id: UUID,
        request: Request,
        caller: Annotated[Caller, scoped("values:read")],
        as_of: OnDay = None,
        known_at: KnownAt = None,
        horizon: Months = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> Response:
        """A customer's values, what they rest on, and a page of the ledger lines that add up; 307 for a merged one."""
        root = await customer_of(database, customer_id)
        if root != customer_id and known_at is None:
            return moved_response(request, root, "/value")
        answer = await customer_value(database, rules, customer_id, as_of, known_at, horizon, cursor, limit)
        return json_response(answer.model_dump(mode="json"))

    @routes.get("/customers/{customer_id}/value/explanation")
    async def explanation(
        customer_id: UUID, caller: Annotated[Caller, scoped("values:read")], field: ExplainedField
    ) -> Explanation:
        """Why a field of a customer's values, or its being in a segment, is what it is."""
        return await explain_value(database, rules, customer_id, field)

    @routes.get("/customers/{customer_id}/value/position")
    async def position(customer_id: UUID, caller: Annotated[Caller, scoped("customers:read")]) -> PositionAnswer:
        """How far scoring has read; with it a reader knows whether a value it sees reflects what it has seen."""
        return await settled_position(database, customer_id)

    return routes
