"""The ids of touchpoints that were accepted lately."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rapport_shared.database import Connection, Database

KEPT: Final = timedelta(days=7)
"""How long an id is remembered."""


async def remember(connection: Connection, ids: Collection[UUID], now: datetime) -> None:
    """Keeps ids, in order: two replicas that insert the same ids must not wait for each other."""
    await connection.execute(
        "INSERT INTO accepted_touchpoint SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING", sorted(set(ids)), now
    )


async def forget_old(connection: Connection, now: datetime) -> None:
    """Forgets the ids that were accepted too long ago."""
    await connection.execute("DELETE FROM accepted_touchpoint WHERE accepted_at < $1", now - KEPT)


async def accepted_at(database: Database, touchpoint_id: UUID) -> datetime | None:
    """When an id was accepted, if it was lately."""
    at: datetime | None = await database.fetch_value(
        "SELECT accepted_at FROM accepted_touchpoint WHERE touchpoint_id = $1", touchpoint_id
    )
    return at
