"""HTTP of scoring."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from rapport_scoring.queries import customer_of, customer_value
from rapport_scoring.schemas import ValueAnswer
from rapport_shared.callers import Caller
from rapport_shared.database import Database
from rapport_shared.web.application import json_response, moved_response
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped


def router(database: Database) -> APIRouter:
    """The routes of values."""
    routes = APIRouter(prefix="/v1", tags=["values"])

    @routes.get("/customers/{customer_id}/value", response_model=ValueAnswer)
    async def value(
        customer_id: UUID,
        request: Request,
        caller: Annotated[Caller, scoped("values:read")],
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> Response:
        """A customer's contemporary value and a page of the ledger lines that add up to it; 307 for a merged one."""
        root = await customer_of(database, customer_id)
        if root != customer_id:
            return moved_response(request, f"/v1/customers/{root}/value")
        answer = await customer_value(database, customer_id, cursor, limit)
        return json_response(answer.model_dump(mode="json"))

    return routes
