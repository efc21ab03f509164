"""The SQL of mappings that are kept by name."""

from datetime import datetime

from rapport_shared.database import Connection, Database, Row


async def put_mapping(connection: Connection, unit: str, name: str, mapping: bytes, now: datetime) -> int:
    """Keeps a mapping by name and answers its revision."""
    revision: int = await connection.fetchval(
        "INSERT INTO import_mapping (unit, name, mapping, changed_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (unit, name) DO UPDATE SET mapping = excluded.mapping, changed_at = excluded.changed_at, "
        "revision = import_mapping.revision + 1 RETURNING revision",
        unit,
        name,
        mapping.decode(),
        now,
    )
    return revision


async def find_mapping(connection: Connection, unit: str, name: str) -> Row | None:
    """A mapping of the unit, else one of the whole firm."""
    return await connection.fetchrow(
        "SELECT * FROM import_mapping WHERE name = $2 AND unit IN ($1, '') ORDER BY unit DESC LIMIT 1", unit, name
    )


async def mappings(database: Database, unit: str) -> list[Row]:
    """The mappings that a unit may use."""
    return await database.fetch("SELECT * FROM import_mapping WHERE unit IN ($1, '') ORDER BY name, unit", unit)
