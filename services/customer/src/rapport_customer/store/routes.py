"""Routes: where touches by an identifier go."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from rapport_customer.domain.routing import Route
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.database import Connection


@dataclass(slots=True)
class LockedRoute:
    """A route's row, locked."""

    identifier_key: str
    identifier_type: IdentifierType
    route: Route
    last_recorded_at: datetime | None


async def identifier_type(connection: Connection, identifier_key: str) -> IdentifierType | None:
    """The type of the identifier of a route; None where no touch and no profile had the identifier yet."""
    found: IdentifierType | None = await connection.fetchval(
        "SELECT identifier_type FROM route WHERE identifier_key = $1", identifier_key
    )
    return found


async def lock_routes(connection: Connection, types: Mapping[str, IdentifierType]) -> dict[str, LockedRoute]:
    """The routes of identifier keys, locked; unseen ones are made first."""
    if not types:
        return {}
    ordered = sorted(types)
    await connection.execute(
        "INSERT INTO route (identifier_key, identifier_type) SELECT * FROM unnest($1::text[], $2::text[]) "
        "ON CONFLICT DO NOTHING",
        ordered,
        [types[key] for key in ordered],
    )
    rows = await connection.fetch(
        "SELECT identifier_key, identifier_type, target, profile_id, route_seq, last_recorded_at FROM route "
        "WHERE identifier_key = ANY($1) ORDER BY identifier_key FOR UPDATE",
        ordered,
    )
    return {
        row["identifier_key"]: LockedRoute(
            row["identifier_key"],
            IdentifierType(row["identifier_type"]),
            Route(RouteTarget(row["target"]), row["profile_id"], row["route_seq"]),
            row["last_recorded_at"],
        )
        for row in rows
    }


async def save_route(connection: Connection, locked: LockedRoute, valid_from: datetime) -> None:
    """Keeps a route."""
    await connection.execute(
        "UPDATE route SET target = $2, profile_id = $3, route_seq = $4, valid_from = $5, last_recorded_at = $6 "
        "WHERE identifier_key = $1",
        locked.identifier_key,
        locked.route.target,
        locked.route.profile_id,
        locked.route.route_seq,
        valid_from,
        locked.last_recorded_at,
    )


async def routed_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of identifier keys that lead to a profile."""
    rows = await connection.fetch(
        "SELECT identifier_key FROM route WHERE identifier_key = ANY($1) AND target = 'profile'", list(keys)
    )
    return {row["identifier_key"] for row in rows}
