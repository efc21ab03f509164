"""Profiles and what they hold."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.customer import ProfileState
from rapport_shared.database import Connection, Database


@dataclass(slots=True)
class LockedProfile:
    """A profile's row, locked. `state` is None for a profile that is not known yet."""

    profile_id: UUID
    state: ProfileState | None
    sequence: int
    last_recorded_at: datetime | None


async def lock_profiles(connection: Connection, ids: Collection[UUID]) -> dict[UUID, LockedProfile]:
    """The profiles of `ids`, locked; unknown ones are made first, without a state."""
    ordered = sorted(ids)
    await connection.execute(
        "INSERT INTO profile (profile_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", ordered
    )
    rows = await connection.fetch(
        "SELECT profile_id, state, sequence, last_recorded_at FROM profile "
        "WHERE profile_id = ANY($1) ORDER BY profile_id FOR UPDATE",
        ordered,
    )
    return {
        row["profile_id"]: LockedProfile(
            row["profile_id"],
            ProfileState.model_validate_json(row["state"]) if row["state"] else None,
            row["sequence"],
            row["last_recorded_at"],
        )
        for row in rows
    }


async def save_profile(connection: Connection, profile: LockedProfile) -> None:
    """Keeps a profile's register."""
    assert profile.state is not None
    await connection.execute(
        "UPDATE profile SET state = $2, registered = $3, sequence = $4, last_recorded_at = $5, owner = $6 "
        "WHERE profile_id = $1",
        profile.profile_id,
        profile.state.model_dump_json(),
        profile.state.registered,
        profile.sequence,
        profile.last_recorded_at,
        profile.state.owner,
    )


async def read_profile(database: Database, profile_id: UUID) -> tuple[ProfileState, int, UUID] | None:
    """A profile's register, its sequence and its customer; None for a profile that is not known."""
    row = await database.fetch_row(
        "SELECT state, sequence, coalesce(customer_id, profile_id) AS customer_id FROM profile "
        "LEFT JOIN membership USING (profile_id) WHERE profile_id = $1 AND sequence > 0",
        profile_id,
    )
    if row is None:
        return None
    return ProfileState.model_validate_json(row["state"]), row["sequence"], row["customer_id"]


async def read_records(database: Database, profile_ids: Collection[UUID]) -> dict[UUID, ProfileState]:
    """The registers of profiles that are known."""
    rows = await database.fetch(
        "SELECT profile_id, state FROM profile WHERE profile_id = ANY($1) AND sequence > 0", list(profile_ids)
    )
    return {row["profile_id"]: ProfileState.model_validate_json(row["state"]) for row in rows}


async def known_profiles(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of `ids` that are known."""
    rows = await connection.fetch(
        "SELECT profile_id FROM profile WHERE profile_id = ANY($1) AND sequence > 0", list(ids)
    )
    return {row["profile_id"] for row in rows}


async def claimed_identifiers(connection: Connection, ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    """Identifiers that profiles hold, or that were removed from them by hand."""
    rows = await connection.fetch(
        "SELECT profile_id, identifier_key FROM held_identifier WHERE profile_id = ANY($1)", list(ids)
    )
    return {(row["profile_id"], row["identifier_key"]) for row in rows}


async def removed_identifiers(connection: Connection, profile_id: UUID) -> set[str]:
    """Identifiers that were removed from a profile by hand."""
    rows = await connection.fetch(
        "SELECT identifier_key FROM held_identifier WHERE profile_id = $1 AND removed", profile_id
    )
    return {row["identifier_key"] for row in rows}


async def save_held(connection: Connection, profile_id: UUID, identifier_key: str, *, removed: bool) -> None:
    """Keeps that a profile holds an identifier, or that it was removed from it."""
    await connection.execute(
        "INSERT INTO held_identifier (profile_id, identifier_key, removed) VALUES ($1, $2, $3) "
        "ON CONFLICT (profile_id, identifier_key) DO UPDATE SET removed = excluded.removed",
        profile_id,
        identifier_key,
        removed,
    )


async def other_holder(connection: Connection, profile_id: UUID, identifier_key: str) -> UUID | None:
    """Another profile of the same customer that holds the identifier."""
    found: UUID | None = await connection.fetchval(
        "SELECT h.profile_id FROM held_identifier h "
        "JOIN membership theirs ON theirs.profile_id = h.profile_id "
        "JOIN membership ours ON ours.customer_id = theirs.customer_id AND ours.profile_id = $1 "
        "WHERE h.identifier_key = $2 AND NOT h.removed AND h.profile_id <> $1 ORDER BY h.profile_id LIMIT 1",
        profile_id,
        identifier_key,
    )
    return found


async def keep_report(connection: Connection, event_id: UUID, profile_id: UUID, touch: str) -> bool:
    """Stores the report of a profile or an asset. Returns whether it counts: False if it was retracted already."""
    counts: bool = await connection.fetchval(
        "INSERT INTO report (event_id, profile_id, touch) VALUES ($1, $2, $3) "
        "ON CONFLICT (event_id) DO UPDATE SET profile_id = excluded.profile_id RETURNING NOT retracted",
        event_id,
        profile_id,
        touch,
    )
    return counts


async def retract_report(connection: Connection, event_id: UUID, profile_id: UUID) -> dict[UUID, str]:
    """Retracts a report, even one that has not arrived yet. Returns the profile's remaining reports."""
    await connection.execute(
        "INSERT INTO report (event_id, profile_id, retracted) VALUES ($1, $2, true) "
        "ON CONFLICT (event_id) DO UPDATE SET retracted = true, touch = NULL",
        event_id,
        profile_id,
    )
    rows = await connection.fetch(
        "SELECT event_id, touch FROM report WHERE profile_id = $1 AND NOT retracted AND asset_id IS NULL", profile_id
    )
    return {row["event_id"]: row["touch"] for row in rows}


async def count_identifiers(
    connection: Connection, profile_ids: Collection[UUID], type_: str, identifier_key: str
) -> int:
    """How many identifiers of a type the customers of profiles would hold together, with `identifier_key`."""
    count: int = await connection.fetchval(
        "SELECT count(DISTINCT key) FROM (SELECT h.identifier_key AS key FROM membership ours "
        "JOIN membership m USING (customer_id) JOIN held_identifier h ON h.profile_id = m.profile_id "
        "JOIN route r USING (identifier_key) "
        "WHERE ours.profile_id = ANY($1) AND NOT h.removed AND r.identifier_type = $2 UNION ALL SELECT $3) AS held",
        list(profile_ids),
        type_,
        identifier_key,
    )
    return count


async def profiles_after(database: Database, after: UUID, limit: int) -> list[ProfileState]:
    """The registers of the next profiles in the order of their ids."""
    rows = await database.fetch(
        "SELECT state FROM profile WHERE profile_id > $1 AND sequence > 0 ORDER BY profile_id LIMIT $2", after, limit
    )
    return [ProfileState.model_validate_json(row["state"]) for row in rows]
