"""Which statements of documents are settled together: those that use a name in common, and so on."""

from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from uuid import UUID

from rapport_scoring.store.recordings import COLUMNS, RECORDINGS, document_name
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Connection, Reading, Row

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
INSERT INTO statement_name (system, number, family, event_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) ON CONFLICT DO NOTHING
"""
_USING = f"""
SELECT DISTINCT ON (r.event_id) {COLUMNS} FROM statement_name n
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (system, number, family) USING (system, number, family)
JOIN {RECORDINGS} ON r.event_id = n.event_id
WHERE (r.retracted_at IS NULL OR r.retracted_at > $4) AND ($4::timestamptz IS NULL OR r.recorded_at <= $4)
"""
_NOT_BUILT = """
SELECT DISTINCT named.profile_id FROM document_name named
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (system, number, family) USING (system, number, family)
LEFT JOIN profile_total t ON t.profile_id = named.profile_id WHERE t.built IS NULL OR t.built = ''
"""
_BEGIN = """
UPDATE recording SET begun = true WHERE profile_id = ANY($1::uuid[]) AND begins_on <= $2 AND NOT begun
RETURNING system, number, family
"""
_SET_BEGINNING = """
UPDATE recording r SET begins_on = s.begins_on, begun = false
FROM unnest($1::uuid[], $2::date[]) AS s (event_id, begins_on)
WHERE r.event_id = s.event_id AND r.begins_on IS DISTINCT FROM s.begins_on
"""


def columns(names: Sequence[DocumentKey]) -> tuple[list[str], list[str], list[str]]:
    """Names as the columns of a statement."""
    return [name.system for name in names], [name.number for name in names], [name.family for name in names]


async def lock_names(connection: Connection, names: Sequence[DocumentKey]) -> None:
    """Locks names, sorted by the caller, until the transaction ends: statements are settled by one at a time."""
    locked = await connection.fetch(_LOCK_NAMES, *columns(names))
    if len(locked) < len(names):
        await connection.execute(_PLACE_NAMES, *columns(names))
        await connection.fetch(_LOCK_NAMES, *columns(names))


async def use_names(connection: Connection, uses: Mapping[UUID, Set[DocumentKey]]) -> None:
    """Keeps which names statements use."""
    pairs = sorted((name, event_id) for event_id, names in uses.items() for name in names)
    if pairs:
        names = [name for name, _ in pairs]
        await connection.execute(_USE_NAMES, *columns(names), [event_id for _, event_id in pairs])


async def statements_using(
    connection: Reading, names: Sequence[DocumentKey], known_at: datetime | None = None
) -> list[Row]:
    """The recordings that use any of the names and count, as known at an instant; each with its unit's time zone."""
    return await connection.fetch(_USING, *columns(names), known_at)


async def not_built(connection: Connection, names: Sequence[DocumentKey]) -> list[UUID]:
    """The profiles whose statements use any of the names, as it was kept before there were sums, and have none yet."""
    return sorted(row["profile_id"] for row in await connection.fetch(_NOT_BUILT, *columns(names)))


async def set_beginnings(connection: Connection, days: Mapping[UUID, date | None]) -> None:
    """Keeps from which later day on statements count; None for those that count at once."""
    events = sorted(days)
    await connection.execute(_SET_BEGINNING, events, [days[event_id] for event_id in events])


async def begin_statements(connection: Connection, profiles: Sequence[UUID], today: date) -> set[DocumentKey]:
    """Lets the statements of profiles count whose day has come; answers the documents that they state."""
    rows = await connection.fetch(_BEGIN, profiles, today)
    return {name for row in rows if (name := document_name(row)) is not None}
