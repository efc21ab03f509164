"""Organisation units."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_shared.contracts.customer import UnitState
from rapport_shared.database import Connection, Database, Reading
from rapport_shared.pages import Keyset


@dataclass(frozen=True, slots=True)
class LockedUnit:
    """A unit's row, locked."""

    state: UnitState
    sequence: int
    last_recorded_at: datetime


async def lock_unit(connection: Connection, path: str) -> LockedUnit | None:
    """A unit, locked."""
    row = await connection.fetchrow(
        "SELECT state, sequence, last_recorded_at FROM unit WHERE path = $1 FOR UPDATE", path
    )
    if row is None:
        return None
    return LockedUnit(UnitState.model_validate_json(row["state"]), row["sequence"], row["last_recorded_at"])


async def insert_unit(connection: Connection, state: UnitState, recorded_at: datetime) -> bool:
    """Inserts a unit. Returns False if another transaction inserted it meanwhile."""
    made = await connection.fetchval(
        "INSERT INTO unit (path, state, sequence, last_recorded_at) VALUES ($1, $2, 1, $3) "
        "ON CONFLICT DO NOTHING RETURNING true",
        state.path,
        state.model_dump_json(),
        recorded_at,
    )
    return bool(made)


async def save_unit(connection: Connection, state: UnitState, sequence: int, recorded_at: datetime) -> None:
    """Keeps a unit."""
    await connection.execute(
        "UPDATE unit SET state = $2, sequence = $3, last_recorded_at = $4 WHERE path = $1",
        state.path,
        state.model_dump_json(),
        sequence,
        recorded_at,
    )


async def read_unit(database: Database, path: str) -> tuple[UnitState, int] | None:
    """A unit and its sequence."""
    row = await database.fetch_row("SELECT state, sequence FROM unit WHERE path = $1", path)
    return None if row is None else (UnitState.model_validate_json(row["state"]), row["sequence"])


BY_PATH: Final[Keyset[tuple[str]]] = Keyset(str)
"""The order of lists of units."""


async def units(database: Database, after: tuple[str] | None, limit: int) -> list[UnitState]:
    """Units in the order of their paths, after one."""
    rows = await database.fetch(
        f"SELECT state FROM unit WHERE {BY_PATH.behind('path', 1, '>')} ORDER BY path LIMIT $2",
        *BY_PATH.parameters(after),
        limit,
    )
    return [UnitState.model_validate_json(row["state"]) for row in rows]


async def unit_exists(connection: Connection, path: str) -> bool:
    """Whether there is such a unit."""
    found = await connection.fetchval("SELECT true FROM unit WHERE path = $1", path)
    return bool(found)


async def franchises(connection: Reading, customer_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """The isolated units that each customer's profiles lie in, the outermost of each; none for most customers."""
    if not await connection.fetch("SELECT FROM unit WHERE (state::jsonb ->> 'isolated')::boolean LIMIT 1"):
        return {}
    rows = await connection.fetch(
        "SELECT m.customer_id, min(u.path) AS path FROM membership m JOIN profile p USING (profile_id) "
        "JOIN unit u ON (u.state::jsonb ->> 'isolated')::boolean "
        "AND starts_with((p.state::jsonb ->> 'unit') || '/', u.path || '/') "
        "WHERE m.customer_id = ANY($1) GROUP BY m.customer_id, p.profile_id",
        list(customer_ids),
    )
    found: dict[UUID, set[str]] = {}
    for row in rows:
        found.setdefault(row["customer_id"], set()).add(row["path"])
    return found


async def customers_with_units(connection: Reading, customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of customers of which a profile belongs to a unit."""
    rows = await connection.fetch(
        "SELECT DISTINCT m.customer_id FROM membership m JOIN profile p USING (profile_id) "
        "WHERE m.customer_id = ANY($1) AND p.state::jsonb ->> 'unit' IS NOT NULL",
        list(customer_ids),
    )
    return {row["customer_id"] for row in rows}


async def franchise_of_unit(connection: Reading, unit: str) -> str | None:
    """The outermost isolated unit that `unit` is or lies in; None for one that lies in none."""
    rows = await connection.fetch(
        "SELECT path FROM unit WHERE (state::jsonb ->> 'isolated')::boolean AND starts_with($1 || '/', path || '/') "
        "ORDER BY path LIMIT 1",
        unit,
    )
    return rows[0]["path"] if rows else None
