"""What a batch needs of customers, in one read, and what it changes of them, in two writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_gateway.projection.store import partials
from rapport_gateway.projection.store.views import COLUMNS, StoredView
from rapport_gateway.view.facts import State
from rapport_gateway.view.sections import FOLDING, SECTIONS, Place
from rapport_shared.database import Connection, Row
from rapport_shared.messaging.leadership import CursorMoved

_LOAD = f"""
WITH asked AS (
    SELECT unnest($1::uuid[]) AS id
), customers AS (
    SELECT id FROM asked UNION SELECT m.customer_id FROM asked JOIN membership m ON m.profile_id = asked.id
), everybody AS (
    SELECT id FROM customers UNION SELECT m.profile_id FROM customers c JOIN membership m ON m.customer_id = c.id
)
SELECT e.id, m.customer_id AS part_of, m.mapping_seq, kept.partials,
       v.customer_id, v.version, v.seq, v.as_of, v.moved_to, v.units, {COLUMNS}
FROM everybody e
LEFT JOIN membership m ON m.profile_id = e.id
LEFT JOIN customer_view v ON v.customer_id = e.id
CROSS JOIN LATERAL (
    SELECT array_agg(ARRAY[section, state]) AS partials FROM partial
    WHERE profile_id = e.id AND section = ANY($2) AND item = ''
) AS kept
"""
_MEMBERSHIPS = """
    INSERT INTO membership (profile_id, customer_id, mapping_seq)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
    ON CONFLICT (profile_id) DO UPDATE SET customer_id = excluded.customer_id, mapping_seq = excluded.mapping_seq
"""
_PARTIALS = """
    INSERT INTO partial (profile_id, section, item, state, rank)
    SELECT * FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[])
    ON CONFLICT (profile_id, section, item) DO UPDATE SET state = excluded.state, rank = excluded.rank
"""
_SAVE_PARTIALS = f"WITH memberships AS ({_MEMBERSHIPS}) {_PARTIALS}"
_KEPT_OR_REPLACED = ", ".join(
    f"{name} = CASE WHEN excluded.moved_to IS NULL THEN coalesce(excluded.{name}, v.{name}) END" for name in SECTIONS
)
_SAVE_ALL = f"""
WITH memberships AS ({_MEMBERSHIPS}), partials AS ({_PARTIALS}), views AS (
    INSERT INTO customer_view AS v (customer_id, version, seq, as_of, moved_to, search_text, units, {COLUMNS})
    SELECT customer_id, version, seq, as_of, moved_to, coalesce(search_text, ''),
           coalesce(string_to_array(nullif(units, ''), E'\\n'), '{{}}'), {COLUMNS}
    FROM unnest($9::uuid[], $10::bigint[], $11::bigint[], $12::timestamptz[], $13::uuid[], $14::text[], $15::text[],
                {", ".join(f"${index + 21}::text[]" for index in range(len(SECTIONS)))})
        AS t (customer_id, version, seq, as_of, moved_to, search_text, units, {COLUMNS})
    ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, seq = excluded.seq, as_of = excluded.as_of,
        moved_to = excluded.moved_to, {_KEPT_OR_REPLACED},
        search_text = CASE WHEN excluded.identity IS NULL AND excluded.moved_to IS NULL THEN v.search_text
                      ELSE excluded.search_text END,
        units = CASE WHEN excluded.identity IS NULL AND excluded.moved_to IS NULL THEN v.units
                ELSE excluded.units END
), changes AS (
    INSERT INTO change (seq, customer_id, version, sections, at)
    SELECT seq, customer_id, version, string_to_array(sections, ','), $17
    FROM unnest($9::uuid[], $10::bigint[], $11::bigint[], $16::text[]) AS t (customer_id, version, seq, sections)
)
UPDATE view_run SET seq = seq + $18, turn = turn + 1 WHERE run = $19 AND turn = $20
"""


async def load(connection: Connection, ids: Collection[UUID]) -> Sequence[Row]:
    """Profiles with all that are part of the same customers, and of customers with these ids. See `Cache.take`."""
    return await connection.fetch(_LOAD, sorted(ids), sorted(FOLDING))


@dataclass(frozen=True, slots=True)
class Parts:
    """Memberships (profile, customer, mapping sequence) and partials that changed; those that are None are removed."""

    memberships: Collection[tuple[UUID, UUID, int]]
    partials: Mapping[Place, State | None]


async def save_parts(connection: Connection, parts: Parts) -> None:
    """Keeps memberships and partials."""
    await connection.execute(_SAVE_PARTIALS, *await _columns(connection, parts))


async def save_all(
    connection: Connection,
    run: int,
    turn: int,
    parts: Parts,
    views: Sequence[tuple[StoredView, Mapping[str, str]]],
    searches: Mapping[UUID, str],
    at: datetime,
) -> None:
    """Keeps what changed and ends the run's turn. Of a customer's row it takes the sections that changed.

    `searches` are the texts of those who are renamed. Raises `CursorMoved` when another writer has written to the run
    since the turn began.
    """
    rows = [view for view, _ in views]
    status = await connection.execute(
        _SAVE_ALL,
        *await _columns(connection, parts),
        [view.customer_id for view in rows],
        [view.version for view in rows],
        [view.seq for view in rows],
        [view.as_of for view in rows],
        [view.moved_to for view in rows],
        [searches.get(view.customer_id) for view in rows],
        ["\n".join(view.units) for view in rows],
        [",".join(name for name in SECTIONS if name in changed) for _, changed in views],
        at,
        len(rows),
        run,
        turn,
        *([changed.get(name) for _, changed in views] for name in SECTIONS),
    )
    if status != "UPDATE 1":
        raise CursorMoved(f"view-{run}")


async def _columns(connection: Connection, parts: Parts) -> list[list[Any]]:
    gone = [place for place, state in parts.partials.items() if state is None]
    if gone:
        await partials.delete(connection, gone)
    kept = {place: state for place, state in parts.partials.items() if state is not None}
    moved = [list(column) for column in zip(*sorted(parts.memberships), strict=True)]
    return [*(moved or [[], [], []]), *partials.rows_of(kept)]
