"""The SQL of the registers of the customer service: known profiles, routes, customers, units."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.survivorship import of_first, seniority
from rapport_shared.database import Connection
from rapport_ticket.domain.addressing import Route
from rapport_ticket.domain.registers import Registers


async def known_profiles(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Returns those of `ids` that are known profiles."""
    rows = await connection.fetch("SELECT profile_id FROM known_profile WHERE profile_id = ANY($1)", list(ids))
    return {row["profile_id"] for row in rows}


async def routes(connection: Connection, keys: Collection[str]) -> dict[str, Route]:
    """The routes of identifier keys."""
    rows = await connection.fetch(
        "SELECT identifier_key, target, profile_id FROM route WHERE identifier_key = ANY($1)", list(keys)
    )
    return {row["identifier_key"]: Route(RouteTarget(row["target"]), row["profile_id"]) for row in rows}


async def customer_of(connection: Connection, profile_id: UUID) -> UUID:
    """The customer that a profile belongs to now."""
    found: UUID | None = await connection.fetchval(
        "SELECT customer_id FROM profile_customer WHERE profile_id = $1", profile_id
    )
    return found or profile_id


@dataclass(frozen=True, slots=True)
class Whose:
    """The customer that a profile belongs to, with the customer's owner and unit."""

    customer_id: UUID
    owner: str | None
    unit: str | None


async def whose(connection: Connection, profile_id: UUID) -> Whose:
    """Returns owner and unit as the view shows them: of the oldest registered profile that has one, else the oldest."""
    customer_id = await customer_of(connection, profile_id)
    rows = await connection.fetch(
        "SELECT profile_id, owner, unit, registered, created_at FROM known_profile WHERE created_at IS NOT NULL "
        "AND profile_id IN (SELECT profile_id FROM profile_customer WHERE customer_id = $1 UNION SELECT $1)",
        customer_id,
    )
    known = [(seniority(row["registered"], row["created_at"], row["profile_id"]), row) for row in rows]
    owner, unit = (of_first((place, row[name]) for place, row in known) for name in ("owner", "unit"))
    return Whose(customer_id, owner, unit)


async def unit_region(connection: Connection, path: str) -> str | None:
    """Returns the phone region of a unit, or None if the unit is unknown."""
    region: str | None = await connection.fetchval("SELECT phone_region FROM unit WHERE path = $1", path)
    return region


async def put_registers(connection: Connection, registers: Registers) -> None:
    """Writes the registers. A row with a higher sequence stays as it is, so a repeat or a late event is harmless."""
    await connection.execute(
        "INSERT INTO known_profile SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", sorted(registers.profiles)
    )
    await connection.executemany(
        "UPDATE known_profile SET owner = $2, unit = $3, registered = $4, created_at = $5, sequence = $6 "
        "WHERE profile_id = $1 AND sequence < $6",
        [
            (profile_id, record.owner, record.unit, record.registered, record.created_at, sequence)
            for profile_id, (sequence, record) in sorted(registers.records.items())
        ],
    )
    await connection.executemany(
        "INSERT INTO route (identifier_key, target, profile_id, route_seq) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (identifier_key) DO UPDATE SET target = excluded.target, profile_id = excluded.profile_id, "
        "route_seq = excluded.route_seq WHERE route.route_seq < excluded.route_seq",
        [(key, r.target, r.profile_id, r.route_seq) for key, r in sorted(registers.routes.items())],
    )
    await connection.executemany(
        "INSERT INTO profile_customer (profile_id, customer_id, mapping_seq) VALUES ($1, $2, $3) "
        "ON CONFLICT (profile_id) DO UPDATE SET customer_id = excluded.customer_id, "
        "mapping_seq = excluded.mapping_seq WHERE profile_customer.mapping_seq < excluded.mapping_seq",
        [(move.profile_id, move.customer_id, move.mapping_seq) for _, move in sorted(registers.moves.items())],
    )
    await connection.executemany(
        "INSERT INTO unit (path, phone_region, sequence) VALUES ($1, $2, $3) ON CONFLICT (path) DO UPDATE "
        "SET phone_region = excluded.phone_region, sequence = excluded.sequence "
        "WHERE unit.sequence < excluded.sequence",
        [(path, unit.phone_region, sequence) for path, (sequence, unit) in sorted(registers.units.items())],
    )
