"""The facts of a run: each event once, with what ends it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from rapport_gateway.view.facts import Fact
from rapport_gateway.view.interactions import OF_CONTACT, SHOWN, Entry
from rapport_shared.database import Connection, Row

_INSERT = """
WITH new AS (
    INSERT INTO fact (event_id, type, subject, profile_id, touchpoint_id, interaction_id, kind, channel,
                      occurred_at, recorded_at, sequence, data)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[],
                         $8::text[], $9::timestamptz[], $10::timestamptz[], $11::bigint[], $12::text[])
    ON CONFLICT (event_id) DO NOTHING RETURNING event_id, interaction_id, type
)
SELECT new.event_id, run.turn, run.seq,
       EXISTS (SELECT FROM retraction r WHERE r.event_id = new.event_id) AS ended,
       new.type = 'interaction.recorded' AND EXISTS (
           SELECT FROM fact e WHERE e.interaction_id = new.interaction_id AND e.type = 'interaction.retracted'
       ) AS mended
FROM new CROSS JOIN (SELECT turn, seq FROM view_run WHERE run = $13) AS run
"""


@dataclass(frozen=True, slots=True)
class NewFacts:
    """The facts of a batch that were not known, and the position of the run before the batch.

    `ended` are recordings that no longer count, `mended` those of interactions with such; by facts of earlier batches.
    """

    event_ids: frozenset[UUID]
    ended: frozenset[UUID]
    mended: frozenset[UUID]
    turn: int
    seq: int


async def insert(connection: Connection, run: int, facts: Sequence[Fact]) -> NewFacts | None:
    """Keeps facts; None where all were known."""
    recorded = [fact.type == "interaction.recorded" for fact in facts]
    rows = await connection.fetch(
        _INSERT,
        [fact.event_id for fact in facts],
        [fact.type for fact in facts],
        [fact.subject for fact in facts],
        [fact.profile_id for fact in facts],
        [fact.touchpoint_id for fact in facts],
        [fact.data.get("interaction_id") for fact in facts],
        [fact.data.get("kind") if so else None for fact, so in zip(facts, recorded, strict=True)],
        [fact.data.get("channel") if so else None for fact, so in zip(facts, recorded, strict=True)],
        [fact.occurred_at for fact in facts],
        [fact.recorded_at for fact in facts],
        [fact.sequence for fact in facts],
        [fact.text for fact in facts],
        run,
    )
    if not rows:
        return None
    return NewFacts(
        frozenset(row["event_id"] for row in rows),
        frozenset(row["event_id"] for row in rows if row["ended"]),
        frozenset(row["event_id"] for row in rows if row["mended"]),
        rows[0]["turn"],
        rows[0]["seq"],
    )


async def insert_retractions(connection: Connection, event_ids: Collection[UUID]) -> set[UUID]:
    """Keeps which recordings no longer count; answers those that did until now."""
    rows = await connection.fetch(
        "INSERT INTO retraction SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING event_id", sorted(event_ids)
    )
    return {row["event_id"] for row in rows}


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that was recorded in one interaction: entries by profile, and those of them that no longer count.

    `retractions` are the events that ended entries.
    """

    entries: dict[UUID, list[Entry]]
    ended: frozenset[UUID]
    retractions: frozenset[UUID]


async def conversations(connection: Connection, interaction_ids: Collection[UUID]) -> dict[UUID, Conversation]:
    """Interactions with all their entries."""
    rows = await connection.fetch(
        "SELECT f.interaction_id, f.event_id, f.type, f.profile_id, f.sequence, f.kind, f.channel, "
        "r.event_id IS NOT NULL AS ended FROM fact f LEFT JOIN retraction r USING (event_id) "
        "WHERE f.interaction_id = ANY($1) AND f.type IN ('interaction.recorded', 'interaction.retracted')",
        sorted(interaction_ids),
    )
    by_interaction: defaultdict[UUID, list[Row]] = defaultdict(list)
    for row in rows:
        by_interaction[row["interaction_id"]].append(row)
    return {interaction_id: _conversation(found) for interaction_id, found in by_interaction.items()}


