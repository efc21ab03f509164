"""The versions of the fitted parameters: a version is added and never changed."""

from datetime import date, datetime
from typing import Final

from rapport_shared.database import Connection, Database, Reading, Row
from rapport_shared.pages import Keyset

BY_VERSION: Final[Keyset[tuple[int]]] = Keyset(int)
"""The order of lists: the newest first."""
_ADD = """
INSERT INTO value_parameters (version, valid_from, handling_cost, missing_cost_share, fitted_until, document)
SELECT max(version) + 1, $1, $2, $3, $4, $5 FROM value_parameters RETURNING version
"""


async def add_version(
    connection: Connection,
    valid_from: datetime,
    handling_cost: str,
    missing_cost_share: str,
    fitted_until: date,
    document: str,
) -> int:
    """Adds the next version, and answers its number. Other versions wait until the transaction ends."""
    await connection.execute("LOCK TABLE value_parameters IN SHARE ROW EXCLUSIVE MODE")
    version: int = await connection.fetchval(
        _ADD, valid_from, handling_cost, missing_cost_share, fitted_until, document
    )
    return version


async def newest(connection: Reading) -> Row:
    """The version in force, with its document."""
    rows = await connection.fetch("SELECT version, document FROM value_parameters ORDER BY version DESC LIMIT 1")
    return rows[0]


async def versions(database: Database, after: tuple[int] | None, limit: int) -> list[Row]:
    """Versions without their documents, the newest first, behind one."""
    return await database.fetch(
        f"SELECT version, valid_from, fitted_until FROM value_parameters WHERE {BY_VERSION.behind('version', 1)} "
        "ORDER BY version DESC LIMIT $2",
        *BY_VERSION.parameters(after),
        limit,
    )


async def read_version(database: Database, version: int) -> Row | None:
    """A version with its document."""
    return await database.fetch_row(
        "SELECT version, valid_from, fitted_until, document FROM value_parameters WHERE version = $1", version
    )
