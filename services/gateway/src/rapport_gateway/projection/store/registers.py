"""Registers that lookups read: routes, identifiers held, assets and units."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import orjson

from rapport_gateway.view.facts import Fact
from rapport_shared.contracts.customer import UnitState
from rapport_shared.database import Connection


async def put_routes(connection: Connection, facts: Sequence[Fact]) -> None:
    """Takes over routes; a later one stays."""
    latest = {fact.data["identifier_key"]: fact.data for fact in sorted(facts, key=lambda fact: fact.data["route_seq"])}
    routes = [latest[key] for key in sorted(latest)]
    await connection.execute(
        "INSERT INTO route (identifier_key, target, profile_id, route_seq) "
        "SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[]) "
        "ON CONFLICT (identifier_key) DO UPDATE SET target = excluded.target, profile_id = excluded.profile_id, "
        "route_seq = excluded.route_seq WHERE route.route_seq < excluded.route_seq",
        [route["identifier_key"] for route in routes],
        [route["target"] for route in routes],
        [route.get("profile_id") for route in routes],
        [route["route_seq"] for route in routes],
    )


async def put_held_identifiers(connection: Connection, held: Mapping[UUID, Collection[str]]) -> None:
    """Replaces the identifiers that profiles hold."""
    pairs = sorted((profile_id, key) for profile_id, keys in held.items() for key in keys)
    await connection.execute(
        "WITH held AS (SELECT * FROM unnest($2::uuid[], $3::text[]) AS t (profile_id, identifier_key)), gone AS ("
        "  DELETE FROM held_identifier h WHERE h.profile_id = ANY($1) AND NOT EXISTS ("
        "    SELECT FROM held WHERE held.profile_id = h.profile_id AND held.identifier_key = h.identifier_key)"
        ") INSERT INTO held_identifier SELECT * FROM held ON CONFLICT DO NOTHING",
        sorted(held),
        [profile_id for profile_id, _ in pairs],
        [key for _, key in pairs],
    )


async def put_unit(connection: Connection, fact: Fact) -> None:
    """Takes over a unit; a later register stays."""
    await connection.execute(
        "INSERT INTO unit (path, state, sequence) VALUES ($1, $2, $3) ON CONFLICT (path) DO UPDATE "
        "SET state = excluded.state, sequence = excluded.sequence WHERE unit.sequence < excluded.sequence",
        fact.data["unit"]["path"],
        orjson.dumps(fact.data["unit"]).decode(),
        fact.sequence,
    )


async def unit(connection: Connection, path: str) -> UnitState | None:
    """A unit, as the view knows it."""
    state = await connection.fetchval("SELECT state FROM unit WHERE path = $1", path)
    return None if state is None else UnitState.model_validate_json(state)


async def isolated_units(connection: Connection) -> tuple[str, ...]:
    """The paths of the units that are marked `isolated`, in order."""
    rows = await connection.fetch("SELECT path FROM unit WHERE (state::jsonb ->> 'isolated')::boolean ORDER BY path")
    return tuple(row["path"] for row in rows)
