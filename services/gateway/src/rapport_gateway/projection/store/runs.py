"""Runs of the view: each is one build of the projection from the topics, in a schema of its own.

One run is live. A new one is built beside it from the beginning of the topics and takes its place when promoted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rapport_gateway.projection.store.tables import FORM, RUN_TABLES
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.database import Connection, Database, Reading, Row

CHANNEL: Final = "view_changed"
"""The channel on which writers of runs tell that something was written."""
_BEHIND = """
SELECT coalesce(sum(greatest(0, live.position - coalesce(ours.position, 0))), 0)::bigint
FROM view_run v
JOIN consumer_cursor live ON live.consumer = 'view-' || v.run
LEFT JOIN consumer_cursor ours ON ours.consumer = $1 AND ours.topic = live.topic AND ours.partition = live.partition
WHERE v.state = 'live'
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the view. `seq` numbers its changes without gaps; `caught_up_at` is when it had read everything.

    `turn` counts what was written to it, also what changed nobody's row.
    """

    run: int
    state: str
    seq: int
    caught_up_at: datetime | None
    turn: int = 0

    @property
    def schema(self) -> str:
        """The schema of its tables."""
        return run_schema(self.run)

    @property
    def consumer(self) -> str:
        """The consumer name of its cursors."""
        return run_consumer(self.run)


def run_schema(run: int) -> str:
    """The schema of a run's tables."""
    return f"view_{run}"


def run_consumer(run: int) -> str:
    """The consumer name of a run's cursors."""
    return f"view-{run}"


async def begin_run(connection: Connection, state: str) -> Run:
    """Makes a new run, with empty tables. `state` is `live` for the first one, else `building`."""
    await connection.execute("LOCK TABLE view_run IN EXCLUSIVE MODE")
    number: int = await connection.fetchval("SELECT coalesce(max(run), 0) + 1 FROM view_run")
    await connection.execute(f"CREATE SCHEMA {run_schema(number)}")
    run = Run(number, state, 0, None)
    await enter(connection, run)
    await connection.execute(RUN_TABLES)
    await connection.execute("INSERT INTO view_run (run, state, form) VALUES ($1, $2, $3)", number, state, FORM)
    return run


async def enter(connection: Connection, run: Run) -> None:
    """Finds the tables of `run` from now on, until the transaction ends."""
    await connection.execute(f"SET LOCAL search_path TO {run.schema}, public")


async def live_run(connection: Connection) -> Run:
    """The live run; the first one is made here."""
    run = await find_run(connection, "live")
    if run is None:
        async with connection.transaction():
            await connection.execute("LOCK TABLE view_run IN EXCLUSIVE MODE")
            run = await find_run(connection, "live") or await begin_run(connection, "live")
    return run


async def find_run(connection: Connection, state: str) -> Run | None:
    """The newest run in a state."""
    row = await connection.fetchrow(
        "SELECT run, state, seq, caught_up_at, turn FROM view_run WHERE state = $1 ORDER BY run DESC LIMIT 1", state
    )
    return None if row is None else Run(**dict(row))


async def retire(connection: Connection, run: int) -> None:
    """Drops what a run has stored."""
    await connection.execute(f"DROP SCHEMA IF EXISTS {run_schema(run)} CASCADE")
    await connection.execute("DELETE FROM consumer_cursor WHERE consumer = $1", run_consumer(run))
    await connection.execute("UPDATE view_run SET state = 'retired' WHERE run = $1", run)


async def read_turn(connection: Connection, run: int) -> tuple[int, int]:
    """How often a run was written, and its last change. Raises `LookupError` for one that is not there."""
    row = await connection.fetchrow("SELECT turn, seq FROM view_run WHERE run = $1", run)
    if row is None:
        raise LookupError(f"there is no run {run}")
    return row["turn"], row["seq"]


async def touch_caught_up(database: Database, run: int, now: datetime) -> None:
    """Says that a run had read everything at `now`."""
    async with database.connection() as connection:
        await connection.execute("UPDATE view_run SET caught_up_at = $2 WHERE run = $1", run, now)


async def caught_up_at(database: Database) -> dict[int, datetime]:
    """When each run that is written had read everything; without those that never had."""
    rows = await database.fetch(
        "SELECT run, caught_up_at FROM view_run WHERE state IN ('live', 'building') AND caught_up_at IS NOT NULL"
    )
    return {row["run"]: row["caught_up_at"] for row in rows}


async def notify_written(connection: Connection) -> None:
    """Tells who follows the view that something was written."""
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def retired_runs(connection: Connection) -> list[int]:
    """The runs that were live before, or were given up."""
    rows = await connection.fetch("SELECT run FROM view_run WHERE state = 'retired'")
    return [row["run"] for row in rows]


async def read_run(database: Database, run: int) -> Run | None:
    """A run by its number."""
    row = await database.fetch_row("SELECT run, state, seq, caught_up_at, turn FROM view_run WHERE run = $1", run)
    return None if row is None else Run(**dict(row))


async def records_behind(connection: Reading, run: int) -> int:
    """How many records a run has still to read, up to where the live run is."""
    rows = await connection.fetch(_BEHIND, run_consumer(run))
    behind: int = rows[0][0]
    return behind


async def different_customers(connection: Connection, run: int, other: int) -> list[Row]:
    """Customers whose row differs between two runs, each with the `sections` that do."""
    pairs = ", ".join(f"CASE WHEN a.{name} IS DISTINCT FROM b.{name} THEN '{name}' END" for name in SECTIONS)
    return await connection.fetch(
        f"SELECT * FROM (SELECT customer_id, array_remove(ARRAY[{pairs}], NULL) AS sections, "
        f"a.moved_to IS DISTINCT FROM b.moved_to AS moved FROM {run_schema(run)}.customer_view a "
        f"FULL JOIN {run_schema(other)}.customer_view b USING (customer_id)) d "
        f"WHERE cardinality(sections) > 0 OR moved ORDER BY customer_id"
    )


async def lock_cursors(connection: Connection, run: Run) -> None:
    """Locks the cursors of a run: its projector waits until the transaction ends."""
    await connection.fetch(
        "SELECT 1 FROM consumer_cursor WHERE consumer = $1 ORDER BY topic, partition FOR UPDATE", run.consumer
    )


async def replace_live(connection: Connection, live: int, new: int) -> None:
    """Retires the live run, and makes another one live."""
    await connection.execute("UPDATE view_run SET state = 'retired' WHERE run = $1", live)
    await connection.execute("UPDATE view_run SET state = 'live', promoted_at = now() WHERE run = $1", new)


async def read_published(database: Database, run: int) -> int:
    """The last change of a run whose customers were published as states."""
    published: int = await database.fetch_value("SELECT published FROM view_run WHERE run = $1", run)
    return published


async def keep_published(database: Database, run: int, published: int) -> None:
    """Keeps up to which change customers were published as states."""
    async with database.connection() as connection:
        await connection.execute("UPDATE view_run SET published = $2 WHERE run = $1", run, published)
