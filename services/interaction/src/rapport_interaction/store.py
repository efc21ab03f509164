"""The SQL of the interaction service. Rows are locked in sorted order: routes, conversations, interactions."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_interaction.domain.attribution import Route
from rapport_interaction.domain.conversations import Holders
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.interaction import InteractionQuarantined, InteractionRecorded
from rapport_shared.database import Connection, Database, Row


@dataclass(frozen=True, slots=True)
class Known:
    """A touchpoint that was recorded: what it said, and its latest recording."""

    touchpoint_id: UUID
    digest: str
    recording: int
    event_id: UUID
    interaction_id: UUID
    profile_id: UUID | None
    retracted: bool


@dataclass(frozen=True, slots=True)
class InteractionState:
    """Where an interaction's sequence stands."""

    last_sequence: int
    last_recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it was published."""

    occurred_at: datetime
    data: InteractionRecorded


_KNOWN = "SELECT touchpoint_id, digest, recording, event_id, interaction_id, profile_id, retracted FROM touchpoint"


async def known_touchpoints(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Known]:
    """Those of `ids` that were recorded."""
    rows = await connection.fetch(f"{_KNOWN} WHERE touchpoint_id = ANY($1)", list(ids))
    return {row["touchpoint_id"]: Known(**dict(row)) for row in rows}


async def lock_touchpoints(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Known]:
    """Those of `ids` that were recorded, locked in order."""
    rows = await connection.fetch(
        f"{_KNOWN} WHERE touchpoint_id = ANY($1) ORDER BY touchpoint_id FOR UPDATE", list(ids)
    )
    return {row["touchpoint_id"]: Known(**dict(row)) for row in rows}


async def lock_routes(connection: Connection, keys: Collection[str]) -> dict[str, Route]:
    """The routes of `keys`, locked; unseen ones are made first."""
    if not keys:
        return {}
    ordered = sorted(keys)
    await connection.execute(
        "INSERT INTO route (identifier_key) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING", ordered
    )
    rows = await connection.fetch(
        "SELECT identifier_key, target, profile_id, route_seq, guess FROM route "
        "WHERE identifier_key = ANY($1) ORDER BY identifier_key FOR UPDATE",
        ordered,
    )
    return {row["identifier_key"]: _route(row) for row in rows}


def _route(row: Row) -> Route:
    return Route(row["identifier_key"], RouteTarget(row["target"]), row["profile_id"], row["route_seq"], row["guess"])


async def save_guesses(connection: Connection, routes: Sequence[Route]) -> None:
    """Keeps the guesses of `routes`."""
    await connection.execute(
        "UPDATE route r SET guess = g.guess FROM unnest($1::text[], $2::uuid[]) AS g (identifier_key, guess) "
        "WHERE r.identifier_key = g.identifier_key",
        [route.identifier_key for route in routes],
        [route.guess for route in routes],
    )


async def put_route(connection: Connection, route: Route) -> None:
    """Takes over the owner's word on a route, unless a later one is known; it ends the guess."""
    await connection.execute(
        "INSERT INTO route (identifier_key, target, profile_id, route_seq) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (identifier_key) DO UPDATE "
        "SET target = excluded.target, profile_id = excluded.profile_id, route_seq = excluded.route_seq, guess = NULL "
        "WHERE route.route_seq < excluded.route_seq",
        route.identifier_key,
        route.target,
        route.profile_id,
        route.route_seq,
    )


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


async def put_asset(
    connection: Connection,
    asset_id: UUID,
    sequence: int,
    keys: Sequence[str],
    holdings: Sequence[tuple[datetime, UUID]],
) -> bool:
    """Takes over an asset's register, unless a later one is known; answers whether it did."""
    newer = await connection.fetchval(
        "INSERT INTO asset_register (asset_id, sequence) VALUES ($1, $2) "
        "ON CONFLICT (asset_id) DO UPDATE SET sequence = excluded.sequence "
        "WHERE asset_register.sequence < excluded.sequence RETURNING true",
        asset_id,
        sequence,
    )
    if not newer:
        return False
    await connection.execute("DELETE FROM asset_holding WHERE asset_key = ANY($1)", list(keys))
    await connection.executemany(
        "INSERT INTO asset_holding (asset_key, from_at, profile_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(key, from_at, profile_id) for key in keys for from_at, profile_id in holdings],
    )
    return True


async def put_unit(connection: Connection, path: str, phone_region: str, sequence: int) -> None:
    """Takes over a unit's register, unless a later one is known."""
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


async def lock_interactions(connection: Connection, ids: Collection[UUID]) -> dict[UUID, InteractionState]:
    """The interactions of `ids` that exist, locked."""
    rows = await connection.fetch(
        "SELECT interaction_id, last_sequence, last_recorded_at FROM interaction "
        "WHERE interaction_id = ANY($1) ORDER BY interaction_id FOR UPDATE",
        list(ids),
    )
    return {row["interaction_id"]: InteractionState(row["last_sequence"], row["last_recorded_at"]) for row in rows}


