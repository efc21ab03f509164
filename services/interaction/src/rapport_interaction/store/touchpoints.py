"""Touchpoints with their latest recording, and the interactions that they are entries of."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_interaction.store.quarantine import BY_INSTANT
from rapport_shared.contracts.catalogue import INTERACTION_RECORDED
from rapport_shared.contracts.interaction import InteractionRecorded
from rapport_shared.database import Connection, Row

_ATTRIBUTION_LOCK = 0x696E7472


async def share_attribution(connection: Connection) -> None:
    """Says that touchpoints are being attributed: until the end of the transaction nobody alters what decides."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _ATTRIBUTION_LOCK)


async def own_attribution(connection: Connection) -> None:
    """Waits until nobody attributes touchpoints, and keeps it so until the end of the transaction.

    Without it, what a conversation or an asset is learnt to be would miss the touchpoints that are just being recorded.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ATTRIBUTION_LOCK)


@dataclass(frozen=True, slots=True)
class Known:
    """A touchpoint that was recorded: what it said, and its latest recording.

    What it was about is kept since anonymous touchpoints are listed, and for those alone that were recorded before.
    """

    touchpoint_id: UUID
    digest: str
    recording: int
    event_id: UUID
    interaction_id: UUID
    profile_id: UUID | None
    retracted: bool
    channel: str | None = None
    kind: str | None = None
    unit: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InteractionState:
    """The present sequence of an interaction."""

    last_sequence: int
    last_recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it was published."""

    occurred_at: datetime
    data: InteractionRecorded


_COLUMNS = (
    "touchpoint_id, digest, recording, event_id, interaction_id, profile_id, retracted, "
    "channel, kind, unit, occurred_at"
)
_KNOWN = f"SELECT {_COLUMNS} FROM touchpoint"


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
    """Stores the present sequence of each interaction."""
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
        f"INSERT INTO touchpoint ({_COLUMNS}) "
        "SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bool[], "
        "$8::text[], $9::text[], $10::text[], $11::timestamptz[]) "
        "ON CONFLICT (touchpoint_id) DO UPDATE SET recording = excluded.recording, event_id = excluded.event_id, "
        "interaction_id = excluded.interaction_id, profile_id = excluded.profile_id, retracted = excluded.retracted",
        [touchpoint.touchpoint_id for touchpoint in touchpoints],
        [touchpoint.digest for touchpoint in touchpoints],
        [touchpoint.recording for touchpoint in touchpoints],
        [touchpoint.event_id for touchpoint in touchpoints],
        [touchpoint.interaction_id for touchpoint in touchpoints],
        [touchpoint.profile_id for touchpoint in touchpoints],
        [touchpoint.retracted for touchpoint in touchpoints],
        [touchpoint.channel for touchpoint in touchpoints],
        [touchpoint.kind for touchpoint in touchpoints],
        [touchpoint.unit for touchpoint in touchpoints],
        [touchpoint.occurred_at for touchpoint in touchpoints],
    )


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


async def entries_of(connection: Connection, interaction_id: UUID) -> list[UUID]:
    """The touchpoints that are or were entries of an interaction, in the order of their recording."""
    rows = await connection.fetch(
        "SELECT event_id, headers FROM event_log WHERE aggregate = $1 AND type = $2 ORDER BY sequence",
        f"{INTERACTION_RECORDED.aggregate}:{interaction_id}",
        INTERACTION_RECORDED.wire,
    )
    named = [json.loads(row["headers"]).get("ce_touchpointid") or str(row["event_id"]) for row in rows]
    return [UUID(touchpoint_id) for touchpoint_id in dict.fromkeys(named)]


@dataclass(frozen=True, slots=True)
class Listed:
    """Which anonymous touchpoints are listed: `since` is the first instant, `until` the first that is not."""

    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def anonymous_page(
    connection: Connection, listed: Listed, after: tuple[datetime, UUID] | None, limit: int
) -> list[Row]:
    """Anonymous touchpoints that count, the latest first."""
    return await connection.fetch(
        f"{_KNOWN} WHERE profile_id IS NULL AND NOT retracted AND occurred_at IS NOT NULL "
        "AND ($1::text IS NULL OR channel = $1) "
        "AND ($2::timestamptz IS NULL OR occurred_at >= $2) AND ($3::timestamptz IS NULL OR occurred_at < $3) "
        f"AND {BY_INSTANT.behind('occurred_at, touchpoint_id', 4)} "
        "ORDER BY occurred_at DESC, touchpoint_id DESC LIMIT $6",
        listed.channel,
        listed.since,
        listed.until,
        *BY_INSTANT.parameters(after),
        limit,
    )
