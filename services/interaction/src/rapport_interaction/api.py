"""The routes of the interaction service."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from rapport_interaction import queries
from rapport_interaction.commands.mending import retract as retract_touchpoint
from rapport_interaction.schemas import QuarantinePage, Retracted, RetractionRequest
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped


def router(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Retractions and the quarantine."""
    routes = APIRouter(prefix="/v1", tags=["interactions"])

    @routes.post("/touchpoints/{touchpoint_id}/retractions", status_code=201, response_model=Retracted)
    async def retract(
        touchpoint_id: UUID,
        body: RetractionRequest,
        request: Request,
        caller: Annotated[Caller, scoped("interactions:write")],
    ) -> Response:
        """Ends a recording: the touchpoint no longer counts for anybody."""

        async def work(connection: Connection) -> Answer:
            event_id = await retract_touchpoint(connection, touchpoint_id, body.reason, clock)
            return Answer(201, {"touchpoint_id": str(touchpoint_id), "state": "retracted"}, (event_id,))

        return await runner.run(request, caller, work)

    @routes.get("/quarantine")
    async def quarantine(
        caller: Annotated[Caller, scoped("quarantine:read")], cursor: PageCursor = None, limit: Limit = 50
    ) -> QuarantinePage:
        """Touchpoints that could not be recorded, and why."""
        return await queries.quarantine_page(database, cursor, limit)

    return routes
