"""Resumes a halted role after an operator has repaired or accepted the cause of the halt."""

from rapport_shared.database import Connection, Database
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.records import Partition

RESUME_POSITIONS = ("keep", "beginning", "end")


class NotHalted(Exception):
    """The role is not halted."""


async def halted_roles(database: Database) -> dict[str, str]:
    """Halted roles and the reasons."""
    return {row["role"]: row["reason"] for row in await database.fetch("SELECT role, reason FROM halt ORDER BY role")}


async def resume(database: Database, servers: str, role: str, position: str) -> str:
    """Ends the halt of `role` and returns a sentence that describes the change.

    `keep` leaves the cursors where they are. `beginning` moves them to the start of the logs: the consumer reads the
    records again and knows repeats by their ids. `end` moves them to the end: the consumer skips the records between.
    Raises `NotHalted`.
    """
    async with database.transaction() as connection:
        reason = await connection.fetchval("DELETE FROM halt WHERE role = $1 RETURNING reason", role)
        if reason is None:
            raise NotHalted(f"{role} is not halted")
        rows = await connection.fetch(
            "SELECT topic, partition FROM consumer_cursor WHERE consumer = $1 FOR UPDATE", role
        )
        await connection.execute("UPDATE consumer_cursor SET counted_from = position WHERE consumer = $1", role)
        if position != "keep":
            await _move(
                connection, servers, role, [Partition(row["topic"], row["partition"]) for row in rows], position
            )
    return f"{role} was halted ({reason}) and goes on, cursors: {position}"


async def _move(connection: Connection, servers: str, role: str, partitions: list[Partition], position: str) -> None:
    async with BatchReader(servers, "rapport-resume", max_records=1) as reader:
        bounds = await reader.bounds(partitions)
    for partition, (begin, end) in bounds.items():
        await connection.execute(
            "UPDATE consumer_cursor SET position = $4, counted_from = $4, last_offset = NULL, last_event_id = NULL "
            "WHERE consumer = $1 AND topic = $2 AND partition = $3",
            role,
            partition.topic,
            partition.number,
            begin if position == "beginning" else end,
        )
