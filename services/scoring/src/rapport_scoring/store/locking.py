"""Locking rows that may not be there yet."""

from collections.abc import Sequence
from uuid import UUID

from rapport_shared.database import Connection, Row


async def lock_or_place(connection: Connection, lock: str, place: str, ids: Sequence[UUID], column: str) -> list[Row]:
    """The rows of `ids` by the statement `lock`, which locks them; those that are missing are placed first by `place`.

    Most rows are there, and cost one statement.
    """
    rows = await connection.fetch(lock, ids)
    if len(rows) < len(ids):
        known = {row[column] for row in rows}
        missing = [one for one in ids if one not in known]
        await connection.execute(place, missing)
        rows += await connection.fetch(lock, missing)
    return rows
