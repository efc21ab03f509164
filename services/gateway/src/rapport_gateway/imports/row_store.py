"""The SQL of an import's rows: judged, sent, and what became of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from rapport_gateway.imports.store import only_this
from rapport_shared.database import Connection, Database, Row
from rapport_shared.pages import Keyset


async def keep_rows(connection: Connection, import_id: UUID, attempt: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keeps judged rows and counts them. Raises `NotAsExpected` when the import was cancelled or is read elsewhere."""
    verdicts = [row[1] for row in rows]
    await only_this(
        connection,
        "UPDATE import SET rows = rows + $3, new = new + $4, matching = matching + $5, rejected = rejected + $6 "
        "WHERE import_id = $1 AND attempt = $2 AND state = 'waiting' RETURNING import_id",
        import_id,
        attempt,
        len(rows),
        verdicts.count("new"),
        verdicts.count("matches"),
        verdicts.count("rejected"),
    )
    await connection.copy_records_to_table(
        "import_row",
        records=[(import_id, *row) for row in rows],
        columns=["import_id", "number", "verdict", "customer_id", "reasons", "cells", "ids", "messages"],
    )


async def to_send(database: Database, import_id: UUID, limit: int) -> list[Row]:
    """The next rows that were not sent yet, with their messages."""
    return await database.fetch(
        "SELECT number, ids, messages FROM import_row WHERE import_id = $1 AND outcome IS NULL "
        "AND verdict <> 'rejected' ORDER BY number LIMIT $2",
        import_id,
        limit,
    )


async def on_their_way(database: Database, import_id: UUID) -> list[Row]:
    """The rows that were sent and of which nothing was seen yet."""
    return await database.fetch(
        "SELECT number, ids FROM import_row WHERE import_id = $1 AND outcome = 'sent' ORDER BY number", import_id
    )


async def mark_sent(connection: Connection, import_id: UUID, numbers: Sequence[int], now: datetime) -> None:
    """Rows that Kafka has; what was sent is no longer needed. May be repeated."""
    await connection.execute(
        "WITH marked AS (UPDATE import_row SET outcome = 'sent', messages = NULL WHERE import_id = $1 "
        "AND number = ANY($2) AND outcome IS NULL RETURNING number) "
        "UPDATE import SET sent = sent + (SELECT count(*) FROM marked), changed_at = $3 WHERE import_id = $1",
        import_id,
        list(numbers),
        now,
    )


async def mark_seen(
    connection: Connection, import_id: UUID, seen: Sequence[tuple[int, str, UUID | None, str | None]], now: datetime
) -> None:
    """What became of rows: number, outcome, customer, and for a quarantined one the reason as JSON. May be repeated."""
    await connection.execute(
        "WITH seen AS (SELECT * FROM unnest($2::int[], $3::text[], $4::uuid[], $5::text[]) "
        "AS t (number, outcome, customer_id, reason)), "
        "marked AS (UPDATE import_row r SET outcome = seen.outcome, "
        "customer_id = coalesce(seen.customer_id, r.customer_id), "
        "reasons = CASE WHEN seen.reason IS NULL THEN r.reasons "
        "ELSE (r.reasons::jsonb || jsonb_build_array(seen.reason::jsonb))::text END "
        "FROM seen WHERE r.import_id = $1 AND r.number = seen.number AND r.outcome = 'sent' RETURNING r.outcome) "
        "UPDATE import SET recorded = recorded + (SELECT count(*) FROM marked WHERE outcome <> 'quarantined'), "
        "quarantined = quarantined + (SELECT count(*) FROM marked WHERE outcome = 'quarantined'), changed_at = $6 "
        "WHERE import_id = $1",
        import_id,
        [number for number, *_ in seen],
        [outcome for _, outcome, _, _ in seen],
        [customer for _, _, customer, _ in seen],
        [reason for *_, reason in seen],
        now,
    )


BY_NUMBER: Final[Keyset[tuple[int]]] = Keyset(int)
"""The order of the rows of an import, as they are in the sheet."""


async def rows_page(
    connection: Connection, import_id: UUID, verdict: str | None, after: tuple[int] | None, limit: int
) -> list[Row]:
    """Rows by their number."""
    return await connection.fetch(
        "SELECT number, verdict, outcome, customer_id, reasons, cells FROM import_row WHERE import_id = $1 "
        f"AND {BY_NUMBER.behind('number', 2, '>')} "
        "AND ($3::text IS NULL OR verdict = $3 OR outcome = $3) ORDER BY number LIMIT $4",
        import_id,
        *BY_NUMBER.parameters(after),
        verdict,
        limit,
    )