async def save_interactions(
    connection: Connection, states: Mapping[UUID, InteractionState], profiles: Mapping[UUID, UUID | None]
) -> None:
    """Keeps where each interaction's sequence stands."""
    ordered = sorted(states)
    await connection.execute(
        "INSERT INTO interaction (interaction_id, profile_id, last_sequence, last_recorded_at) "
        "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[]) "
        "ON CONFLICT (interaction_id) DO UPDATE "
        "SET last_sequence = excluded.last_sequence, last_recorded_at = excluded.last_recorded_at",
        ordered,
        [profiles.get(interaction_id) for interaction_id in ordered],
        [states[interaction_id].last_sequence for interaction_id in ordered],
        [states[interaction_id].last_recorded_at for interaction_id in ordered],
    )


async def save_touchpoints(connection: Connection, touchpoints: Sequence[Known]) -> None:
    """Keeps touchpoints with their latest recording."""
    await connection.execute(
        "INSERT INTO touchpoint (touchpoint_id, digest, recording, event_id, interaction_id, profile_id, retracted) "
        "SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bool[]) "
        "ON CONFLICT (touchpoint_id) DO UPDATE SET recording = excluded.recording, event_id = excluded.event_id, "
        "interaction_id = excluded.interaction_id, profile_id = excluded.profile_id, retracted = excluded.retracted",
        [touchpoint.touchpoint_id for touchpoint in touchpoints],
        [touchpoint.digest for touchpoint in touchpoints],
        [touchpoint.recording for touchpoint in touchpoints],
        [touchpoint.event_id for touchpoint in touchpoints],
        [touchpoint.interaction_id for touchpoint in touchpoints],
        [touchpoint.profile_id for touchpoint in touchpoints],
        [touchpoint.retracted for touchpoint in touchpoints],
    )


async def save_clues(connection: Connection, clues: Iterable[tuple[str, UUID]]) -> None:
    """Keeps what anonymous touchpoints wait for."""
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


async def forget_clues(connection: Connection, touchpoint_ids: Collection[UUID]) -> None:
    """The touchpoints wait for nothing any more."""
    await connection.execute("DELETE FROM anonymous_touchpoint WHERE touchpoint_id = ANY($1)", list(touchpoint_ids))


async def logged_recordings(connection: Connection, event_ids: Collection[UUID]) -> dict[UUID, Recording]:
    """Recordings as the log has them."""
    rows = await connection.fetch(
        "SELECT event_id, headers, value FROM event_log WHERE event_id = ANY($1)", list(event_ids)
    )
    return {
        row["event_id"]: Recording(
            datetime.fromisoformat(json.loads(row["headers"])["ce_time"]),
            InteractionRecorded.model_validate_json(row["value"]),
        )
        for row in rows
    }


async def save_quarantined(
    connection: Connection,
    quarantined: InteractionQuarantined,
    headers: Mapping[str, str],
    body: bytes | None,
) -> bool:
    """Keeps a quarantined touchpoint; answers whether it is new."""
    new = await connection.fetchval(
        "INSERT INTO quarantine (quarantine_id, touchpoint_id, reason, errors, conflict_of, headers, body, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING true",
        quarantined.quarantine_id,
        quarantined.touchpoint_id,
        quarantined.reason,
        json.dumps([reason.model_dump() for reason in quarantined.errors], ensure_ascii=False),
        quarantined.conflict_of,
        json.dumps(dict(headers)),
        body,
        quarantined.received_at,
    )
    return bool(new)


async def quarantine_page(connection: Connection, after: tuple[datetime, UUID] | None, limit: int) -> list[Row]:
    """Quarantined touchpoints, the latest first, without their bodies."""
    received_at, quarantine_id = after or (None, None)
    return await connection.fetch(
        "SELECT quarantine_id, touchpoint_id, reason, errors, conflict_of, received_at FROM quarantine "
        "WHERE $1::timestamptz IS NULL OR (received_at, quarantine_id) < ($1, $2::uuid) "
        "ORDER BY received_at DESC, quarantine_id DESC LIMIT $3",
        received_at,
        quarantine_id,
        limit,
    )


async def prune_quarantine(connection: Connection, before: datetime) -> None:
    """Forgets the bodies of what was quarantined before an instant; the reasons stay."""
    await connection.execute(
        "UPDATE quarantine SET body = NULL, headers = '{}' WHERE received_at < $1 AND body IS NOT NULL", before
    )


async def count_quarantined(database: Database) -> int:
    """How many touchpoints are in quarantine."""
    count: int = await database.fetch_value("SELECT count(*) FROM quarantine")
    return count
