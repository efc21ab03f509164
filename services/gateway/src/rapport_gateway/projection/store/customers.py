"""What a batch needs of customers, in one read, and what it changes of them, in two writes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
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
_SAVE_PARTIALS = """
WITH moved AS (
    INSERT INTO membership (profile_id, customer_id, mapping_seq)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
    ON CONFLICT (profile_id) DO UPDATE SET customer_id = excluded.customer_id, mapping_seq = excluded.mapping_seq
)
INSERT INTO partial (profile_id, section, item, state, rank)
SELECT * FROM unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[])
ON CONFLICT (profile_id, section, item) DO UPDATE SET state = excluded.state, rank = excluded.rank
"""
_KEPT_OR_REPLACED = ", ".join(
    f"{name} = CASE WHEN excluded.moved_to IS NULL THEN coalesce(excluded.{name}, v.{name}) END" for name in SECTIONS
)
_SAVE_VIEWS = f"""
WITH views AS (
    INSERT INTO customer_view AS v (customer_id, version, seq, as_of, moved_to, search_text, units, {COLUMNS})
    SELECT customer_id, version, seq, as_of, moved_to, coalesce(search_text, ''),
           coalesce(string_to_array(nullif(units, ''), E'\\n'), '{{}}'), {COLUMNS}
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[],
                {", ".join(f"${index + 13}::text[]" for index in range(len(SECTIONS)))})
        AS t (customer_id, version, seq, as_of, moved_to, search_text, units, {COLUMNS})
    ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, seq = excluded.seq, as_of = excluded.as_of,
        moved_to = excluded.moved_to, {_KEPT_OR_REPLACED},
        search_text = CASE WHEN excluded.identity IS NULL AND excluded.moved_to IS NULL THEN v.search_text
                      ELSE excluded.search_text END,
        units = CASE WHEN excluded.identity IS NULL AND excluded.moved_to IS NULL THEN v.units
                ELSE excluded.units END
), changes AS (
    INSERT INTO change (seq, customer_id, version, sections, at)
    SELECT seq, customer_id, version, string_to_array(sections, ','), $9
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $8::text[]) AS t (customer_id, version, seq, sections)
)
UPDATE view_run SET seq = seq + $10, turn = turn + 1 WHERE run = $11 AND turn = $12
"""


async def load(connection: Connection, ids: Collection[UUID]) -> Sequence[Row]:
    """Profiles with all that are part of the same customers, and of customers with these ids. See `Cache.take`."""
    return await connection.fetch(_LOAD, sorted(ids), sorted(FOLDING))


async def save_partials(
    connection: Connection,
    memberships: Iterable[tuple[UUID, UUID, int]],
    changed: Mapping[Place, State | None],
) -> None:
    """Keeps memberships (profile, customer, mapping sequence) and partials; removes those that are None."""
    parts = sorted(memberships)
    kept = {place: state for place, state in changed.items() if state is not None}
    gone = [place for place, state in changed.items() if state is None]
    if gone:
        await partials.delete(connection, gone)
    if parts or kept:
        columns = [list(column) for column in zip(*parts, strict=True)] or [[], [], []]
        await connection.execute(_SAVE_PARTIALS, *columns, *partials.rows_of(kept))


async def save_views(
    connection: Connection,
    run: int,
    turn: int,
    views: Sequence[tuple[StoredView, Mapping[str, str]]],
    searches: Mapping[UUID, str],
    at: datetime,
) -> None:
    """Keeps rows of customers, of each the sections that changed, and ends the run's turn. `searches`: who is renamed.

    Raises `CursorMoved` when another writer has written to the run since the turn began.
    """
    rows = [view for view, _ in views]
    status = await connection.execute(
        _SAVE_VIEWS,
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
