"""Organisation units."""

from dataclasses import dataclass
from datetime import datetime

from rapport_shared.contracts.customer import UnitState
from rapport_shared.database import Connection, Database


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
    """Keeps a new unit; answers False when another transaction just did."""
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


async def units(database: Database, after: str | None, limit: int) -> list[UnitState]:
    """Units in the order of their paths, after one."""
    rows = await database.fetch(
        "SELECT state FROM unit WHERE path > $1 ORDER BY path LIMIT $2", after if after is not None else "", limit
    )
    return [UnitState.model_validate_json(row["state"]) for row in rows]


async def unit_exists(connection: Connection, path: str) -> bool:
    """Whether there is such a unit."""
    found = await connection.fetchval("SELECT true FROM unit WHERE path = $1", path)
    return bool(found)
