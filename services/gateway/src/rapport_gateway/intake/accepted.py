"""The ids of touchpoints that were accepted lately."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from rapport_gateway.intake.gathering import Gathering
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database

KEPT = timedelta(days=7)
"""How long an id is remembered."""


async def remember(connection: Connection, ids: Collection[UUID], now: datetime) -> None:
    """Keeps ids, in order: two replicas that insert the same ids must not wait for each other."""
    await connection.execute(
        "INSERT INTO accepted_touchpoint SELECT unnest($1::uuid[]), $2 ON CONFLICT DO NOTHING", sorted(set(ids)), now
    )


async def forget_old(connection: Connection, now: datetime) -> None:
    """Forgets the ids that were accepted too long ago."""
    await connection.execute("DELETE FROM accepted_touchpoint WHERE accepted_at < $1", now - KEPT)


async def latest(connection: Connection, limit: int) -> dict[UUID, datetime]:
    """The ids that were accepted last, and when."""
    rows = await connection.fetch(
        "SELECT touchpoint_id, accepted_at FROM accepted_touchpoint ORDER BY accepted_at DESC LIMIT $1", limit
    )
    return {row["touchpoint_id"]: row["accepted_at"] for row in rows}


class AcceptedIds:
    """Remembers accepted ids. Requests that come together share one commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._gathering = Gathering(self._insert)

    async def remember(self, ids: list[UUID]) -> None:
        """Returns when the ids are committed."""
        await self._gathering.add(ids)

    async def accepted_at(self, touchpoint_id: UUID) -> datetime | None:
        """When an id was accepted, if it was lately."""
        at: datetime | None = await self._database.fetch_value(
            "SELECT accepted_at FROM accepted_touchpoint WHERE touchpoint_id = $1", touchpoint_id
        )
        return at

    async def _insert(self, ids: list[UUID]) -> None:
        async with self._database.connection() as connection:
            await remember(connection, ids, self._clock())
