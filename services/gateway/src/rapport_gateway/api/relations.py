"""The route of a customer's relations: all of them, in both directions, in pages."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from rapport_gateway.access.audience import Audience
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.relations import page_of
from rapport_shared.callers import Caller
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.web.answers import MOVED
from rapport_shared.web.application import json_response, moved_response
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Reader = Annotated[Caller, scoped("customers:read")]
RelationType = Annotated[str | None, Query(max_length=100, description="Relations of this type alone.")]
Direction = Annotated[
    Literal["outgoing", "incoming"] | None,
    Query(
        description="What the customer's records say of others, or what others' say of it; both where it is missing."
    ),
]


class RelatedCustomer(BaseModel):
    """A relation, and the customer at its other end; one that nobody has heard of yet has no name."""

    direction: Literal["outgoing", "incoming"]
    type: str
    customer_id: UUID
    display_name: str | None
    stated_at: ShownInstant | None
    manual: bool
    cyclic: bool


class RelationPage(BaseModel):
    """Relations in the order of direction, type and customer."""

    relations: list[RelatedCustomer]
    next_cursor: str | None


def router(views: Views, audience: Audience) -> APIRouter:
    """Reads of relations."""
    routes = APIRouter(prefix="/v1", tags=["customers"])

    @routes.get("/customers/{customer_id}/relations", response_model=RelationPage, responses=MOVED)
    async def relations(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        type: RelationType = None,
        direction: Direction = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> Response:
        """The relations from and to the customer; 307 for a merged customer."""
        view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, view.moved_to, "/relations")
        page = await page_of(views, customer_id, type, direction, cursor, limit)
        seen = await audience.seen([UUID(line["customer_id"]) for line in page["relations"]], caller)
        page["relations"] = [line for line in page["relations"] if UUID(line["customer_id"]) in seen]
        return json_response(page)

    return routes
