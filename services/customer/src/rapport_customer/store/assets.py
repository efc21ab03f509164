"""Assets and what finds them."""

from collections.abc import Collection, Mapping
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


async def asset_of_keys(connection: Connection, keys: Mapping[str, UUID]) -> UUID:
    """The asset that the first of `keys` (in the order given) finds; unknown keys are bound to the ids given."""
    for key in sorted(keys):
        await connection.execute(
            "INSERT INTO asset_key (asset_key, asset_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", key, keys[key]
        )
    first = next(iter(keys))
    asset_id: UUID = await connection.fetchval("SELECT asset_id FROM asset_key WHERE asset_key = $1 FOR UPDATE", first)
    return asset_id


async def known_asset(connection: Connection, keys: Collection[str]) -> UUID | None:
    """An asset that one of `keys` finds."""
    found: UUID | None = await connection.fetchval(
        "SELECT asset_id FROM asset_key WHERE asset_key = ANY($1) ORDER BY asset_key LIMIT 1", list(keys)
    )
    return found


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
