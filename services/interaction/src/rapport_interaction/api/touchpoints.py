"""The routes of interactions: retract, find the anonymous, attribute by hand."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from rapport_interaction import queries
from rapport_interaction.commands.attribution import attribute_by_hand
from rapport_interaction.commands.mending import retract as retract_touchpoint
from rapport_interaction.schemas import (
    AnonymousPage,
    AttributedInteraction,
    AttributionRequest,
    Retracted,
    RetractionRequest,
)
from rapport_interaction.store import Listed
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Writer = Annotated[Caller, scoped("interactions:write")]


def router(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Retractions and attribution by hand."""
    routes = APIRouter(prefix="/v1", tags=["interactions"])

    @routes.post("/touchpoints/{touchpoint_id}/retractions", status_code=201, response_model=Retracted)
    async def retract(touchpoint_id: UUID, body: RetractionRequest, request: Request, caller: Writer) -> Response:
        """Ends a recording: the touchpoint no longer counts for anybody."""

        async def work(connection: Connection) -> Answer:
            event_id = await retract_touchpoint(connection, touchpoint_id, body.reason, clock)
            return Answer(201, {"touchpoint_id": str(touchpoint_id), "state": "retracted"}, (event_id,))

        return await runner.run(request, caller, work)

    @routes.get("/interactions")
    async def interactions(
        response: Response,
        caller: Annotated[Caller, scoped("interactions:read")],
        attribution: Literal["anonymous"],
        channel: Annotated[str | None, Query(max_length=100)] = None,
        from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        to: AwareDatetime | None = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> AnonymousPage:
        """Interactions that nobody is known to be behind, the latest first."""
        response.headers["Cache-Control"] = "no-store"
        with_bodies = caller.may("interactions:bodies")
        listed = Listed(channel, from_, to)
        return await queries.anonymous_page(database, listed, cursor, limit, with_bodies=with_bodies)

    @routes.post("/interactions/{interaction_id}/attribute", response_model=AttributedInteraction)
    async def attribute(interaction_id: UUID, body: AttributionRequest, request: Request, caller: Writer) -> Response:
        """Says whose an interaction is: its entries are recorded anew there, or those of them that are named."""

        async def work(connection: Connection) -> Answer:
            done = await attribute_by_hand(connection, interaction_id, body.holder, body.touchpoint_ids, clock)
            answer = {
                "profile_id": str(body.holder),
                "interaction_ids": [str(id_) for id_ in done.interaction_ids],
                "touchpoint_ids": [str(id_) for id_ in done.touchpoint_ids],
                "changed": bool(done.events),
            }
            return Answer(200, answer, done.events)

        return await runner.run(request, caller, work)

    return routes
