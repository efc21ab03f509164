"""What was recorded of profiles: documents and other facts, and which profiles' documents name each other's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.touchpoints import DocumentFamily, DocumentKey
from rapport_shared.database import Connection, Reading, Row

_RECORD = """
INSERT INTO recording (event_id, profile_id, system, family, number, kind, revision, occurred_at, recorded_at, unit,
                       data, historical, channel)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                     $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::boolean[], $13::text[])
ON CONFLICT (event_id) DO UPDATE SET profile_id = excluded.profile_id, system = excluded.system,
    family = excluded.family, number = excluded.number, kind = excluded.kind, revision = excluded.revision,
    occurred_at = excluded.occurred_at, recorded_at = excluded.recorded_at, unit = excluded.unit, data = excluded.data,
    historical = excluded.historical, channel = excluded.channel
WHERE recording.profile_id IS NULL
RETURNING event_id
"""
_RETRACT = """
INSERT INTO recording (event_id, retracted_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (event_id) DO UPDATE SET retracted_at = least(recording.retracted_at, excluded.retracted_at)
RETURNING profile_id, system, family, number
"""
_PLACE_NAMES = """
INSERT INTO document (system, number, family) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING
"""
_LOCK_NAMES = """
SELECT 1 FROM document
WHERE (system, number, family) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
ORDER BY system, number, family FOR UPDATE
"""
_USE_NAMES = """
INSERT INTO document_name (system, number, family, profile_id)
SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS t (system, number, family, profile_id)
ORDER BY 1, 2, 3, 4
ON CONFLICT DO NOTHING
"""
_LINK = """
INSERT INTO profile_link (profile_id, partner_id)
SELECT DISTINCT one.profile_id, other.profile_id FROM unnest($1::text[], $2::text[], $3::text[])
    AS asked (system, number, family)
JOIN document_name one USING (system, number, family)
JOIN document_name other USING (system, number, family)
WHERE one.profile_id <> other.profile_id ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_USERS = """
SELECT DISTINCT profile_id FROM document_name
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (system, number, family) USING (system, number, family)
"""
_PARTNERS = "SELECT profile_id, partner_id FROM profile_link WHERE profile_id = ANY($1::uuid[])"
_RECORDINGS = """
SELECT r.event_id, r.profile_id, r.system, r.family, r.number, r.kind, r.revision, r.occurred_at, r.recorded_at,
       r.unit, r.data, r.historical, r.channel, u.time_zone
FROM recording r LEFT JOIN unit u ON u.path = r.unit
WHERE r.profile_id = ANY($1::uuid[])
    AND (r.retracted_at IS NULL OR r.retracted_at > $2) AND ($2::timestamptz IS NULL OR r.recorded_at <= $2)
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """A fact as it is kept. `key` is that of the document it states, if it states one; `data` is JSON."""

    event_id: UUID
    profile_id: UUID
    key: DocumentKey | None
    kind: str
    revision: int
    occurred_at: datetime
    recorded_at: datetime
    unit: str | None
    data: str
    historical: bool
    channel: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Of a retracted recording that is known: whose it was, and which document it stated."""

    profile_id: UUID
    key: DocumentKey | None


def _columns(keys: Sequence[DocumentKey]) -> tuple[list[str], list[str], list[str]]:
    return [key.system for key in keys], [key.number for key in keys], [key.family for key in keys]


def document_name(row: Row) -> DocumentKey | None:
    """The document that a row's recording states."""
    family: DocumentFamily = row["family"]
    return None if row["system"] is None else DocumentKey(row["system"], family, row["number"])


async def record(connection: Connection, recordings: Sequence[Recording]) -> set[UUID]:
    """Keeps recordings, sorted by the caller; answers the ids of those that are new."""
    rows = await connection.fetch(
        _RECORD,
        [one.event_id for one in recordings],
        [one.profile_id for one in recordings],
        [one.key and one.key.system for one in recordings],
        [one.key and one.key.family for one in recordings],
        [one.key and one.key.number for one in recordings],
        [one.kind for one in recordings],
        [one.revision for one in recordings],
        [one.occurred_at for one in recordings],
        [one.recorded_at for one in recordings],
        [one.unit for one in recordings],
        [one.data for one in recordings],
        [one.historical for one in recordings],
        [one.channel for one in recordings],
    )
    return {row["event_id"] for row in rows}


async def retract(connection: Connection, retractions: Sequence[tuple[UUID, datetime]]) -> list[Ended]:
    """Keeps retractions, sorted by the caller; answers the recordings that they end, as far as they are known."""
    rows = await connection.fetch(_RETRACT, [event for event, _ in retractions], [at for _, at in retractions])
    return [Ended(row["profile_id"], document_name(row)) for row in rows if row["profile_id"] is not None]


async def lock_names(connection: Connection, names: Sequence[DocumentKey]) -> None:
    """Locks names until the transaction ends, so that who uses one sees what others did with it."""
    await connection.execute(_PLACE_NAMES, *_columns(names))
    await connection.execute(_LOCK_NAMES, *_columns(names))


async def use_names(connection: Connection, uses: Sequence[tuple[DocumentKey, UUID]]) -> None:
    """Keeps which profiles use which names (locked by the caller), and links profiles that share one."""
    names = [name for name, _ in uses]
    await connection.execute(_USE_NAMES, *_columns(names), [profile for _, profile in uses])
    await connection.execute(_LINK, *_columns(names))


async def users(connection: Connection, names: Sequence[DocumentKey]) -> set[UUID]:
    """The profiles whose statements use any of the names."""
    return {row["profile_id"] for row in await connection.fetch(_USERS, *_columns(names))}


async def partners(connection: Reading, profiles: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """For each profile that has any, the profiles whose documents name its documents, or the reverse."""
    found: dict[UUID, set[UUID]] = {}
    for row in await connection.fetch(_PARTNERS, profiles):
        found.setdefault(row["profile_id"], set()).add(row["partner_id"])
    return found


async def recordings_of(connection: Reading, profiles: Sequence[UUID], known_at: datetime | None = None) -> list[Row]:
    """What was recorded of the profiles and not retracted, as known at an instant; each with its unit's time zone."""
    return await connection.fetch(_RECORDINGS, profiles, known_at)
