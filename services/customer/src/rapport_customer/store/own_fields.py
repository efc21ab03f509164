"""A sample of what is recorded, to try a policy of own fields on."""

from typing import Literal

from rapport_shared.database import Database


async def sample(database: Database, table: Literal["profile", "asset"], most: int) -> list[str]:
    """The registers of about `most` profiles or assets that have own fields, as JSON; all where there are fewer.

    Whole pages of the table are drawn, so that a large one is not read through.
    """
    rows = await database.fetch(
        "SELECT least(100, 100.0 * $1 / greatest(reltuples, 1)) AS percent FROM pg_class "
        "WHERE oid = $2::text::regclass",
        most,
        table,
    )
    found = await database.fetch(
        f"SELECT state FROM {table} TABLESAMPLE SYSTEM ($1) WHERE state LIKE '%\"attributes%' LIMIT $2",
        float(rows[0]["percent"]),
        most,
    )
    return [row["state"] for row in found]
