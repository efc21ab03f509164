"""The ids of touchpoints that were accepted lately, and what each was accepted for."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rapport_shared.database import Connection, Database

KEPT: Final = timedelta(days=7)
"""How long an id is remembered."""

_REMEMBER: Final = """
WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS given (touchpoint_id, digest) ORDER BY touchpoint_id)
INSERT INTO accepted_touchpoint (touchpoint_id, accepted_at, digest) SELECT touchpoint_id, $3, digest FROM given
ON CONFLICT (touchpoint_id) DO UPDATE SET digest = coalesce(accepted_touchpoint.digest, excluded.digest)
RETURNING touchpoint_id, digest
"""
"""In the order of ids: two replicas that write the same ids must not wait for each other."""


async def remember(connection: Connection, digests: Mapping[UUID, bytes], now: datetime) -> dict[UUID, bytes]:
    """Keeps ids with what they were first accepted for, and answers that."""
    rows = await connection.fetch(_REMEMBER, list(digests.keys()), list(digests.values()), now)
    return {row["touchpoint_id"]: row["digest"] for row in rows}


async def digests_of(database: Database, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """What ids were accepted for, of those that were accepted lately."""
    rows = await database.fetch(
        "SELECT touchpoint_id, digest FROM accepted_touchpoint WHERE touchpoint_id = ANY($1) AND digest IS NOT NULL",
        list(ids),
    )
    return {row["touchpoint_id"]: row["digest"] for row in rows}


async def forget_old(connection: Connection, now: datetime) -> None:
    """Forgets the ids that were accepted too long ago."""
    await connection.execute("DELETE FROM accepted_touchpoint WHERE accepted_at < $1", now - KEPT)


async def accepted_at(database: Database, touchpoint_id: UUID) -> datetime | None:
    """When an id was accepted, if it was lately."""
    at: datetime | None = await database.fetch_value(
        "SELECT accepted_at FROM accepted_touchpoint WHERE touchpoint_id = $1", touchpoint_id
    )
    return at
