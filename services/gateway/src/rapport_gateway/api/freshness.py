"""The route that says how fresh the view is."""

from typing import Annotated

from fastapi import APIRouter

from rapport_gateway.reads.freshness import Freshness, FreshnessAnswer
from rapport_shared.callers import Caller
from rapport_shared.web.routing import scoped


def router(freshness: Freshness) -> APIRouter:
    """`/v1/freshness`."""
    routes = APIRouter(prefix="/v1", tags=["operations"])

    @routes.get("/freshness")
    async def view_freshness(caller: Annotated[Caller, scoped("operations:read")]) -> FreshnessAnswer:
        """How fresh the view is: its lag in each partition, dead letters, what is accepted and not yet recorded."""
        return await freshness.answer()

    return routes
