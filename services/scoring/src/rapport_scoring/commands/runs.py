"""Long computations: asked for by a command, carried out later by one leader."""

from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from rapport_scoring.store import has_scored_before, runs
from rapport_shared.clock import Clock
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Connection, Database

RunKind = Literal["fit", "ranking", "backtest", "simulation"]
KINDS: Final[tuple[RunKind, ...]] = ("simulation", "backtest", "fit", "ranking")
SETTLING_IN: Final = timedelta(minutes=10)
KEPT: Final = 20
"""Runs of each kind that are kept with their results."""


async def ask(connection: Connection, kind: RunKind, request: dict[str, Any], by: str, clock: Clock) -> UUID:
    """Asks for a computation; answers its id. Whoever carries it out begins within a second or two."""
    now = clock()
    run_id = new_id(now)
    await runs.add_run(connection, run_id, kind, orjson.dumps(request).decode(), by, now)
    await runs.forget_runs(connection, kind, KEPT)
    return run_id


async def ask_when_due(database: Database, kind: RunKind, every: timedelta, clock: Clock) -> None:
    """Asks for a computation that is due by schedule: none was asked for within `every`, and there is somebody.

    Whoever is new is given a while, so that a first load is not fitted and ranked when it has hardly begun.
    """
    async with database.transaction() as connection:
        await runs.lock_schedule(connection, kind)
        recently = await runs.asked_since(connection, kind, clock() - every)
        if not recently and await has_scored_before(connection, clock() - SETTLING_IN):
            await ask(connection, kind, {}, "schedule", clock)
