"""The channels that were reported on, and since when."""

from collections.abc import Collection
from datetime import datetime

from rapport_shared.database import Database


async def remember(database: Database, channels: Collection[str], now: datetime) -> None:
    """Keeps channels that are reported on for the first time; those that are known keep their instant."""
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO seen_channel (channel, first_at) SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING",
            sorted(channels),
            now,
        )


async def seen(database: Database, limit: int) -> dict[str, datetime]:
    """The channels that were seen first, and since when."""
    rows = await database.fetch("SELECT channel, first_at FROM seen_channel ORDER BY first_at LIMIT $1", limit)
    return {row["channel"]: row["first_at"] for row in rows}
