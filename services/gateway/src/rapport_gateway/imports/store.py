"""The SQL of imports: their states and their files. Of their rows, see row_store; of mappings, mapping_store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_shared.database import Connection, Database, Row
from rapport_shared.pages import Keyset
from rapport_shared.units import lies_in_sql

KEPT: Final = timedelta(days=30)
"""How long rows are kept after the end, and files of what was never run."""
UPLOADING: Final = timedelta(hours=2)
"""An upload that has not ended by then was broken off."""

_WITHIN = lies_in_sql("unit", "$1")


class NotAsExpected(Exception):
    """The import is in another state, or another attempt works on it."""


@dataclass(frozen=True, slots=True)
class NewImport:
    """What is known of an import before its file is read."""

    import_id: UUID
    name: str
    principal: UUID
    may_verify: Sequence[str]
    channel: str
    system: str
    unit: str
    historical: bool
    as_of: datetime | None
    mapping: bytes | None


async def begin_upload(connection: Connection, new: NewImport, now: datetime) -> None:
    """Keeps an import whose file is still coming."""
    await connection.execute(
        "INSERT INTO import (import_id, state, name, principal, may_verify, channel, system, unit, historical, as_of, "
        "mapping, created_at, changed_at) VALUES ($1, 'uploading', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        new.import_id,
        new.name,
        new.principal,
        list(new.may_verify),
        new.channel,
        new.system,
        new.unit,
        new.historical,
        new.as_of,
        None if new.mapping is None else new.mapping.decode(),
        now,
    )


async def add_chunk(connection: Connection, import_id: UUID, number: int, chunk: bytes) -> None:
    """Keeps a part of the file."""
    await connection.execute("INSERT INTO import_chunk VALUES ($1, $2, $3)", import_id, number, chunk)


async def end_upload(
    connection: Connection, import_id: UUID, file_hash: bytes, file_bytes: int, request_digest: bytes, now: datetime
) -> UUID:
    """The import to go on with: this one, or the earlier one of the same file and request, which may start again.

    An earlier one that was cancelled or failed gets the file that just came.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 3))", request_digest.hex())
    earlier = await connection.fetchrow(
        "SELECT import_id, state FROM import WHERE request_digest = $1 FOR UPDATE", request_digest
    )
    if earlier is None:
        await connection.execute(
            "UPDATE import SET state = 'waiting', file_hash = $2, file_bytes = $3, request_digest = $4, "
            "changed_at = $5 WHERE import_id = $1",
            import_id,
            file_hash,
            file_bytes,
            request_digest,
            now,
        )
        return import_id
    found: UUID = earlier["import_id"]
    if earlier["state"] in ("cancelled", "failed"):
        await connection.execute("DELETE FROM import_chunk WHERE import_id = $1", found)
        await connection.execute("UPDATE import_chunk SET import_id = $2 WHERE import_id = $1", import_id, found)
        await _wait_anew(connection, found, now)
    await connection.execute("DELETE FROM import WHERE import_id = $1", import_id)
    return found


async def _wait_anew(connection: Connection, import_id: UUID, now: datetime) -> None:
    """Lets the sheet be read from its beginning; a reading that is under way finds that another attempt counts."""
    await connection.execute("DELETE FROM import_row WHERE import_id = $1", import_id)
    await connection.execute(
        "UPDATE import SET state = 'waiting', attempt = attempt + 1, "
        "problem = NULL, report = NULL, resolved = NULL, work_digest = NULL, "
        "rows = 0, new = 0, matching = 0, rejected = 0, sent = 0, recorded = 0, quarantined = 0, started_at = NULL, "
        "ended_at = NULL, forgotten_at = NULL, changed_at = $2 WHERE import_id = $1",
        import_id,
        now,
    )


async def drop_upload(connection: Connection, import_id: UUID) -> None:
    """Removes an upload that was broken off."""
    await connection.execute("DELETE FROM import WHERE import_id = $1 AND state = 'uploading'", import_id)


async def find(connection: Connection, unit: str, import_id: UUID, *, lock: bool = False) -> Row | None:
    """An import of `unit` or of what is below it, once its file is there."""
    return await connection.fetchrow(
        f"SELECT * FROM import WHERE import_id = $2 AND {_WITHIN} AND state <> 'uploading'"
        + (" FOR UPDATE" if lock else ""),
        unit,
        import_id,
    )


BY_CREATION: Final[Keyset[tuple[datetime, UUID]]] = Keyset(datetime, UUID)
"""The order of lists of imports: the newest first."""


