"""The SQL of the customer service. Locks are taken in this order, each kind sorted: routes, profiles, joins, assets."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_customer.domain.joins import Membership
from rapport_customer.domain.routing import Route, Standing
from rapport_shared.contracts.customer import AssetState, ProfileMove, ProfileState, RouteTarget, UnitState
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.database import Connection, Database

_JOIN_LOCK = 0x6A6F_696E


@dataclass(slots=True)
class LockedProfile:
    """A profile's row, locked. `state` is None for a profile that is not known yet."""

    profile_id: UUID
    state: ProfileState | None
    sequence: int
    last_recorded_at: datetime | None


@dataclass(slots=True)
class LockedRoute:
    """A route's row, locked."""

    identifier_key: str
    identifier_type: IdentifierType
    route: Route
    last_recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class LockedAsset:
    """An asset's row, locked."""

    state: AssetState
    sequence: int
    last_recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LockedUnit:
    """A unit's row, locked."""

    state: UnitState
    sequence: int
    last_recorded_at: datetime


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
        "UPDATE profile SET state = $2, registered = $3, sequence = $4, last_recorded_at = $5 WHERE profile_id = $1",
        profile.profile_id,
        profile.state.model_dump_json(),
        profile.state.registered,
        profile.sequence,
        profile.last_recorded_at,
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


async def keep_report(connection: Connection, event_id: UUID, profile_id: UUID, touch: str) -> bool:
    """Keeps the report of a profile; answers whether it counts, for it may be retracted already."""
    counts: bool = await connection.fetchval(
        "INSERT INTO report (event_id, profile_id, touch) VALUES ($1, $2, $3) "
        "ON CONFLICT (event_id) DO UPDATE SET profile_id = excluded.profile_id RETURNING NOT retracted",
        event_id,
        profile_id,
        touch,
    )
    return counts


async def retract_report(connection: Connection, event_id: UUID, profile_id: UUID) -> dict[UUID, str]:
    """Forgets a report for good, also where it is still to come; answers the profile's reports that count."""
    await connection.execute(
        "INSERT INTO report (event_id, profile_id, retracted) VALUES ($1, $2, true) "
        "ON CONFLICT (event_id) DO UPDATE SET retracted = true, touch = NULL",
        event_id,
        profile_id,
    )
    rows = await connection.fetch(
        "SELECT event_id, touch FROM report WHERE profile_id = $1 AND NOT retracted", profile_id
    )
    return {row["event_id"]: row["touch"] for row in rows}


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


async def lock_routes(connection: Connection, types: Mapping[str, IdentifierType]) -> dict[str, LockedRoute]:
    """The routes of identifier keys, locked; unseen ones are made first."""
    if not types:
        return {}
    ordered = sorted(types)
    await connection.execute(
        "INSERT INTO route (identifier_key, identifier_type) SELECT * FROM unnest($1::text[], $2::text[]) "
        "ON CONFLICT DO NOTHING",
        ordered,
        [types[key] for key in ordered],
    )
    rows = await connection.fetch(
        "SELECT identifier_key, identifier_type, target, profile_id, route_seq, last_recorded_at FROM route "
        "WHERE identifier_key = ANY($1) ORDER BY identifier_key FOR UPDATE",
        ordered,
    )
    return {
        row["identifier_key"]: LockedRoute(
            row["identifier_key"],
            IdentifierType(row["identifier_type"]),
            Route(RouteTarget(row["target"]), row["profile_id"], row["route_seq"]),
            row["last_recorded_at"],
        )
        for row in rows
    }


async def save_route(connection: Connection, locked: LockedRoute, valid_from: datetime) -> None:
    """Keeps a route."""
    await connection.execute(
        "UPDATE route SET target = $2, profile_id = $3, route_seq = $4, valid_from = $5, last_recorded_at = $6 "
        "WHERE identifier_key = $1",
        locked.identifier_key,
        locked.route.target,
        locked.route.profile_id,
        locked.route.route_seq,
        valid_from,
        locked.last_recorded_at,
    )


