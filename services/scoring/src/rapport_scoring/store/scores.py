"""What was last published of each customer, what was decided about it, and when to look again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_scoring.store.locking import lock_or_place
from rapport_shared.database import Connection, Reading, Row
from rapport_shared.pages import Keyset

_NAMES = """
customer_id, sequence, recorded_at, score, version, moved_to, timed_at, due_at, generation, memory, peer_group
"""
_PLACE_CUSTOMERS = """
INSERT INTO customer_score (customer_id) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING
"""
_LOCK_CUSTOMERS = f"""
SELECT {_NAMES} FROM customer_score WHERE customer_id = ANY($1::uuid[]) ORDER BY customer_id FOR UPDATE
"""
_PUBLISHED = f"SELECT {_NAMES} FROM customer_score WHERE customer_id = $1"
_PUBLISHED_OF_MANY = f"SELECT {_NAMES} FROM customer_score WHERE customer_id = ANY($1::uuid[])"
_SAVE = """
UPDATE customer_score c SET sequence = s.sequence, recorded_at = s.recorded_at, score = s.score, version = s.version,
    moved_to = s.moved_to, timed_at = s.timed_at, due_at = s.due_at, generation = s.generation, memory = s.memory,
    peer_group = s.peer_group
FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::bigint[], $6::uuid[], $7::timestamptz[],
            $8::timestamptz[], $9::bigint[], $10::text[], $11::text[])
    AS s (customer_id, sequence, recorded_at, score, version, moved_to, timed_at, due_at, generation, memory,
          peer_group)
WHERE c.customer_id = s.customer_id
"""
_DUE = """
SELECT customer_id FROM customer_score WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
_OUTDATED = """
SELECT customer_id FROM customer_score WHERE version > 0 AND generation < $1 ORDER BY generation LIMIT $2
FOR UPDATE SKIP LOCKED
"""
_OUTDATE = """
UPDATE customer_score SET generation = -1 WHERE customer_id IN (
    SELECT coalesce(mapping.customer_id, recording.profile_id) FROM recording
    LEFT JOIN profile_mapping mapping USING (profile_id) WHERE recording.unit = ANY($1::text[])
    UNION SELECT coalesce(mapping.customer_id, register.profile_id) FROM profile_register register
    LEFT JOIN profile_mapping mapping USING (profile_id) WHERE register.unit = ANY($1::text[]))
"""
_OUTDATE_CUSTOMERS = "UPDATE customer_score SET generation = -1 WHERE customer_id = ANY($1::uuid[])"
_GIVE_UP = "UPDATE customer_score SET due_at = NULL, generation = $2 WHERE customer_id = $1"
_SCORED = """
SELECT customer_id FROM customer_score WHERE version > 0 AND moved_to IS NULL AND customer_id > $1
ORDER BY customer_id LIMIT $2
"""
_COUNT = "SELECT count(*)::integer FROM customer_score WHERE version > 0 AND moved_to IS NULL"
_ENTER = """
INSERT INTO segment_member (segment, customer_id, since)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[])
ON CONFLICT (segment, customer_id) DO UPDATE SET since = EXCLUDED.since
"""
_LEAVE = """
DELETE FROM segment_member m USING unnest($1::text[], $2::uuid[]) AS t (segment, customer_id)
WHERE m.segment = t.segment AND m.customer_id = t.customer_id
"""
BY_ID: Final[Keyset[tuple[UUID]]] = Keyset(UUID)
"""The order of the members of a segment."""
_MEMBERS = f"""
SELECT customer_id, since FROM segment_member WHERE segment = $1
AND {BY_ID.behind("customer_id", 2, ">")} ORDER BY customer_id LIMIT $3
"""
_SIZES = "SELECT segment, count(*)::integer AS members FROM segment_member GROUP BY segment"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """What was last published of a customer: nothing yet where sequence and version are 0.

    `timed_at` is the latest timer that asked, `due_at` when time alone changes the score next, `generation` that of
    the rules it was computed under, `memory` the decisions that are recorded, as JSON.
    """

    customer_id: UUID
    sequence: int = 0
    recorded_at: datetime | None = None
    score: str | None = None
    version: int = 0
    moved_to: UUID | None = None
    timed_at: datetime | None = None
    due_at: datetime | None = None
    generation: int = 0
    memory: str | None = None
    peer_group: str | None = None


