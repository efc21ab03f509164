"""The registers kept from the customer service beside routes: asset holders, units, profiles and their customers."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from rapport_interaction.domain.conversations import Holders
from rapport_shared.contracts.customer import ProfileMove
from rapport_shared.database import Connection


async def asset_holders(connection: Connection, keys: Collection[str]) -> Holders:
    """Each asset's holders in time order."""
    if not keys:
        return {}
    rows = await connection.fetch(
        "SELECT asset_key, from_at, profile_id FROM asset_holding WHERE asset_key = ANY($1) "
        "ORDER BY asset_key, from_at, profile_id",
        list(keys),
    )
    holders: Holders = {}
    for row in rows:
        holders.setdefault(row["asset_key"], []).append((row["from_at"], row["profile_id"]))
    return holders


async def put_asset(connection: Connection, asset_id: UUID, sequence: int, holders: Holders) -> bool:
    """Stores an asset's register unless a later one is known; returns whether it did.

    `holders` are those of its keys, as far as a key found this asset.
    """
    newer = await connection.fetchval(
        "INSERT INTO asset_register (asset_id, sequence) VALUES ($1, $2) "
        "ON CONFLICT (asset_id) DO UPDATE SET sequence = excluded.sequence "
        "WHERE asset_register.sequence < excluded.sequence RETURNING true",
        asset_id,
        sequence,
    )
    if not newer:
        return False
    await connection.execute(
        "DELETE FROM asset_holding WHERE asset_id = $1 OR asset_key = ANY($2) AND asset_id = $3",
        asset_id,
        list(holders),
        _OF_BEFORE,
    )
    await connection.executemany(
        "INSERT INTO asset_holding (asset_key, from_at, profile_id, asset_id) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        [(key, from_at, profile_id, asset_id) for key, held in holders.items() for from_at, profile_id in held],
    )
    return True


_OF_BEFORE: Final = UUID(int=0)
"""The asset of holdings that were kept before they named it."""


async def put_unit(connection: Connection, path: str, phone_region: str, sequence: int) -> None:
    """Stores a unit's register unless a later one is known."""
    await connection.execute(
        "INSERT INTO unit (path, phone_region, sequence) VALUES ($1, $2, $3) ON CONFLICT (path) DO UPDATE "
        "SET phone_region = excluded.phone_region, sequence = excluded.sequence "
        "WHERE unit.sequence < excluded.sequence",
        path,
        phone_region,
        sequence,
    )


async def unit_regions(connection: Connection, paths: Collection[str]) -> dict[str, str]:
    """The phone region of each known unit of `paths`."""
    if not paths:
        return {}
    rows = await connection.fetch("SELECT path, phone_region FROM unit WHERE path = ANY($1)", list(paths))
    return {row["path"]: row["phone_region"] for row in rows}


async def put_profiles(connection: Connection, profile_ids: Collection[UUID]) -> None:
    """Keeps that profiles exist; none is ever deleted."""
    await connection.execute(
        "INSERT INTO profile (profile_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", sorted(profile_ids)
    )


async def profile_exists(connection: Connection, profile_id: UUID) -> bool:
    """Whether the customer service has published the profile."""
    return bool(await connection.fetchval("SELECT true FROM profile WHERE profile_id = $1", profile_id))


async def move_profiles(connection: Connection, moves: Sequence[ProfileMove]) -> None:
    """Stores the customers of profiles; a later move stays."""
    latest = {move.profile_id: move for move in sorted(moves, key=lambda move: move.mapping_seq)}
    ordered = [latest[profile_id] for profile_id in sorted(latest)]
    await connection.execute(
        "INSERT INTO membership (profile_id, customer_id, mapping_seq) "
        "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) ON CONFLICT (profile_id) DO UPDATE "
        "SET customer_id = excluded.customer_id, mapping_seq = excluded.mapping_seq "
        "WHERE membership.mapping_seq < excluded.mapping_seq",
        [move.profile_id for move in ordered],
        [move.customer_id for move in ordered],
        [move.mapping_seq for move in ordered],
    )


async def customers_of(connection: Connection, profile_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile, as far as this service has heard; a profile that never moved is its own."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id FROM membership WHERE profile_id = ANY($1)", sorted(profile_ids)
    )
    moved = {row["profile_id"]: row["customer_id"] for row in rows}
    return {profile_id: moved.get(profile_id, profile_id) for profile_id in profile_ids}
