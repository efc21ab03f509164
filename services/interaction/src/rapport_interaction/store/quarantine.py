"""The quarantine: what could not be recorded, with the body for thirty days, and what became of it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_interaction.domain.quarantined import Names, Quarantined
from rapport_shared.contracts.interaction import InteractionQuarantined, QuarantineReason
from rapport_shared.database import Connection, Database, Row
from rapport_shared.gathering import counted

_SHOWN = (
    "quarantine_id, touchpoint_id, reason, errors, conflict_of, kind, channel, source, received_at, "
    "state, settled_at, dismissal"
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which quarantined touchpoints: `since` is the first instant of their arrival, `until` the first that is not."""

    state: str = "open"
    reason: str | None = None
    kind: str | None = None
    channel: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> tuple[str | datetime | None, ...]:
        """The parameters of the condition."""
        return self.state, self.reason, self.kind, self.channel, self.source, self.since, self.until


_SELECTED = (
    "state = $1 AND ($2::text IS NULL OR reason = $2) AND ($3::text IS NULL OR kind = $3) "
    "AND ($4::text IS NULL OR channel = $4) AND ($5::text IS NULL OR source = $5) "
    "AND ($6::timestamptz IS NULL OR received_at >= $6) AND ($7::timestamptz IS NULL OR received_at < $7)"
)
Position = tuple[datetime, UUID]


async def save_quarantined(
    connection: Connection,
    quarantined: InteractionQuarantined,
    headers: Mapping[str, str],
    body: bytes | None,
    names: Names,
) -> bool:
    """Keeps a quarantined touchpoint; answers whether it is new."""
    new = await connection.fetchval(
        "INSERT INTO quarantine (quarantine_id, touchpoint_id, reason, errors, conflict_of, headers, body, received_at,"
        " kind, channel, source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        "ON CONFLICT DO NOTHING RETURNING true",
        quarantined.quarantine_id,
        quarantined.touchpoint_id,
        quarantined.reason,
        json.dumps([reason.model_dump() for reason in quarantined.errors], ensure_ascii=False),
        quarantined.conflict_of,
        json.dumps(dict(headers)),
        body,
        quarantined.received_at,
        names.kind,
        names.channel,
        names.source,
    )
    return bool(new)


async def in_quarantine(connection: Connection, quarantine_ids: Collection[UUID]) -> set[UUID]:
    """Those of `quarantine_ids` that are or were in quarantine."""
    rows = await connection.fetch(
        "SELECT quarantine_id FROM quarantine WHERE quarantine_id = ANY($1)", list(quarantine_ids)
    )
    return {row["quarantine_id"] for row in rows}


async def lock_quarantined(connection: Connection, quarantine_id: UUID) -> Quarantined | None:
    """A quarantined touchpoint with its body, locked."""
    row = await connection.fetchrow(
        "SELECT quarantine_id, touchpoint_id, reason, errors, conflict_of, headers, body, received_at, state "
        "FROM quarantine WHERE quarantine_id = $1 FOR UPDATE",
        quarantine_id,
    )
    if row is None:
        return None
    errors = tuple(QuarantineReason.model_validate(error) for error in json.loads(row["errors"]))
    return Quarantined(**{**dict(row), "errors": errors, "headers": json.loads(row["headers"])})


async def quarantined_at(connection: Connection, aggregate: str) -> datetime | None:
    """When the first event of an aggregate was recorded."""
    at: datetime | None = await connection.fetchval(
        "SELECT recorded_at FROM event_log WHERE aggregate = $1 AND sequence = 1", aggregate
    )
    return at


async def settle(
    connection: Connection, quarantine_id: UUID, state: str, at: datetime, dismissal: str | None = None
) -> None:
    """Says what became of a quarantined touchpoint. The caller holds its lock."""
    await connection.execute(
        "UPDATE quarantine SET state = $2, settled_at = $3, dismissal = $4 WHERE quarantine_id = $1",
        quarantine_id,
        state,
        at,
        dismissal,
    )


async def quarantine_page(
    connection: Connection, selection: Selection, after: Position | None, limit: int
) -> list[Row]:
    """Quarantined touchpoints, the latest first, without their bodies."""
    received_at, quarantine_id = after or (None, None)
    return await connection.fetch(
        f"SELECT {_SHOWN} FROM quarantine WHERE {_SELECTED} "
        "AND ($8::timestamptz IS NULL OR (received_at, quarantine_id) < ($8, $9::uuid)) "
        "ORDER BY received_at DESC, quarantine_id DESC LIMIT $10",
        *selection.values(),
        received_at,
        quarantine_id,
        limit,
    )


async def quarantine_entry(connection: Connection, quarantine_id: UUID) -> Row | None:
    """A quarantined touchpoint with its body."""
    return await connection.fetchrow(f"SELECT {_SHOWN}, body FROM quarantine WHERE quarantine_id = $1", quarantine_id)


async def quarantined_in_order(
    connection: Connection, selection: Selection, after: Position | None, limit: int
) -> list[Position]:
    """Where quarantined touchpoints stand, the first that came first."""
    received_at, quarantine_id = after or (None, None)
    rows = await connection.fetch(
        f"SELECT received_at, quarantine_id FROM quarantine WHERE {_SELECTED} "
        "AND ($8::timestamptz IS NULL OR (received_at, quarantine_id) > ($8, $9::uuid)) "
        "ORDER BY received_at, quarantine_id LIMIT $10",
        *selection.values(),
        received_at,
        quarantine_id,
        limit,
    )
    return [(row["received_at"], row["quarantine_id"]) for row in rows]


async def count_selected(connection: Connection, selection: Selection, after: Position | None) -> int:
    """How many quarantined touchpoints there are after a place."""
    received_at, quarantine_id = after or (None, None)
    count: int = await connection.fetchval(
        f"SELECT count(*) FROM quarantine WHERE {_SELECTED} "
        "AND ($8::timestamptz IS NULL OR (received_at, quarantine_id) > ($8, $9::uuid))",
        *selection.values(),
        received_at,
        quarantine_id,
    )
    return count


async def prune_quarantine(connection: Connection, before: datetime) -> None:
    """Forgets the bodies of what was quarantined before an instant, and what was read in them; the reasons stay."""
    await connection.execute(
        "UPDATE quarantine SET body = NULL, headers = '{}', kind = NULL, channel = NULL, source = NULL "
        "WHERE received_at < $1 AND (body IS NOT NULL OR headers <> '{}')",
        before,
    )


async def count_quarantined(database: Database) -> int:
    """How many touchpoints are in quarantine; counting stops at 100,000."""
    count: int = await database.fetch_value("SELECT " + counted("quarantine", "state = 'open'"))
    return count