async def lock_customers(connection: Connection, customers: Sequence[UUID]) -> list[ScoreRow]:
    """What was last published of the customers, locked; in the order of their ids."""
    rows = await lock_or_place(connection, _LOCK_CUSTOMERS, _PLACE_CUSTOMERS, customers, "customer_id")
    return sorted([ScoreRow(**dict(row)) for row in rows], key=lambda row: row.customer_id)


async def published(connection: Reading, customer_id: UUID) -> ScoreRow | None:
    """What was last published of a customer, None for one that was never looked at."""
    rows = await connection.fetch(_PUBLISHED, customer_id)
    return ScoreRow(**dict(rows[0])) if rows else None


async def scores_of(connection: Reading, customers: Sequence[UUID]) -> dict[UUID, ScoreRow]:
    """What was last published of customers that have a score."""
    rows = await connection.fetch(_PUBLISHED_OF_MANY, customers)
    return {row["customer_id"]: ScoreRow(**dict(row)) for row in rows}


async def save_scores(connection: Connection, rows: Sequence[ScoreRow]) -> None:
    """Saves what is now known of customers that the caller has locked."""
    await connection.execute(
        _SAVE,
        [row.customer_id for row in rows],
        [row.sequence for row in rows],
        [row.recorded_at for row in rows],
        [row.score for row in rows],
        [row.version for row in rows],
        [row.moved_to for row in rows],
        [row.timed_at for row in rows],
        [row.due_at for row in rows],
        [row.generation for row in rows],
        [row.memory for row in rows],
        [row.peer_group for row in rows],
    )


async def claim_due(connection: Connection, now: datetime, limit: int) -> list[UUID]:
    """Locks and answers customers whose score time has changed by `now`, sorted; the longest due first, if not all."""
    return sorted(row["customer_id"] for row in await connection.fetch(_DUE, now, limit))


async def outdate_units(connection: Connection, units: Sequence[str]) -> None:
    """The customers with facts of `units` are assessed anew in the background, as under other rules."""
    await connection.execute(_OUTDATE, units)


async def outdate_customers(connection: Connection, customers: Sequence[UUID]) -> None:
    """These customers are assessed in the background, as under other rules."""
    if customers:
        await connection.execute(_OUTDATE_CUSTOMERS, customers)


async def claim_outdated(connection: Connection, generation: int, limit: int) -> list[UUID]:
    """Locks and answers customers that were assessed under earlier rules, sorted."""
    return sorted(row["customer_id"] for row in await connection.fetch(_OUTDATED, generation, limit))


async def give_up(connection: Connection, customer_id: UUID, generation: int) -> None:
    """Lets no timer look at a customer until its next fact, or the next rules."""
    await connection.execute(_GIVE_UP, customer_id, generation)


async def scored_customers(connection: Reading, after: UUID, limit: int) -> list[UUID]:
    """Customers that have a score, in the order of their ids."""
    return [row["customer_id"] for row in await connection.fetch(_SCORED, after, limit)]


async def count_scored(connection: Reading) -> int:
    """How many customers have a score."""
    rows = await connection.fetch(_COUNT)
    return int(rows[0]["count"])


async def enter_segments(connection: Connection, entries: Sequence[tuple[str, UUID, datetime]]) -> None:
    """Keeps memberships: segment, customer, since when; sorted by the caller."""
    if entries:
        await connection.execute(_ENTER, *[list(column) for column in zip(*entries, strict=True)])


async def leave_segments(connection: Connection, leaves: Sequence[tuple[str, UUID]]) -> None:
    """Ends memberships."""
    if leaves:
        await connection.execute(_LEAVE, *[list(column) for column in zip(*leaves, strict=True)])


async def members(connection: Reading, segment: str, after: tuple[UUID] | None, limit: int) -> list[Row]:
    """Members of a segment in the order of their ids, each with since when."""
    return await connection.fetch(_MEMBERS, segment, *BY_ID.parameters(after), limit)


async def segment_sizes(connection: Reading) -> dict[str, int]:
    """How many members each segment has that has any."""
    return {row["segment"]: row["members"] for row in await connection.fetch(_SIZES)}


async def has_scored_before(connection: Reading, instant: datetime) -> bool:
    """Whether there is a customer whose score was recorded at an instant or before."""
    return bool(await connection.fetch("SELECT 1 FROM customer_score WHERE recorded_at <= $1 LIMIT 1", instant))
