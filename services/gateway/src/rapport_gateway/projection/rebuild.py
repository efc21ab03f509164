"""Rebuilds: build a new run of the view from the beginning of the topics beside the live run, then promote it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg

from rapport_gateway.projection.store.runs import (
    Run,
    begin_run,
    different_customers,
    find_run,
    lock_cursors,
    read_run,
    records_behind,
    replace_live,
    retire,
    retired_runs,
)
from rapport_gateway.view.facts import optional_instant
from rapport_shared.database import CONNECTION_LOST, Connection, Database
from rapport_shared.errors import CONFLICT, Problem, not_found
from rapport_shared.messaging.dead_letters import LetterFilter, dismiss
from rapport_shared.outages import Outage

LOOK_SECONDS = 1.0
DIFFERENCES_SHOWN = 20

FindRun = Callable[[], Awaitable[Run | None]]
RunWork = Callable[[Run], Coroutine[Any, Any, None]]


class _Superseded(Exception):
    """The run that was worked on is no longer the one to work on."""


async def keep_working(find: FindRun, work: RunWork) -> None:
    """Does `work` on the run that `find` answers, for ever; when that changes, on the other one."""
    outage = Outage("view run")
    while True:
        try:
            run = await find()
            if run is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            async with asyncio.TaskGroup() as group:
                group.create_task(work(run))
                group.create_task(_watch(find, run))
        except* _Superseded:
            pass
        except* (asyncpg.PostgresError, *CONNECTION_LOST) as failures:
            await outage.wait(failures)


async def _watch(find: FindRun, run: Run) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = await find()
        if now is None or now.run != run.run:
            raise _Superseded


async def begin(connection: Connection) -> Run:
    """Begins a rebuild. Raises a 409 while one is under way. What retired runs had stored is removed."""
    if await find_run(connection, "building") is not None:
        raise Problem(CONFLICT, "A rebuild of the view is running already.")
    for run in await retired_runs(connection):
        await retire(connection, run)
    return await begin_run(connection, "building")


async def progress(database: Database, run: int) -> dict[str, Any]:
    """How far a run is: records between its cursors and those of the live run. Raises a 404."""
    found = await read_run(database, run)
    if found is None:
        raise not_found("rebuild")
    return {
        "run": run,
        "state": found.state,
        "changes": found.seq,
        "behind": await records_behind(database, run),
        "caught_up_at": optional_instant(found.caught_up_at),
    }


async def differences(database: Database, run: int) -> dict[str, Any]:
    """Customers whose sections differ between a run and the live run, with the section names. Raises a 404."""
    async with database.connection() as connection:
        live = await find_run(connection, "live")
        if live is None or await read_run(database, run) is None:
            raise not_found("rebuild")
        rows = await different_customers(connection, live.run, run)
    shown = [{"customer_id": str(row["customer_id"]), "sections": row["sections"]} for row in rows[:DIFFERENCES_SHOWN]]
    return {"run": run, "live": live.run, "different": len(rows), "examples": shown}


async def promote(connection: Connection, run: int) -> int:
    """Puts a run in the place of the live one, and answers which that was. Raises a 404, a 409.

    The new run must have reached the cursors of the live run. Those are locked meanwhile, so the live run's projector
    waits at them and then finds itself superseded. The live run's dead letters are dismissed: the new run has read
    those records too, and rejected them itself if it had to.
    """
    building = await find_run(connection, "building")
    live = await find_run(connection, "live")
    if building is None or live is None or building.run != run:
        raise not_found("rebuild under way")
    await lock_cursors(connection, live)
    behind = await records_behind(connection, run)
    if behind:
        raise Problem(CONFLICT, "The new run has not reached the live one's cursors yet.", behind=behind)
    await dismiss(connection, LetterFilter(consumer=live.consumer))
    await replace_live(connection, live.run, run)
    return live.run
