"""HTTP of long computations: rankings, fits, backtests, and what they found."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rapport_scoring.commands.runs import RunKind, ask
from rapport_scoring.results import cohorts, health, parameter_version, parameter_versions, ranking, run_answer
from rapport_scoring.schemas.runs import (
    CohortReport,
    HealthReport,
    ParameterPage,
    Parameters,
    Ranking,
    RunAnswer,
)
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.database import Connection, Database
from rapport_shared.web.answers import refusals
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Reader = Annotated[Caller, scoped("values:read")]
Asker = Annotated[Caller, scoped("values:compute")]
WaitMs = Annotated[int, Query(ge=0, le=30_000, description="How long to wait for the end of it.")]
UnitQuery = Annotated[UnitPath | None, Query(description="A unit and those below it; without one the whole firm.")]
Measure = Annotated[
    Literal["total", "contemporary", "potential", "model"], Query(description="What the most of comes first.")
]
OfRun = Annotated[UUID | None, Query(description="Which ranking; without it the newest that is finished.")]


class AsOfRequest(BaseModel):
    """The day at whose end everybody is valued, as of a value's `as_of`; without it today."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"as_of": "2026-03-31"}})

    as_of: date | None = None


class BacktestRequest(BaseModel):
    """Until when to fit, and how many days after it to forecast."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"fit_until": "2025-12-31"}})

    fit_until: date
    horizon_days: Annotated[int, Field(strict=True, ge=7, le=3650)] = 273


def runs(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """The routes that ask for long computations and tell how far they are."""
    routes = APIRouter(prefix="/v1/value", tags=["values"])

    async def asked(request: Request, caller: Caller, kind: RunKind, body: dict[str, Any]) -> Response:
        async def work(connection: Connection) -> Answer:
            run_id = await ask(connection, kind, body, caller.principal, clock)
            return Answer(202, {"run_id": str(run_id), "state": "queued"})

        return await runner.run(request, caller, work)

    @routes.post("/rankings", status_code=202, response_model=RunAnswer)
    async def rank(body: AsOfRequest, request: Request, caller: Asker) -> Response:
        """Values everybody as of one day: the ranking, the health figures and the cohorts of that day."""
        return await asked(request, caller, "ranking", body.model_dump(mode="json"))

    @routes.post("/fits", status_code=202, response_model=RunAnswer)
    async def fit(body: AsOfRequest, request: Request, caller: Asker) -> Response:
        """Fits the forecast anew, on what is dated up to one day: a new version of the parameters."""
        return await asked(request, caller, "fit", body.model_dump(mode="json"))

    @routes.post("/backtest", status_code=202, response_model=RunAnswer)
    async def backtest(body: BacktestRequest, request: Request, caller: Asker) -> Response:
        """Fits on what was bought until a day, and compares the forecast of the days after it with what happened."""
        return await asked(request, caller, "backtest", body.model_dump(mode="json"))

    @routes.get("/runs/{run_id}")
    async def run(run_id: UUID, caller: Reader, wait_ms: WaitMs = 0) -> RunAnswer:
        """How far a computation is, and what it found."""
        return await run_answer(database, run_id, wait_ms)

    return routes


def results(database: Database) -> APIRouter:
    """The routes of what the newest computations found."""
    routes = APIRouter(prefix="/v1", tags=["values"])

    @routes.get("/value/ranking", responses=refusals(404))
    async def ranked(
        caller: Reader,
        by: Measure = "total",
        unit: UnitQuery = None,
        run: OfRun = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> Ranking:
        """Customers by value, the most valuable first, all valued at one instant."""
        return await ranking(database, caller, by, unit, run, cursor, limit)

    @routes.get("/value/parameters")
    async def versions(caller: Reader, cursor: PageCursor = None, limit: Limit = 50) -> ParameterPage:
        """Versions of the forecast's parameters, the newest first."""
        return await parameter_versions(database, cursor, limit)

    @routes.get("/value/parameters/{version}")
    async def parameters(version: int, caller: Reader) -> Parameters:
        """A version of the forecast's parameters."""
        return await parameter_version(database, version)

    @routes.get("/reports/customer-health", responses=refusals(404))
    async def healthy(caller: Reader, unit: UnitQuery = None) -> HealthReport:
        """How long customers stay, what and how often they buy, and what a deal costs: by unit, in all and by month."""
        return await health(database, caller, unit)

    @routes.get("/reports/cohorts", responses=refusals(404))
    async def by_cohort(caller: Reader) -> CohortReport:
        """Customers by the month of their first purchase: how many bought in each month since, and for how much."""
        return await cohorts(database)

    return routes