async def page(database: Database, unit: str, after: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """Imports, the newest first."""
    return await database.fetch(
        f"SELECT * FROM import WHERE {_WITHIN} AND state <> 'uploading' "
        f"AND {BY_CREATION.behind('created_at, import_id', 2)} "
        "ORDER BY created_at DESC, import_id DESC LIMIT $4",
        unit,
        *BY_CREATION.parameters(after),
        limit,
    )


async def map_anew(connection: Connection, import_id: UUID, mapping: bytes, now: datetime) -> None:
    """Replaces the mapping; the worker checks the rows again."""
    await _wait_anew(connection, import_id, now)
    await connection.execute("UPDATE import SET mapping = $2 WHERE import_id = $1", import_id, mapping.decode())


async def start(connection: Connection, import_id: UUID, now: datetime) -> None:
    """Lets a checked import be sent. Its file is no longer needed."""
    await connection.execute(
        "UPDATE import SET state = 'running', started_at = $2, changed_at = $2 WHERE import_id = $1", import_id, now
    )
    await connection.execute("DELETE FROM import_chunk WHERE import_id = $1", import_id)


async def cancel(connection: Connection, import_id: UUID, now: datetime) -> None:
    """Ends an import and forgets what it holds of people; its counts stay."""
    await connection.execute(
        "UPDATE import SET state = 'cancelled', ended_at = $2, changed_at = $2 WHERE import_id = $1", import_id, now
    )
    await forget(connection, import_id, now)


async def forget(connection: Connection, import_id: UUID, now: datetime) -> None:
    """Removes file, rows, and what names columns."""
    await connection.execute("DELETE FROM import_row WHERE import_id = $1", import_id)
    await connection.execute("DELETE FROM import_chunk WHERE import_id = $1", import_id)
    await connection.execute(
        "UPDATE import SET forgotten_at = $2, report = NULL, resolved = NULL WHERE import_id = $1", import_id, now
    )


async def forget_old(connection: Connection, now: datetime) -> None:
    """Forgets what ended, or was left lying, thirty days ago, and uploads that were broken off."""
    await connection.execute(
        "DELETE FROM import WHERE state = 'uploading' AND changed_at < $1 AND created_at < $1", now - UPLOADING
    )
    rows = await connection.fetch(
        "SELECT import_id, state FROM import WHERE forgotten_at IS NULL AND changed_at < $1 "
        "AND state NOT IN ('uploading', 'waiting', 'running') ORDER BY import_id FOR UPDATE SKIP LOCKED LIMIT 20",
        now - KEPT,
    )
    for row in rows:
        if row["state"] in ("undecided", "checked"):
            await cancel(connection, row["import_id"], now)
        else:
            await forget(connection, row["import_id"], now)


async def waiting(database: Database) -> Row | None:
    """The import that has waited longest for its sheet to be read."""
    return await database.fetch_row("SELECT * FROM import WHERE state = 'waiting' ORDER BY created_at LIMIT 1")


async def running(database: Database) -> list[Row]:
    """The imports that are being sent or followed."""
    return await database.fetch(
        "SELECT import_id, changed_at, started_at FROM import WHERE state = 'running' ORDER BY created_at"
    )


async def chunk(database: Database, import_id: UUID, number: int) -> bytes | None:
    """A part of the file; None past the last."""
    found: bytes | None = await database.fetch_value(
        "SELECT bytes FROM import_chunk WHERE import_id = $1 AND number = $2", import_id, number
    )
    return found


async def begin_attempt(connection: Connection, import_id: UUID) -> int:
    """A number for this reading of the sheet; rows of an earlier one are removed. Raises `NotAsExpected`."""
    attempt: int | None = await connection.fetchval(
        "UPDATE import SET attempt = attempt + 1, rows = 0, new = 0, matching = 0, rejected = 0 "
        "WHERE import_id = $1 AND state = 'waiting' RETURNING attempt",
        import_id,
    )
    if attempt is None:
        raise NotAsExpected
    await connection.execute("DELETE FROM import_row WHERE import_id = $1", import_id)
    return attempt


async def settle_work(connection: Connection, digest: bytes, as_of: datetime) -> datetime:
    """The instant for which this work was first done: a repeat must give the same touchpoints, to the letter."""
    await connection.execute("INSERT INTO import_work VALUES ($1, $2) ON CONFLICT DO NOTHING", digest, as_of)
    settled: datetime = await connection.fetchval("SELECT as_of FROM import_work WHERE work_digest = $1", digest)
    return settled


async def keep_report(
    connection: Connection,
    import_id: UUID,
    attempt: int,
    *,
    report: Any,
    resolved: bytes | None,
    state: str,
    digest: bytes | None,
    dated_at: datetime | None,
    now: datetime,
) -> None:
    """Keeps what was found out of the sheet. Raises `NotAsExpected`."""
    await only_this(
        connection,
        "UPDATE import SET report = $3, resolved = $4, state = $5, work_digest = $6, dated_at = $7, "
        "changed_at = $8 WHERE import_id = $1 AND attempt = $2 AND state = 'waiting' RETURNING import_id",
        import_id,
        attempt,
        orjson.dumps(report).decode(),
        None if resolved is None else resolved.decode(),
        state,
        digest,
        dated_at,
        now,
    )


async def end_reading(connection: Connection, import_id: UUID, attempt: int, state: str, now: datetime) -> None:
    """All rows are judged. Raises `NotAsExpected`."""
    await only_this(
        connection,
        "UPDATE import SET state = $3, changed_at = $4 WHERE import_id = $1 AND attempt = $2 AND state = 'waiting' "
        "RETURNING import_id",
        import_id,
        attempt,
        state,
        now,
    )


async def fail(connection: Connection, import_id: UUID, attempt: int, problem: Any, now: datetime) -> None:
    """The file cannot be imported. It is not kept. Raises `NotAsExpected`."""
    await only_this(
        connection,
        "UPDATE import SET state = 'failed', problem = $3, ended_at = $4, changed_at = $4 "
        "WHERE import_id = $1 AND attempt = $2 AND state = 'waiting' RETURNING import_id",
        import_id,
        attempt,
        orjson.dumps(problem).decode(),
        now,
    )
    await connection.execute("DELETE FROM import_row WHERE import_id = $1", import_id)
    await connection.execute("DELETE FROM import_chunk WHERE import_id = $1", import_id)


async def only_this(connection: Connection, statement: str, *arguments: Any) -> None:
    """Runs a statement that answers the import that it changed. Raises `NotAsExpected` where it changed none."""
    if await connection.fetchval(statement, *arguments) is None:
        raise NotAsExpected


async def end_run(connection: Connection, import_id: UUID, now: datetime) -> None:
    """Everything was sent, and what became of it is known."""
    await connection.execute(
        "UPDATE import SET state = 'done', ended_at = $2, changed_at = $2 WHERE import_id = $1 AND state = 'running'",
        import_id,
        now,
    )
