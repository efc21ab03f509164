"""Long computations: asked for, carried out, and what they found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_shared.database import Connection, Reading, Row
from rapport_shared.pages import Keyset
from rapport_shared.units import lies_in_sql

_NAMES = "run_id, kind, request, state, done, total, result, asked_by, asked_at, finished_at"
_ADD = "INSERT INTO run (run_id, kind, request, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5)"
_READ = f"SELECT {_NAMES} FROM run WHERE run_id = $1"
_WAITING = f"""
SELECT {_NAMES} FROM run WHERE finished_at IS NULL AND kind = ANY($1::text[]) ORDER BY asked_at, run_id LIMIT 1
"""
_PROGRESS = "UPDATE run SET state = 'running', done = $2, total = $3 WHERE run_id = $1"
_FINISH = "UPDATE run SET state = $2, result = $3, finished_at = $4 WHERE run_id = $1"
_NEWEST = f"SELECT {_NAMES} FROM run WHERE kind = $1 AND state = 'finished' ORDER BY asked_at DESC LIMIT 1"
_CLEAR = "DELETE FROM valuation WHERE run_id = $1"
_VALUE = """
INSERT INTO valuation (run_id, customer_id, unit, total, contemporary, potential, model, summary)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
"""
_FORGET = """
DELETE FROM run WHERE kind = $1 AND finished_at IS NOT NULL
    AND run_id NOT IN (SELECT run_id FROM run WHERE kind = $1 ORDER BY asked_at DESC LIMIT $2)
"""
MEASURES = ("total", "contemporary", "potential", "model")


@dataclass(frozen=True, slots=True)
class Run:
    """A long computation: `queued`, `running`, `finished` or `failed`; request and result are JSON."""

    run_id: UUID
    kind: str
    request: str
    state: str
    done: int
    total: int | None
    result: str | None
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Valued:
    """What a valuation found of a customer: amounts in the reporting currency, None where there is none."""

    customer_id: UUID
    unit: str
    total: int | None
    contemporary: int | None
    potential: int | None
    model: int | None
    summary: str


async def add_run(connection: Connection, run_id: UUID, kind: str, request: str, by: str, at: datetime) -> None:
    """Asks for a computation."""
    await connection.execute(_ADD, run_id, kind, request, by, at)


async def lock_schedule(connection: Connection, kind: str) -> None:
    """Locks the schedule of a kind until the transaction ends, so that a run that is due is asked for once."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 3))", f"schedule:{kind}")


async def asked_since(connection: Reading, kind: str, instant: datetime) -> bool:
    """Whether a run of a kind was asked for after an instant."""
    rows = await connection.fetch("SELECT 1 FROM run WHERE kind = $1 AND asked_at > $2 LIMIT 1", kind, instant)
    return bool(rows)


async def is_waiting(connection: Reading, kind: str) -> bool:
    """Whether a run of a kind has not ended yet."""
    return bool(await connection.fetch("SELECT 1 FROM run WHERE kind = $1 AND finished_at IS NULL LIMIT 1", kind))


async def read_run(connection: Reading, run_id: UUID) -> Run | None:
    """A computation, None for one that is not known."""
    rows = await connection.fetch(_READ, run_id)
    return Run(**dict(rows[0])) if rows else None


async def waiting_run(connection: Reading, kinds: Sequence[str]) -> Run | None:
    """The computation to carry out next, of these kinds."""
    rows = await connection.fetch(_WAITING, kinds)
    return Run(**dict(rows[0])) if rows else None


async def newest_run(connection: Reading, kind: str) -> Run | None:
    """The computation of a kind that was asked for last and is finished."""
    rows = await connection.fetch(_NEWEST, kind)
    return Run(**dict(rows[0])) if rows else None


async def progress(connection: Connection, run_id: UUID, done: int, total: int | None) -> None:
    """Keeps how far a computation has come."""
    await connection.execute(_PROGRESS, run_id, done, total)


async def finish(connection: Connection, run_id: UUID, state: str, result: str, at: datetime) -> None:
    """Ends a computation."""
    await connection.execute(_FINISH, run_id, state, result, at)


async def clear_valuations(connection: Connection, run_id: UUID) -> None:
    """Forgets what an interrupted computation found so far."""
    await connection.execute(_CLEAR, run_id)


async def keep_valuations(connection: Connection, run_id: UUID, valued: Sequence[Valued]) -> None:
    """Keeps what a valuation found of some customers."""
    await connection.execute(
        _VALUE,
        run_id,
        [one.customer_id for one in valued],
        [one.unit for one in valued],
        [one.total for one in valued],
        [one.contemporary for one in valued],
        [one.potential for one in valued],
        [one.model for one in valued],
        [one.summary for one in valued],
    )


async def forget_runs(connection: Connection, kind: str, kept: int) -> None:
    """Deletes all but the newest computations of a kind."""
    await connection.execute(_FORGET, kind, kept)


BY_MEASURE: Final[Keyset[tuple[int, UUID]]] = Keyset(int, UUID)
"""The order of a ranking: the most valuable first; customers of one value in the order of their ids."""


async def ranked(
    connection: Reading, run_id: UUID, measure: str, unit: str | None, after: tuple[int, UUID] | None, limit: int
) -> list[Row]:
    """Customers of a valuation, the most valuable by `measure` first, behind a place; of a unit and those below it."""
    if measure not in MEASURES:
        raise ValueError(f"{measure} is no measure")
    query = f"""
        SELECT customer_id, unit, total, contemporary, potential, model, summary FROM valuation
        WHERE run_id = $1 AND {measure} IS NOT NULL
            AND ($2::text IS NULL OR {lies_in_sql("unit", "$2")})
            AND ($3::bigint IS NULL OR ({measure}, $4::uuid) < ($3, customer_id))
        ORDER BY {measure} DESC, customer_id LIMIT $5
    """
    return await connection.fetch(query, run_id, unit, *BY_MEASURE.parameters(after), limit)


async def summaries(connection: Reading, run_id: UUID, after: UUID, limit: int) -> list[Row]:
    """Summaries of a valuation's customers, in the order of their ids."""
    query = """
        SELECT customer_id, unit, summary FROM valuation WHERE run_id = $1 AND customer_id > $2
        ORDER BY customer_id LIMIT $3
    """
    return await connection.fetch(query, run_id, after, limit)
