"""The quality of what sources say: of each record as it is now, and of each source from day to day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rapport_customer.domain.quality import SourceQuality
from rapport_shared.database import Connection, Database, Row
from rapport_shared.units import lies_in_sql


@dataclass(frozen=True, slots=True)
class QualitySums:
    """Sums over the records of one source in one unit. `reported` is how many were reported in the last 90 days."""

    system: str
    unit: str
    profiles: int
    expected: int
    filled: int
    checked: int
    readable: int
    states: int
    stands: int
    reported: int
    doubled: int
    day: date | None = None


async def save_quality(
    connection: Connection, profile_id: UUID, records: Sequence[SourceQuality], *, first: bool
) -> None:
    """Replaces the quality of a profile's source records; `first` where none can be kept yet."""
    if not first:
        await connection.execute("DELETE FROM source_quality WHERE profile_id = $1", profile_id)
    await connection.executemany(
        "INSERT INTO source_quality (profile_id, system, record, unit, expected, filled, checked, readable, states, "
        "stands, reported_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [
            (
                profile_id,
                one.system,
                one.record,
                one.unit,
                one.expected,
                one.filled,
                one.checked,
                one.readable,
                one.states,
                one.stands,
                one.reported_at,
            )
            for one in records
        ],
    )


async def quality_of_sources(database: Database, unit: str, recent: datetime) -> list[QualitySums]:
    """The sums of each source and unit at or below `unit`, the whole firm where it is empty."""
    rows = await database.fetch(_SUMS + " ORDER BY system, unit", unit, recent)
    return [_sums(row) for row in rows]


async def keep_quality_of_day(connection: Connection, day: date, recent: datetime) -> None:
    """Writes today's sums. May be repeated; the last write of a day counts."""
    await connection.execute(
        "INSERT INTO quality_day (day, system, unit, profiles, expected, filled, checked, readable, states, stands, "
        f"reported, doubled) SELECT $3, sums.* FROM ({_SUMS}) AS sums "
        "ON CONFLICT (system, unit, day) DO UPDATE SET profiles = excluded.profiles, expected = excluded.expected, "
        "filled = excluded.filled, checked = excluded.checked, readable = excluded.readable, states = excluded.states, "
        "stands = excluded.stands, reported = excluded.reported, doubled = excluded.doubled",
        "",
        recent,
        day,
    )


async def quality_of_days(database: Database, system: str, unit: str, since: date) -> list[QualitySums]:
    """The sums of a source and unit, day by day."""
    rows = await database.fetch(
        "SELECT * FROM quality_day WHERE system = $1 AND unit = $2 AND day >= $3 ORDER BY day LIMIT 1000",
        system,
        unit,
        since,
    )
    return [_sums(row, row["day"]) for row in rows]


def _sums(row: Row, day: date | None = None) -> QualitySums:
    counts = {name: int(row[name]) for name in _COUNTS}
    return QualitySums(system=row["system"], unit=row["unit"], day=day, **counts)


_COUNTS = ("profiles", "expected", "filled", "checked", "readable", "states", "stands", "reported", "doubled")


_SUMS = f"""
SELECT q.system, q.unit, count(*) AS profiles, sum(expected) AS expected, sum(filled) AS filled,
       sum(checked) AS checked, sum(readable) AS readable, sum(states) AS states, sum(stands) AS stands,
       count(*) FILTER (WHERE reported_at >= $2) AS reported,
       count(suspected.profile_id) AS doubled
FROM source_quality q LEFT JOIN (
    SELECT one AS profile_id FROM merge_candidate WHERE state = 'open'
    UNION SELECT other FROM merge_candidate WHERE state = 'open'
) AS suspected USING (profile_id) WHERE {lies_in_sql("q.unit", "$1")}
GROUP BY q.system, q.unit
"""
