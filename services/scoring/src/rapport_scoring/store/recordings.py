"""What was recorded of profiles: documents and other facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
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
RETURNING event_id, retracted_at
"""
_RETRACT = """
INSERT INTO recording (event_id, retracted_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (event_id) DO UPDATE SET retracted_at = least(recording.retracted_at, excluded.retracted_at)
"""
COLUMNS = """
r.event_id, r.profile_id, r.system, r.family, r.number, r.kind, r.revision, r.occurred_at, r.recorded_at, r.unit,
r.data, r.historical, r.channel, r.begins_on, r.begun, u.time_zone
"""
"""What is read of a recording, from `RECORDINGS`."""
RECORDINGS = "(recording r LEFT JOIN unit u ON u.path = r.unit)"

_RECORDINGS = f"""
SELECT {COLUMNS} FROM {RECORDINGS} WHERE r.profile_id = ANY($1::uuid[])
    AND (r.retracted_at IS NULL OR r.retracted_at > $2) AND ($2::timestamptz IS NULL OR r.recorded_at <= $2)
"""
_ENDED_NOW = f"""
SELECT {COLUMNS} FROM {RECORDINGS}
WHERE r.event_id = ANY($1::uuid[]) AND r.profile_id IS NOT NULL AND r.retracted_at IS NULL ORDER BY r.event_id
FOR UPDATE OF r
"""
_ZONES = "SELECT path, time_zone FROM unit WHERE path = ANY($1::text[])"


class Fields(Protocol):
    """What has values by name: a row of the database, or what becomes one."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of that name."""


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


def document_name(row: Fields) -> DocumentKey | None:
    """The document that a row's recording states."""
    family: DocumentFamily = row["family"]
    return None if row["system"] is None else DocumentKey(row["system"], family, row["number"])


async def record(connection: Connection, recordings: Sequence[Recording]) -> set[UUID]:
    """Keeps recordings, sorted by the caller; answers the ids of those that are new and count."""
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
    return {row["event_id"] for row in rows if row["retracted_at"] is None}


async def retract(connection: Connection, retractions: Sequence[tuple[UUID, datetime]]) -> list[Row]:
    """Keeps retractions, sorted by the caller; answers the recordings that counted and are ended by them."""
    events = [event for event, _ in retractions]
    rows = await connection.fetch(_ENDED_NOW, events)
    await connection.execute(_RETRACT, events, [at for _, at in retractions])
    return rows


async def zones(connection: Connection, units: Sequence[str]) -> dict[str, str]:
    """The time zones of units."""
    return {row["path"]: row["time_zone"] for row in await connection.fetch(_ZONES, units)} if units else {}


async def recordings_of(connection: Reading, profiles: Sequence[UUID], known_at: datetime | None = None) -> list[Row]:
    """What was recorded of the profiles and not retracted, as known at an instant; each with its unit's time zone."""
    return await connection.fetch(_RECORDINGS, profiles, known_at)
