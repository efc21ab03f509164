"""The registers of assets: what finds one, and who holds it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.view.assets import holder
from rapport_gateway.view.facts import Fact
from rapport_shared.database import Connection

Register = dict[str, Any]
"""An asset as the customer service states it."""


async def put_asset(connection: Connection, fact: Fact) -> None:
    """Takes over an asset's register, what finds it, and its holder; a later register stays."""
    asset = fact.data["asset"]
    newer = await connection.fetchval(
        "INSERT INTO asset (asset_id, register, sequence) VALUES ($1, $2, $3) ON CONFLICT (asset_id) DO UPDATE "
        "SET register = excluded.register, sequence = excluded.sequence WHERE asset.sequence < excluded.sequence "
        "RETURNING true",
        UUID(asset["asset_id"]),
        orjson.dumps(asset).decode(),
        fact.sequence,
    )
    if not newer:
        return
    await connection.execute("DELETE FROM asset_key WHERE asset_id = $1", UUID(asset["asset_id"]))
    await connection.executemany(
        "INSERT INTO asset_key (asset_key, asset_id, holder, sequence) VALUES ($1, $2, $3, $4)",
        [(key["key"], asset["asset_id"], holder(asset), fact.sequence) for key in asset.get("keys") or ()],
    )


async def by_id(connection: Connection, asset_id: UUID) -> Register | None:
    """An asset's register; None for one that is not known."""
    text = await connection.fetchval("SELECT register FROM asset WHERE asset_id = $1", asset_id)
    return None if text is None else dict(orjson.loads(text))


async def by_keys(connection: Connection, keys: Sequence[str]) -> list[Register]:
    """The registers of the assets that one of `keys` finds."""
    rows = await connection.fetch(
        "SELECT register FROM asset WHERE asset_id IN (SELECT asset_id FROM asset_key WHERE asset_key = ANY($1)) "
        "ORDER BY asset_id",
        list(keys),
    )
    return [orjson.loads(row["register"]) for row in rows]
