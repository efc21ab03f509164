"""Hand-overs under way, and who owns what."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.database import Connection


@dataclass(frozen=True, slots=True)
class StoredHandOver:
    """All that `owner` looks after, in `unit` or anywhere where it is empty, goes to `to_owner`."""

    hand_over_id: UUID
    owner: str
    to_owner: str
    unit: str
    reason: str | None
    decided_by: str
    handed: int
    begun_at: datetime
    ended_at: datetime | None


_COLUMNS = "hand_over_id, owner, to_owner, unit, reason, decided_by, handed, begun_at, ended_at"
_OWNED = "owner = $1 AND sequence > 0 AND ($2 = '' OR starts_with((state::jsonb ->> 'unit') || '/', $2 || '/'))"


async def begin_hand_over(connection: Connection, one: StoredHandOver) -> None:
    """Keeps a hand-over that begins."""
    await connection.execute(
        f"INSERT INTO hand_over ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        one.hand_over_id,
        one.owner,
        one.to_owner,
        one.unit,
        one.reason,
        one.decided_by,
        one.handed,
        one.begun_at,
        one.ended_at,
    )


async def save_hand_over(connection: Connection, one: StoredHandOver) -> None:
    """Keeps how far a hand-over is."""
    await connection.execute(
        "UPDATE hand_over SET handed = $2, ended_at = $3 WHERE hand_over_id = $1",
        one.hand_over_id,
        one.handed,
        one.ended_at,
    )


async def read_hand_over(connection: Connection, hand_over_id: UUID) -> StoredHandOver | None:
    """A hand-over; None for an id that is not known."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM hand_over WHERE hand_over_id = $1", hand_over_id)
    return None if row is None else StoredHandOver(*row)


async def running_hand_over(connection: Connection, owner: str) -> StoredHandOver | None:
    """The hand-over of an owner that is under way; nobody begins one meanwhile."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('hand-over ' || $1, 0))", owner)
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM hand_over WHERE owner = $1 AND ended_at IS NULL", owner)
    return None if row is None else StoredHandOver(*row)


async def next_hand_over(connection: Connection) -> StoredHandOver | None:
    """The hand-over to go on with, locked."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM hand_over WHERE ended_at IS NULL ORDER BY begun_at, hand_over_id LIMIT 1 FOR UPDATE"
    )
    return None if row is None else StoredHandOver(*row)


async def owned_profiles(connection: Connection, owner: str, unit: str, limit: int) -> list[UUID]:
    """Profiles that an owner has, in a unit or anywhere where it is empty, in order."""
    rows = await connection.fetch(
        f"SELECT profile_id FROM profile WHERE {_OWNED} ORDER BY profile_id LIMIT $3", owner, unit, limit
    )
    return [row["profile_id"] for row in rows]


async def count_owned(connection: Connection, owner: str, unit: str) -> int:
    """How many profiles an owner has, in a unit or anywhere where it is empty."""
    count: int = await connection.fetchval(f"SELECT count(*) FROM profile WHERE {_OWNED}", owner, unit)
    return count
