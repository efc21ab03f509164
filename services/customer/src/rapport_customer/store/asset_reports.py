"""The SQL of reports about assets, which retractions need, and of the statements about plates."""

from collections.abc import Collection
from uuid import UUID

from rapport_customer.domain.plates import PlateStatement
from rapport_shared.database import Connection


async def name_asset(connection: Connection, event_id: UUID, asset_id: UUID) -> None:
    """Links a report to the asset that it is about."""
    await connection.execute("UPDATE report SET asset_id = $2 WHERE event_id = $1", event_id, asset_id)


async def asset_of_report(connection: Connection, event_id: UUID) -> UUID | None:
    """Returns the asset that a report is about, or None."""
    found: UUID | None = await connection.fetchval("SELECT asset_id FROM report WHERE event_id = $1", event_id)
    return found


async def reports_of_asset(connection: Connection, asset_id: UUID) -> dict[UUID, tuple[UUID, str]]:
    """The profile and the touch of each report of an asset that counts."""
    rows = await connection.fetch(
        "SELECT event_id, profile_id, touch FROM report WHERE asset_id = $1 AND NOT retracted", asset_id
    )
    return {row["event_id"]: (row["profile_id"], row["touch"]) for row in rows}


async def state_plate(connection: Connection, key: str, statement: PlateStatement) -> None:
    """Keeps that a plate was on an asset."""
    await connection.execute(
        "INSERT INTO plate_statement (asset_key, event_id, asset_id, stated_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        key,
        statement.event_id,
        statement.asset_id,
        statement.stated_at,
    )


async def plates_of_report(connection: Connection, event_id: UUID) -> set[str]:
    """The plates of which a report stated where they are."""
    rows = await connection.fetch("SELECT asset_key FROM plate_statement WHERE event_id = $1", event_id)
    return {row["asset_key"] for row in rows}


async def take_back_plates(connection: Connection, event_id: UUID) -> None:
    """Forgets what a retracted report stated of plates."""
    await connection.execute("DELETE FROM plate_statement WHERE event_id = $1", event_id)


async def plate_statements(connection: Connection, keys: Collection[str]) -> dict[str, list[PlateStatement]]:
    """All that was stated of each plate."""
    rows = await connection.fetch(
        "SELECT asset_key, asset_id, stated_at, event_id FROM plate_statement WHERE asset_key = ANY($1)", list(keys)
    )
    found: dict[str, list[PlateStatement]] = {key: [] for key in keys}
    for row in rows:
        found[row["asset_key"]].append(PlateStatement(row["asset_id"], row["stated_at"], row["event_id"]))
    return found
