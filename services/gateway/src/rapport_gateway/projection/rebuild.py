"""Rebuilds: build a new run of the view from the beginning of the topics beside the live run, then promote it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import asyncpg

from rapport_gateway.projection.runs import Run, begin_run, find_run, retire, run_consumer, run_schema
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.database import CONNECTION_LOST, Connection, Database, is_transient
from rapport_shared.errors import CONFLICT, Problem, not_found
from rapport_shared.messaging.dead_letters import LetterFilter, dismiss
from rapport_shared.web.commands import Answer

LOOK_SECONDS = 1.0
DIFFERENCES_SHOWN = 20

FindRun = Callable[[], Awaitable[Run | None]]
RunWork = Callable[[Run], Coroutine[Any, Any, None]]


class _Superseded(Exception):
    """The run that was worked on is no longer the one to work on."""


async def keep_working(find: FindRun, work: RunWork) -> None:
    """Does `work` on the run that `find` answers, for ever; when that changes, on the other one."""
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
            if not all(is_transient(failure) for failure in failures.exceptions):
                raise
            await asyncio.sleep(LOOK_SECONDS)


async def _watch(find: FindRun, run: Run) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now = await find()
        if now is None or now.run != run.run:
            raise _Superseded


async def begin(connection: Connection) -> Answer:
    """Begins a rebuild. Raises a 409 while one is under way. What retired runs had stored is removed."""
    if await find_run(connection, "building") is not None:
        raise Problem(CONFLICT, "The view is being built anew already.")
    for row in await connection.fetch("SELECT run FROM view_run WHERE state = 'retired'"):
        await retire(connection, row["run"])
    run = await begin_run(connection, "building")
    return Answer(201, {"run": run.run, "state": run.state})


async def progress(database: Database, run: int) -> dict[str, Any]:
    """How far a run is: records between its cursors and those of the live run. Raises a 404."""
    row = await database.fetch_row("SELECT run, state, seq, caught_up_at FROM view_run WHERE run = $1", run)
    if row is None:
        raise not_found("rebuild")
    behind = await database.fetch_value(_BEHIND, run_consumer(run))
    return {
        "run": run,
        "state": row["state"],
        "changes": row["seq"],
        "behind": behind,
        "caught_up_at": row["caught_up_at"].isoformat() if row["caught_up_at"] else None,
    }


_BEHIND = """
SELECT coalesce(sum(greatest(0, live.position - coalesce(ours.position, 0))), 0)::bigint
FROM view_run v
JOIN consumer_cursor live ON live.consumer = 'view-' || v.run
LEFT JOIN consumer_cursor ours ON ours.consumer = $1 AND ours.topic = live.topic AND ours.partition = live.partition
WHERE v.state = 'live'
"""


async def differences(database: Database, run: int) -> dict[str, Any]:
    """Customers whose sections differ between a run and the live run, with the section names. Raises a 404."""
    async with database.connection() as connection:
        live = await find_run(connection, "live")
        if live is None or not await connection.fetchval("SELECT true FROM view_run WHERE run = $1", run):
            raise not_found("rebuild")
        pairs = ", ".join(f"CASE WHEN a.{name} IS DISTINCT FROM b.{name} THEN '{name}' END" for name in SECTIONS)
        rows = await connection.fetch(
            f"SELECT * FROM (SELECT customer_id, array_remove(ARRAY[{pairs}], NULL) AS sections, "
            f"a.moved_to IS DISTINCT FROM b.moved_to AS moved FROM {run_schema(live.run)}.customer_view a "
            f"FULL JOIN {run_schema(run)}.customer_view b USING (customer_id)) d "
            f"WHERE cardinality(sections) > 0 OR moved ORDER BY customer_id"
        )
    shown = [{"customer_id": str(row["customer_id"]), "sections": row["sections"]} for row in rows[:DIFFERENCES_SHOWN]]
    return {"run": run, "live": live.run, "different": len(rows), "examples": shown}


async def promote(connection: Connection, run: int) -> Answer:
    """Puts a run in the place of the live one, once it stands at the same cursors. Raises a 404, a 409.

    The live run's cursors are locked meanwhile, so its projector waits at them and then finds itself superseded. Its
    dead letters are dismissed: the new run has read those records too, and rejected them itself if it had to.
    """
    building = await find_run(connection, "building")
    live = await find_run(connection, "live")
    if building is None or live is None or building.run != run:
        raise not_found("rebuild under way")
    await connection.fetch(
        "SELECT 1 FROM consumer_cursor WHERE consumer = $1 ORDER BY topic, partition FOR UPDATE", live.consumer
    )
    behind = await connection.fetchval(_BEHIND, building.consumer)
    if behind:
        raise Problem(CONFLICT, "The new run has not reached the live one's cursors yet.", behind=behind)
    await connection.execute("UPDATE view_run SET state = 'retired' WHERE run = $1", live.run)
    await dismiss(connection, LetterFilter(consumer=live.consumer))
    await connection.execute("UPDATE view_run SET state = 'live', promoted_at = now() WHERE run = $1", run)
    return Answer(200, {"run": run, "state": "live", "retired": live.run})
