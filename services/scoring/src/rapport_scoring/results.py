"""Reads of what long computations found."""

from functools import partial
from typing import Any
from uuid import UUID

import orjson

from rapport_scoring.domain.forecast import FittedParameters
from rapport_scoring.runs.fitting import told
from rapport_scoring.schemas.runs import (
    Cohort,
    CohortReport,
    Health,
    HealthReport,
    ParameterPage,
    Parameters,
    ParameterVersion,
    Ranked,
    Ranking,
    RunAnswer,
)
from rapport_scoring.store import parameters, runs
from rapport_scoring.store.runs import Run
from rapport_shared.callers import Caller
from rapport_shared.database import Database, Row
from rapport_shared.errors import NOT_FOUND, Problem, not_found
from rapport_shared.units import lies_in
from rapport_shared.waiting import look_until

LOOK_SECONDS = 0.2


def has_ended(run: Run | None) -> bool:
    """Whether there is nothing more to wait for: the run has its result, or there is no such run."""
    return run is None or run.state in ("finished", "failed")


async def run_answer(database: Database, run_id: UUID, wait_ms: int) -> RunAnswer:
    """How far a run is; waits so long for its end. Raises a 404."""
    run = await look_until(lambda: runs.read_run(database, run_id), has_ended, wait_ms / 1000, LOOK_SECONDS)
    if run is None:
        raise not_found("run")
    return _run(run)


def _run(run: Run) -> RunAnswer:
    result = None if run.result is None else orjson.loads(run.result)
    return RunAnswer(
        run_id=run.run_id,
        kind=run.kind,
        state=run.state,
        done=run.done,
        total=run.total,
        asked_by=run.asked_by,
        asked_at=run.asked_at,
        finished_at=run.finished_at,
        result=result,
    )


async def ranking(
    database: Database,
    caller: Caller,
    by: str,
    unit: str | None,
    run_id: UUID | None,
    cursor: str | None,
    limit: int,
) -> Ranking:
    """A page of a ranking; a caller of a unit sees those of its unit. Raises a 404 where there is no ranking yet."""
    run, result = await _ranking(database, run_id)
    page = await runs.BY_MEASURE.page(
        cursor,
        limit,
        partial(runs.ranked, database, run.run_id, by, _within(caller, unit)),
        lambda row: (row[by], row["customer_id"]),
    )
    return Ranking(
        run_id=run.run_id,
        valued_on=result["valued_on"],
        currency=result["currency"],
        parameter_version=result["parameter_version"],
        policy_version=result["policy_version"],
        by=by,
        customers=[_ranked(row) for row in page.items],
        next_cursor=page.next_cursor,
    )


def _within(caller: Caller, unit: str | None) -> str | None:
    """The unit to show: the one that is asked for, within the caller's. Raises a 404 for one that is not."""
    if not caller.unit:
        return unit
    if unit is None or lies_in(unit, caller.unit):
        return unit or caller.unit
    raise not_found("unit")


def _ranked(row: Row) -> Ranked:
    summary = orjson.loads(row["summary"])
    figures = {name: row[name] for name in runs.MEASURES}
    return Ranked(
        customer_id=row["customer_id"],
        unit=row["unit"] or None,
        tier=summary["tier"],
        stage=summary["stage"],
        **figures,
    )


async def _ranking(database: Database, run_id: UUID | None) -> tuple[Run, dict[str, Any]]:
    run = await (runs.newest_run(database, "ranking") if run_id is None else runs.read_run(database, run_id))
    if run is None or run.kind != "ranking" or run.state != "finished" or run.result is None:
        raise Problem(NOT_FOUND, "There is no such ranking that is finished; POST /v1/value/rankings asks for one.")
    return run, orjson.loads(run.result)


async def health(database: Database, caller: Caller, unit: str | None) -> HealthReport:
    """The health figures of the newest ranking's day: of a unit and those below it."""
    _, result = await _ranking(database, None)
    within = _within(caller, unit)
    units = [Health.model_validate(one) for one in result["health"]]
    if within is not None:
        units = [one for one in units if one.unit is not None and lies_in(one.unit, within)]
    return HealthReport(valued_on=result["valued_on"], currency=result["currency"], units=units)


async def cohorts(database: Database) -> CohortReport:
    """The cohorts of the newest ranking's day."""
    _, result = await _ranking(database, None)
    found = [Cohort.model_validate(one) for one in result["cohorts"]]
    return CohortReport(valued_on=result["valued_on"], currency=result["currency"], cohorts=found)


async def parameter_versions(database: Database, cursor: str | None, limit: int) -> ParameterPage:
    """Versions of the parameters, the newest first."""
    page = await parameters.BY_VERSION.page(
        cursor, limit, partial(parameters.versions, database), lambda row: (row["version"],)
    )
    return ParameterPage(versions=[ParameterVersion(**dict(row)) for row in page.items], next_cursor=page.next_cursor)


async def parameter_version(database: Database, version: int) -> Parameters:
    """A version of the parameters. Raises a 404."""
    row = await parameters.read_version(database, version)
    if row is None:
        raise not_found("version of the parameters")
    document = orjson.loads(row["document"])
    fitted = FittedParameters.from_json(document["parameters"]) if document else None
    forecast = [one.model_dump(mode="json") for one in told(fitted)] if fitted else []
    return Parameters(
        version=version, valid_from=row["valid_from"], fitted_until=row["fitted_until"], forecast=forecast
    )
