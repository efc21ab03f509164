"""The routes of rebuilds."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from rapport_gateway.api.schemas import BegunRebuild, PromotedRebuild, RebuildDifferences, RebuildProgress
from rapport_gateway.projection import rebuild
from rapport_shared.callers import Caller
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.routing import scoped

Operator = Annotated[Caller, scoped("rebuilds:write")]


def router(database: Database, runner: CommandRunner) -> APIRouter:
    """Rebuilding the view beside the live one."""
    routes = APIRouter(prefix="/v1/rebuilds", tags=["operations"])

    @routes.post("", status_code=201, response_model=BegunRebuild)
    async def begin(request: Request, caller: Operator) -> Response:
        """Begins a rebuild from the beginning of the topics."""

        async def work(connection: Connection) -> Answer:
            begun = await rebuild.begin(connection)
            return Answer(201, {"run": begun.run, "state": begun.state})

        return await runner.run(request, caller, work)

    @routes.get("/{run}", response_model=RebuildProgress)
    async def progress(run: int, caller: Operator) -> dict[str, Any]:
        """The progress of a rebuild."""
        return await rebuild.progress(database, run)

    @routes.get("/{run}/diff", response_model=RebuildDifferences)
    async def diff(run: int, caller: Operator) -> dict[str, Any]:
        """Where the new run differs from the live one."""
        return await rebuild.differences(database, run)

    @routes.post("/{run}/promote", response_model=PromotedRebuild)
    async def promote(run: int, request: Request, caller: Operator) -> Response:
        """Replaces the live run by the new one. Streams start again with a snapshot."""

        async def work(connection: Connection) -> Answer:
            retired = await rebuild.promote(connection, run)
            return Answer(200, {"run": run, "state": "live", "retired": retired})

        return await runner.run(request, caller, work)

    return routes
