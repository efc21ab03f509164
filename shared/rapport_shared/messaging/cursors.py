"""Cursors of consumers, stored in PostgreSQL; the transaction that consumes a batch moves them by compare-and-set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapport_shared.database import Connection, Database, Reading
from rapport_shared.messaging.halts import Halted
from rapport_shared.messaging.leadership import CursorMoved
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.records import Partition, Record

_LOAD = "SELECT topic, partition, position, last_offset, last_event_id FROM consumer_cursor WHERE consumer = $1"
_BEGIN = """
INSERT INTO consumer_cursor (consumer, topic, partition, position)
SELECT $1, topic, partition, position FROM unnest($2::text[], $3::int[], $4::bigint[]) AS t (topic, partition, position)
ON CONFLICT DO NOTHING
"""
_MOVE = """
UPDATE consumer_cursor c
SET position = moved.position, last_offset = moved.position - 1, last_event_id = moved.event_id
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::text[])
    AS moved (topic, partition, expected, position, event_id)
WHERE c.consumer = $1 AND c.topic = moved.topic AND c.partition = moved.partition AND c.position = moved.expected
"""

_HOLD = """
SELECT 1 FROM consumer_cursor c
JOIN unnest($2::text[], $3::int[], $4::bigint[]) AS held (topic, partition, position)
    ON c.topic = held.topic AND c.partition = held.partition AND c.position = held.position
WHERE c.consumer = $1 ORDER BY c.topic, c.partition FOR UPDATE OF c
"""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next offset to consume, and what was consumed last."""

    position: int
    last_offset: int | None = None
    last_event_id: str | None = None


async def load_cursors(database: Reading, consumer: str) -> dict[Partition, Cursor]:
    """The stored cursors of `consumer`."""
    rows = await database.fetch(_LOAD, consumer)
    return {
        Partition(row["topic"], row["partition"]): Cursor(row["position"], row["last_offset"], row["last_event_id"])
        for row in rows
    }


async def begin_cursors(database: Database, consumer: str, positions: dict[Partition, int]) -> None:
    """Stores cursors for partitions that have none."""
    async with database.transaction() as connection:
        await connection.execute(
            _BEGIN,
            consumer,
            [partition.topic for partition in positions],
            [partition.number for partition in positions],
            list(positions.values()),
        )


async def move_cursors(
    connection: Connection, consumer: str, records: Sequence[Record], before: dict[Partition, int]
) -> None:
    """Moves the cursors past `records`, as the first statement of a transaction.

    `before` is the position that the caller expects. Raises `CursorMoved` when a cursor is at another position.
    """
    last: dict[Partition, Record] = {record.partition: record for record in records}
    moves = sorted(last.items(), key=lambda item: (item[0].topic, item[0].number))
    status = await connection.execute(
        _MOVE,
        consumer,
        [partition.topic for partition, _ in moves],
        [partition.number for partition, _ in moves],
        [before[partition] for partition, _ in moves],
        [record.offset + 1 for _, record in moves],
        [record.event_id for _, record in moves],
    )
    if status != f"UPDATE {len(moves)}":
        raise CursorMoved(consumer)


async def hold_cursors(connection: Connection, consumer: str, positions: dict[Partition, int]) -> None:
    """Locks the cursors for a transaction that moves none of them. Raises `CursorMoved` if one has moved.

    A late transaction of a replaced leader thus either sees the cursors of its successor and fails, or makes the
    successor wait until it has ended.
    """
    rows = await connection.fetch(
        _HOLD,
        consumer,
        [partition.topic for partition in positions],
        [partition.number for partition in positions],
        list(positions.values()),
    )
    if len(rows) != len(positions):
        raise CursorMoved(consumer)


async def verified_positions(
    database: Database,
    reader: BatchReader,
    consumer: str,
    partitions: Iterable[Partition],
    *,
    at_log_start: frozenset[str],
) -> dict[Partition, int]:
    """The positions to continue from, after checking that each log is the log that the cursor was made on.

    A partition without a cursor begins at 0, or at the start of its log for topics in `at_log_start`. Raises `Halted`
    when records between the cursor and the log are lost, when the cursor is past the end, or when the last consumed
    record differs now (the topic was created again, or the cluster is another one).
    """
    bounds = await reader.bounds(partitions)
    stored = await load_cursors(database, consumer)
    new = {
        partition: begin if partition.topic in at_log_start else 0
        for partition, (begin, _) in bounds.items()
        if partition not in stored
    }
    if new:
        await begin_cursors(database, consumer, new)
        stored = await load_cursors(database, consumer)
    for partition, (begin, end) in bounds.items():
        _check_bounds(partition, stored[partition], begin, end)
    for partition, (begin, _) in bounds.items():
        await _check_last(reader, partition, stored[partition], begin)
    return {partition: stored[partition].position for partition in bounds}


def _check_bounds(partition: Partition, cursor: Cursor, begin: int, end: int) -> None:
    if cursor.position < begin:
        raise Halted(f"{partition} begins at {begin}, after the cursor {cursor.position}: records were lost unread")
    if cursor.position > end:
        raise Halted(
            f"{partition} ends at {end}, before the cursor {cursor.position}: the topic was recreated or truncated"
        )


async def _check_last(reader: BatchReader, partition: Partition, cursor: Cursor, begin: int) -> None:
    if cursor.last_offset is None or cursor.last_offset < begin:
        return
    record = await reader.record_at(partition, cursor.last_offset)
    if record is not None and record.event_id != cursor.last_event_id:
        raise Halted(
            f"{partition} holds another record at {cursor.last_offset} than was consumed there: "
            "the topic was recreated, or this is another cluster"
        )
