"""The profiles of conversations, and the clues that anonymous touchpoints wait for."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from rapport_shared.database import Connection


async def conversation_profiles(connection: Connection, clues: Collection[str]) -> dict[str, UUID]:
    """The profile of each conversation that has one."""
    if not clues:
        return {}
    rows = await connection.fetch("SELECT clue, profile_id FROM conversation WHERE clue = ANY($1)", list(clues))
    return {row["clue"]: row["profile_id"] for row in rows}


async def save_conversations(connection: Connection, profiles: Mapping[str, UUID]) -> None:
    """Keeps the profile of new conversations; the first one stays."""
    ordered = sorted(profiles)
    await connection.execute(
        "INSERT INTO conversation (clue, profile_id) SELECT * FROM unnest($1::text[], $2::uuid[]) "
        "ON CONFLICT DO NOTHING",
        ordered,
        [profiles[clue] for clue in ordered],
    )


async def put_conversations(connection: Connection, clues: Collection[str], profile_id: UUID) -> None:
    """Sets the profiles of conversations, and replaces earlier ones."""
    await connection.execute(
        "INSERT INTO conversation (clue, profile_id) SELECT clue, $2 FROM unnest($1::text[]) AS t (clue) "
        "ON CONFLICT (clue) DO UPDATE SET profile_id = excluded.profile_id",
        sorted(clues),
        profile_id,
    )


async def save_clues(connection: Connection, clues: Iterable[tuple[str, UUID]]) -> None:
    """Stores the clues that anonymous touchpoints wait for."""
    await connection.executemany(
        "INSERT INTO anonymous_touchpoint (clue, touchpoint_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", list(clues)
    )


async def anonymous_touchpoints(connection: Connection, clues: Collection[str]) -> list[UUID]:
    """Anonymous touchpoints that wait for one of `clues`."""
    if not clues:
        return []
    rows = await connection.fetch(
        "SELECT DISTINCT touchpoint_id FROM anonymous_touchpoint WHERE clue = ANY($1) ORDER BY touchpoint_id",
        list(clues),
    )
    return [row["touchpoint_id"] for row in rows]


async def save_asset_clues(connection: Connection, clues: Iterable[tuple[str, UUID]]) -> None:
    """Keeps by which assets touchpoints found their profile: it changes with who is said to have held the asset."""
    await connection.executemany(
        "INSERT INTO asset_attribution (asset_key, touchpoint_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", list(clues)
    )


async def touchpoints_by_assets(connection: Connection, keys: Collection[str]) -> list[UUID]:
    """Touchpoints that found their profile by one of the assets' keys, once."""
    rows = await connection.fetch(
        "SELECT DISTINCT touchpoint_id FROM asset_attribution WHERE asset_key = ANY($1) ORDER BY touchpoint_id",
        list(keys),
    )
    return [row["touchpoint_id"] for row in rows]


async def forget_clues(connection: Connection, touchpoint_ids: Collection[UUID]) -> None:
    """The touchpoints wait for nothing any more."""
    await connection.execute("DELETE FROM anonymous_touchpoint WHERE touchpoint_id = ANY($1)", list(touchpoint_ids))