async def lock_joins(connection: Connection) -> None:
    """Serialises everything that makes or ends a join, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _JOIN_LOCK)


async def standings(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Standing]:
    """How profiles stand: their customer, and whether any of its profiles is registered."""
    rows = await connection.fetch(
        "WITH asked AS (SELECT a.id AS profile_id, coalesce(m.customer_id, a.id) AS customer_id "
        "  FROM unnest($1::uuid[]) AS a (id) LEFT JOIN membership m ON m.profile_id = a.id) "
        "SELECT asked.profile_id, asked.customer_id, "
        "  EXISTS (SELECT 1 FROM profile p LEFT JOIN membership m USING (profile_id) "
        "    WHERE p.registered AND (m.customer_id = asked.customer_id OR p.profile_id = asked.customer_id)"
        "  ) AS registered FROM asked",
        list(ids),
    )
    return {row["profile_id"]: Standing(row["profile_id"], row["customer_id"], row["registered"]) for row in rows}


async def memberships(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Membership]:
    """The membership of each profile; an unknown one is its own customer."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id, mapping_seq FROM membership WHERE profile_id = ANY($1)", list(ids)
    )
    found = {row["profile_id"]: Membership(row["profile_id"], row["customer_id"], row["mapping_seq"]) for row in rows}
    return {profile_id: found.get(profile_id, Membership(profile_id, profile_id, 0)) for profile_id in ids}


async def members(connection: Connection, customer_id: UUID) -> list[Membership]:
    """The profiles of a customer, in order."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id, mapping_seq FROM membership WHERE customer_id = $1 ORDER BY profile_id",
        customer_id,
    )
    return [Membership(row["profile_id"], row["customer_id"], row["mapping_seq"]) for row in rows]


async def begin_membership(connection: Connection, profile_id: UUID) -> None:
    """A new profile is its own customer."""
    await connection.execute(
        "INSERT INTO membership (profile_id, customer_id) VALUES ($1, $1) ON CONFLICT DO NOTHING", profile_id
    )


async def save_moves(connection: Connection, moves: Sequence[ProfileMove]) -> None:
    """Keeps the customers that profiles moved to."""
    await connection.execute(
        "INSERT INTO membership (profile_id, customer_id, mapping_seq) "
        "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) "
        "ON CONFLICT (profile_id) DO UPDATE "
        "SET customer_id = excluded.customer_id, mapping_seq = excluded.mapping_seq",
        [move.profile_id for move in moves],
        [move.customer_id for move in moves],
        [move.mapping_seq for move in moves],
    )


async def save_join(
    connection: Connection, merge_id: UUID, from_customer: UUID, into_profile: UUID, reason: str, recorded_at: datetime
) -> None:
    """Keeps a join."""
    await connection.execute(
        "INSERT INTO customer_join (merge_id, from_customer, into_profile, reason, last_recorded_at) "
        "VALUES ($1, $2, $3, $4, $5)",
        merge_id,
        from_customer,
        into_profile,
        reason,
        recorded_at,
    )


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


async def lock_unit(connection: Connection, path: str) -> LockedUnit | None:
    """A unit, locked."""
    row = await connection.fetchrow(
        "SELECT state, sequence, last_recorded_at FROM unit WHERE path = $1 FOR UPDATE", path
    )
    if row is None:
        return None
    return LockedUnit(UnitState.model_validate_json(row["state"]), row["sequence"], row["last_recorded_at"])


async def insert_unit(connection: Connection, state: UnitState, recorded_at: datetime) -> bool:
    """Keeps a new unit; answers False when another transaction just did."""
    made = await connection.fetchval(
        "INSERT INTO unit (path, state, sequence, last_recorded_at) VALUES ($1, $2, 1, $3) "
        "ON CONFLICT DO NOTHING RETURNING true",
        state.path,
        state.model_dump_json(),
        recorded_at,
    )
    return bool(made)


async def save_unit(connection: Connection, state: UnitState, sequence: int, recorded_at: datetime) -> None:
    """Keeps a unit."""
    await connection.execute(
        "UPDATE unit SET state = $2, sequence = $3, last_recorded_at = $4 WHERE path = $1",
        state.path,
        state.model_dump_json(),
        sequence,
        recorded_at,
    )


async def read_unit(database: Database, path: str) -> tuple[UnitState, int] | None:
    """A unit and its sequence."""
    row = await database.fetch_row("SELECT state, sequence FROM unit WHERE path = $1", path)
    return None if row is None else (UnitState.model_validate_json(row["state"]), row["sequence"])


async def units(database: Database, after: str | None, limit: int) -> list[UnitState]:
    """Units in the order of their paths, after one."""
    rows = await database.fetch(
        "SELECT state FROM unit WHERE path > $1 ORDER BY path LIMIT $2", after if after is not None else "", limit
    )
    return [UnitState.model_validate_json(row["state"]) for row in rows]


async def unit_exists(connection: Connection, path: str) -> bool:
    """Whether there is such a unit."""
    found = await connection.fetchval("SELECT true FROM unit WHERE path = $1", path)
    return bool(found)
