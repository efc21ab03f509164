"""Partials: what facts fold into, of one profile, section and item."""

from collections.abc import Collection, Mapping
from uuid import UUID

import orjson

from rapport_gateway.view.facts import State
from rapport_gateway.view.listing import TOTALS
from rapport_gateway.view.sections import LISTED, Place
from rapport_shared.database import Connection, Reading, Row

_LOAD = """
SELECT p.profile_id, p.section, p.item, p.state FROM partial p
JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS t (profile_id, section, item) USING (profile_id, section, item)
"""
_ALL = """
SELECT profile_id, section, item, state FROM partial
JOIN unnest($1::uuid[], $2::text[]) AS t (profile_id, section) USING (profile_id, section)
"""
_FIRST = """
SELECT p.* FROM unnest($1::uuid[], $2::text[], $3::int[]) AS t (profile_id, section, shown) CROSS JOIN LATERAL (
    SELECT profile_id, section, item, state FROM partial
    WHERE profile_id = t.profile_id AND section = t.section AND rank IS NOT NULL
    ORDER BY rank, item COLLATE "C" LIMIT t.shown
) AS p
"""
_DELETE = """
DELETE FROM partial WHERE (profile_id, section, item) IN (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[]))
"""


async def load(connection: Connection, places: Collection[Place]) -> dict[Place, State]:
    """The partials at `places` that exist."""
    return _read(await connection.fetch(_LOAD, *_columns(places)))


async def every(connection: Reading, asked: Collection[tuple[UUID, str]]) -> dict[Place, State]:
    """All partials of sections of profiles, totals included."""
    profiles, sections = [profile_id for profile_id, _ in asked], [section for _, section in asked]
    return _read(await connection.fetch(_ALL, profiles, sections))


async def first(connection: Connection, asked: Collection[tuple[UUID, str]]) -> dict[Place, State]:
    """The items that come first in lists of profiles: as many of each as its section shows."""
    rows = await connection.fetch(
        _FIRST,
        [profile_id for profile_id, _ in asked],
        [section for _, section in asked],
        [LISTED[section].SHOWN for _, section in asked],
    )
    return _read(rows)


async def delete(connection: Connection, places: Collection[Place]) -> None:
    """Removes partials."""
    await connection.execute(_DELETE, *_columns(places))


def rows_of(partials: Mapping[Place, State]) -> tuple[list[UUID], list[str], list[str], list[str], list[int | None]]:
    """The columns of partials, in the order of their key."""
    ordered = sorted(partials, key=lambda place: (place.profile_id, place.section, place.item))
    return (
        *_columns(ordered),
        [orjson.dumps(partials[place]).decode() for place in ordered],
        [_rank(place, partials[place]) for place in ordered],
    )


def _rank(place: Place, state: State) -> int | None:
    listing = LISTED.get(place.section)
    return None if listing is None or place.item == TOTALS else listing.rank(place.profile_id, state)


def _columns(places: Collection[Place]) -> tuple[list[UUID], list[str], list[str]]:
    return (
        [place.profile_id for place in places],
        [place.section for place in places],
        [place.item for place in places],
    )


def _read(rows: Collection[Row]) -> dict[Place, State]:
    return {Place(row["profile_id"], row["section"], row["item"]): orjson.loads(row["state"]) for row in rows}