def _conversation(rows: Sequence[Row]) -> Conversation:
    entries: defaultdict[UUID, list[Entry]] = defaultdict(list)
    for row in rows:
        if row["type"] == "interaction.recorded" and row["profile_id"] is not None:
            entry = Entry(row["event_id"], row["sequence"], row["kind"], row["channel"])
            entries[row["profile_id"]].append(entry)
    return Conversation(
        dict(entries),
        frozenset(row["event_id"] for row in rows if row["ended"]),
        frozenset(row["event_id"] for row in rows if row["type"] == "interaction.retracted"),
    )


_CONTACTS = f"""
SELECT f.* FROM fact f WHERE f.profile_id = $1 AND {OF_CONTACT}
AND NOT EXISTS (SELECT FROM retraction r WHERE r.event_id = f.event_id)
"""
_FIRST_CONTACT = f"{_CONTACTS} ORDER BY occurred_at, event_id LIMIT 1"
_CONTACTS_BEFORE = f"""
{_CONTACTS} AND ($2::timestamptz IS NULL OR (occurred_at, event_id) < ($2, $3::uuid))
ORDER BY occurred_at DESC, event_id DESC LIMIT $4
"""
_CONTACTS_AT_ONCE = 20


async def first_contact_at(connection: Connection, profile_id: UUID) -> datetime | None:
    """When the first contact of a profile was that counts."""
    row = await connection.fetchrow(_FIRST_CONTACT, profile_id)
    return None if row is None else row["occurred_at"]


async def latest_contacts(connection: Connection, profile_id: UUID) -> list[Fact]:
    """The latest contact of each of the latest interactions of a profile, as many as are shown, the latest first."""
    found: dict[UUID, Fact] = {}
    before: tuple[datetime | None, UUID | None] = (None, None)
    while len(found) < SHOWN:
        rows = await connection.fetch(_CONTACTS_BEFORE, profile_id, *before, _CONTACTS_AT_ONCE)
        for row in rows:
            found.setdefault(row["interaction_id"], as_fact(row))
        if len(rows) < _CONTACTS_AT_ONCE:
            break
        before = rows[-1]["occurred_at"], rows[-1]["event_id"]
    return list(found.values())[:SHOWN]


async def standing_recordings(connection: Connection, event_ids: Collection[UUID]) -> tuple[list[Fact], list[Fact]]:
    """Recordings, and all recordings of the same touchpoints that count."""
    ended = [as_fact(row) for row in await connection.fetch("SELECT * FROM fact WHERE event_id = ANY($1)", event_ids)]
    touchpoints = [UUID(fact.data["touchpoint_id"]) for fact in ended if fact.type == "interaction.recorded"]
    rows = await connection.fetch(
        "SELECT f.* FROM fact f WHERE (f.event_id = ANY($1) OR f.touchpoint_id = ANY($1)) "
        "AND f.type = 'interaction.recorded' AND NOT EXISTS (SELECT FROM retraction r WHERE r.event_id = f.event_id)",
        touchpoints,
    )
    return ended, [as_fact(row) for row in rows]


async def recordings(connection: Connection, event_ids: Collection[UUID]) -> list[Fact]:
    """Those of the events that are recordings, whether they count or not."""
    rows = await connection.fetch(
        "SELECT * FROM fact WHERE event_id = ANY($1) AND type = 'interaction.recorded'", list(event_ids)
    )
    return [as_fact(row) for row in rows]


def as_fact(row: Row) -> Fact:
    """A kept fact."""
    return Fact(
        event_id=row["event_id"],
        type=row["type"],
        subject=row["subject"],
        profile_id=row["profile_id"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        sequence=row["sequence"],
        data=orjson.loads(row["data"]),
        text=row["data"],
        touchpoint_id=row["touchpoint_id"],
    )
