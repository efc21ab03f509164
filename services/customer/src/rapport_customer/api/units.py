"""The routes of units and of the quality of sources."""

from datetime import date
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rapport_customer import queries
from rapport_customer.api.answers import unit_answer
from rapport_customer.commands.units import put_unit
from rapport_customer.domain.quality import RECENT
from rapport_customer.schemas.quality import Quality, QualityTrend
from rapport_customer.schemas.units import Unit, UnitPage, UnitRequest
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import UnitState
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner, check_precondition
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import GUARDED, scoped

QualityReader = Annotated[Caller, scoped("quality:read")]


def quality(database: Database, clock: Clock) -> APIRouter:
    """The quality of the records of each source."""
    routes = APIRouter(prefix="/v1/quality", tags=["quality"])

    @routes.get("")
    async def now(caller: QualityReader, unit: UnitPath | None = None) -> Quality:
        """The current quality of each source in a unit and in each unit below."""
        return await queries.quality(database, caller.unit or unit, clock())

    @routes.get("/trend")
    async def trend(
        caller: QualityReader,
        system: Annotated[str, Query(min_length=1, max_length=200)],
        unit: UnitPath | None = None,
        since: Annotated[date | None, Query(description="The first day; 90 days ago by default.")] = None,
    ) -> QualityTrend:
        """The quality of one source in one unit, day by day."""
        first = since or (clock() - RECENT).date()
        return await queries.quality_trend(database, system, caller.unit or unit, first)

    return routes


def units(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Organisation units."""
    routes = APIRouter(prefix="/v1/units", tags=["units"])

    @routes.get("")
    async def page(
        caller: Annotated[Caller, scoped("units:read")], cursor: PageCursor = None, limit: Limit = 50
    ) -> UnitPage:
        """Units in the order of their paths."""
        return await queries.unit_page(database, cursor, limit)

    @routes.get("/{path:path}")
    async def unit(path: str, caller: Annotated[Caller, scoped("units:read")], response: Response) -> Unit:
        """A unit."""
        found, etag = await queries.unit(database, path)
        response.headers["ETag"] = etag
        return found

    @routes.put("/{path:path}", response_model=Unit, dependencies=[GUARDED])
    async def put(
        path: UnitPath, body: UnitRequest, request: Request, caller: Annotated[Caller, scoped("units:write")]
    ) -> Response:
        """Creates or replaces a unit."""
        state = UnitState(path=path, **body.model_dump())
        seen = partial(check_precondition, request)

        async def work(connection: Connection) -> Answer:
            return unit_answer(await put_unit(connection, state, clock, seen))

        return await runner.run(request, caller, work)

    return routes
