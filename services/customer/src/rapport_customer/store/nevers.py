"""Pairs of profiles that must not be one customer unless somebody says so by hand."""

from datetime import datetime
from uuid import UUID

from rapport_shared.database import Connection


async def never(
    connection: Connection, one: UUID, other: UUID, decided_by: str | None, at: datetime, merge_id: UUID | None = None
) -> None:
    """Keeps that two profiles are not one party; `merge_id` is the join whose end said so."""
    await connection.execute(
        "INSERT INTO never_join (one, other, merge_id, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (one, other) DO NOTHING",
        min(one, other),
        max(one, other),
        merge_id,
        decided_by,
        at,
    )


async def kept_apart(connection: Connection, one: UUID, other: UUID) -> bool:
    """Whether a profile of the customer `one` and one of `other` must not be joined."""
    found = await connection.fetchval(
        "WITH ours AS (SELECT profile_id FROM membership WHERE customer_id = $1), "
        "theirs AS (SELECT profile_id FROM membership WHERE customer_id = $2) "
        "SELECT EXISTS (SELECT FROM ours JOIN never_join n ON n.one = ours.profile_id "
        "  JOIN theirs ON theirs.profile_id = n.other) "
        "OR EXISTS (SELECT FROM theirs JOIN never_join n ON n.one = theirs.profile_id "
        "  JOIN ours ON ours.profile_id = n.other)",
        one,
        other,
    )
    return bool(found)
