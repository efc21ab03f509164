"""Assets and what finds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.customer import AssetState
from rapport_shared.database import Connection


@dataclass(frozen=True, slots=True)
class LockedAsset:
    """An asset's row, locked."""

    state: AssetState
    sequence: int
    last_recorded_at: datetime


async def lock_asset(connection: Connection, asset_id: UUID) -> LockedAsset | None:
    """An asset, locked."""
    row = await connection.fetchrow(
        "SELECT state, sequence, last_recorded_at FROM asset WHERE asset_id = $1 FOR UPDATE", asset_id
    )
    if row is None:
        return None
    return LockedAsset(AssetState.model_validate_json(row["state"]), row["sequence"], row["last_recorded_at"])


async def lock_asset_keys(connection: Connection, keys: Mapping[str, UUID]) -> dict[str, UUID]:
    """The asset of each key, locked; unknown keys are bound to the ids given."""
    for key in sorted(keys):
        await connection.execute(
            "INSERT INTO asset_key (asset_key, asset_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, keys[key]
        )
    rows = await connection.fetch(
        "SELECT asset_key, asset_id FROM asset_key WHERE asset_key = ANY($1) ORDER BY asset_key FOR UPDATE", list(keys)
    )
    return {row["asset_key"]: row["asset_id"] for row in rows}


async def bind_keys(connection: Connection, keys: Mapping[str, UUID]) -> None:
    """Keeps which asset each key finds now."""
    for key in sorted(keys):
        await connection.execute("UPDATE asset_key SET asset_id = $2 WHERE asset_key = $1", key, keys[key])


async def asset_exists(connection: Connection, asset_id: UUID) -> bool:
    """Returns whether an asset has a register."""
    return bool(await connection.fetchval("SELECT true FROM asset WHERE asset_id = $1", asset_id))


async def has_serial(connection: Connection, asset_id: UUID) -> bool:
    """Whether an asset is known by a serial number."""
    text = await connection.fetchval("SELECT state FROM asset WHERE asset_id = $1", asset_id)
    return text is not None and any(key.type == "serial" for key in AssetState.model_validate_json(text).keys)


async def save_asset(connection: Connection, state: AssetState, sequence: int, recorded_at: datetime) -> None:
    """Keeps an asset's register."""
    await connection.execute(
        "INSERT INTO asset (asset_id, state, sequence, last_recorded_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (asset_id) DO UPDATE SET state = excluded.state, sequence = excluded.sequence, "
        "last_recorded_at = excluded.last_recorded_at",
        state.asset_id,
        state.model_dump_json(),
        sequence,
        recorded_at,
    )
