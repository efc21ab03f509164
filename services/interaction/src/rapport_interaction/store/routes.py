"""The routes of identifiers that the customer service published, and guesses for those that it has not published."""

from collections.abc import Collection, Sequence
from typing import Final

from rapport_interaction.domain.attribution import Route
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.database import Connection, Row


async def lock_routes(connection: Connection, keys: Collection[str]) -> dict[str, Route]:
    """The routes of `keys`, locked in order; unseen ones are made first."""
    if not keys:
        return {}
    ordered = sorted(keys)
    rows = await connection.fetch(_MADE_AND_LOCKED, ordered)
    if len(rows) < len(ordered):  # another transaction made one meanwhile, which this statement cannot see
        rows = await connection.fetch(_LOCKED, ordered)
    return {row["identifier_key"]: _route(row) for row in rows}


_LOCKED: Final = """
SELECT identifier_key, target, profile_id, route_seq, guess FROM route
WHERE identifier_key = ANY($1) ORDER BY identifier_key FOR UPDATE
"""
_MADE_AND_LOCKED: Final = f"""
WITH made AS (
    INSERT INTO route (identifier_key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING
    RETURNING identifier_key, target, profile_id, route_seq, guess
), locked AS ({_LOCKED})
SELECT * FROM made UNION ALL SELECT * FROM locked
"""


def _route(row: Row) -> Route:
    return Route(row["identifier_key"], RouteTarget(row["target"]), row["profile_id"], row["route_seq"], row["guess"])


async def save_guesses(connection: Connection, routes: Sequence[Route]) -> None:
    """Keeps the guesses of `routes`."""
    await connection.execute(
        "UPDATE route r SET guess = g.guess FROM unnest($1::text[], $2::uuid[]) AS g (identifier_key, guess) "
        "WHERE r.identifier_key = g.identifier_key",
        [route.identifier_key for route in routes],
        [route.guess for route in routes],
    )


async def put_route(connection: Connection, route: Route) -> None:
    """Stores a route from its owner unless a later one is known; ends the guess."""
    await connection.execute(
        "INSERT INTO route (identifier_key, target, profile_id, route_seq) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (identifier_key) DO UPDATE "
        "SET target = excluded.target, profile_id = excluded.profile_id, route_seq = excluded.route_seq, guess = NULL "
        "WHERE route.route_seq < excluded.route_seq",
        route.identifier_key,
        route.target,
        route.profile_id,
        route.route_seq,
    )
