"""Which customer each profile is part of, now and as it was known before."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from rapport_scoring.store.locking import lock_or_place
from rapport_shared.database import Connection, Reading

_PLACE_PROFILES = """
INSERT INTO profile_mapping (profile_id, customer_id) SELECT id, id FROM unnest($1::uuid[]) AS t (id)
ON CONFLICT DO NOTHING
"""
_CUSTOMERS_OF = """
SELECT profile_id, customer_id FROM profile_mapping WHERE profile_id = ANY($1::uuid[]) ORDER BY profile_id FOR SHARE
"""
_LOCK_PROFILES = """
SELECT profile_id, customer_id, mapping_seq FROM profile_mapping WHERE profile_id = ANY($1::uuid[])
ORDER BY profile_id FOR UPDATE
"""
_MOVE = """
UPDATE profile_mapping m SET customer_id = moved.customer_id, mapping_seq = moved.mapping_seq
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS moved (profile_id, customer_id, mapping_seq)
WHERE m.profile_id = moved.profile_id
"""
_REMEMBER = """
INSERT INTO mapping_history (profile_id, customer_id, mapping_seq, recorded_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])
ON CONFLICT DO NOTHING
"""
_COMPOSITIONS = "SELECT profile_id, customer_id FROM profile_mapping WHERE customer_id = ANY($1::uuid[])"
_ROOTS = "SELECT profile_id, customer_id FROM profile_mapping WHERE profile_id = ANY($1::uuid[])"
_COMPOSITION_AT = """
WITH candidate AS (
    SELECT profile_id FROM mapping_history WHERE customer_id = $1
    UNION SELECT profile_id FROM profile_mapping WHERE customer_id = $1 UNION SELECT $1
)
SELECT c.profile_id FROM candidate c
LEFT JOIN LATERAL (
    SELECT customer_id FROM mapping_history h WHERE h.profile_id = c.profile_id AND h.recorded_at <= $2
    ORDER BY mapping_seq DESC LIMIT 1
) known ON true
WHERE coalesce(known.customer_id, c.profile_id) = $1
ORDER BY c.profile_id
"""

Moved = tuple[UUID, UUID, int, datetime]
"""A profile, its customer from then on, the number of the move, and when it was recorded."""


async def customers_of(connection: Connection, profiles: Sequence[UUID]) -> set[UUID]:
    """The customers of profiles (an unknown profile is its own), which cannot move until the transaction ends."""
    rows = await lock_or_place(connection, _CUSTOMERS_OF, _PLACE_PROFILES, profiles, "profile_id")
    return {row["customer_id"] for row in rows}


async def lock_profiles(connection: Connection, profiles: Sequence[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """The customer and mapping sequence of each profile, locked to be moved."""
    rows = await lock_or_place(connection, _LOCK_PROFILES, _PLACE_PROFILES, profiles, "profile_id")
    return {row["profile_id"]: (row["customer_id"], row["mapping_seq"]) for row in rows}


async def move_profiles(connection: Connection, moves: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Puts profiles, locked by the caller, under customers: profile, customer, mapping sequence."""
    profiles, customers, sequences = [list(column) for column in zip(*moves, strict=True)]
    await connection.execute(_MOVE, profiles, customers, sequences)


async def remember_moves(connection: Connection, moves: Sequence[Moved]) -> None:
    """Keeps moves, sorted by the caller, for those who ask what was known earlier."""
    await connection.execute(_REMEMBER, *[list(column) for column in zip(*moves, strict=True)])


async def compositions(connection: Connection, customers: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The profiles of each customer."""
    found: dict[UUID, list[UUID]] = {customer: [] for customer in customers}
    for row in await connection.fetch(_COMPOSITIONS, customers):
        found[row["customer_id"]].append(row["profile_id"])
    return found


async def composition_at(connection: Reading, customer_id: UUID, known_at: datetime) -> list[UUID]:
    """The profiles of a customer as it was known then; none where it was part of another by then."""
    return [row["profile_id"] for row in await connection.fetch(_COMPOSITION_AT, customer_id, known_at)]


async def roots(connection: Reading, profiles: Sequence[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile that is known."""
    return {row["profile_id"]: row["customer_id"] for row in await connection.fetch(_ROOTS, profiles)}
