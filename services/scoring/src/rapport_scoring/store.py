"""The tables of scoring. Each function is one statement."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport_scoring.domain.documents import Statement, value_day
from rapport_scoring.domain.ledger_policy import LedgerPolicy
from rapport_shared.contracts.touchpoints import MODEL_OF, DocumentFamily, DocumentKey
from rapport_shared.contracts.touchpoints.commerce import Document
from rapport_shared.database import Connection, Row

_RECORD = """
INSERT INTO recording
    (event_id, profile_id, system, family, number, kind, revision, occurred_at, recorded_at, unit, data)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                     $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[])
ON CONFLICT (event_id) DO UPDATE SET profile_id = excluded.profile_id, system = excluded.system,
    family = excluded.family, number = excluded.number, kind = excluded.kind, revision = excluded.revision,
    occurred_at = excluded.occurred_at, recorded_at = excluded.recorded_at, unit = excluded.unit, data = excluded.data
WHERE recording.profile_id IS NULL
RETURNING event_id
"""
_RETRACT = """
INSERT INTO recording (event_id, retracted_at) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (event_id) DO UPDATE SET retracted_at = least(recording.retracted_at, excluded.retracted_at)
RETURNING event_id, system, family, number
"""
_PLACE_DOCUMENTS = """
INSERT INTO document (system, number, family) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT DO NOTHING
"""
_LOCK_DOCUMENTS = """
SELECT 1 FROM document
WHERE (system, number, family) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
ORDER BY system, number, family FOR UPDATE
"""
_HOLDERS = """
SELECT DISTINCT profile_id FROM recording
JOIN unnest($1::text[], $2::text[], $3::text[]) AS asked (system, number, family)
    USING (system, number, family)
WHERE profile_id IS NOT NULL
"""
_PLACE_PROFILES = """
INSERT INTO profile_mapping (profile_id, customer_id) SELECT id, id FROM unnest($1::uuid[]) AS t (id)
ON CONFLICT DO NOTHING
"""
_CUSTOMERS_OF = """
SELECT customer_id FROM profile_mapping WHERE profile_id = ANY($1::uuid[]) ORDER BY profile_id FOR SHARE
"""
_LOCK_PROFILES = """
SELECT profile_id, customer_id, mapping_seq FROM profile_mapping WHERE profile_id = ANY($1::uuid[])
ORDER BY profile_id FOR UPDATE
"""
_MOVE = """
UPDATE profile_mapping m SET customer_id = moved.customer_id, mapping_seq = moved.mapping_seq
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS moved (profile_id, customer_id, mapping_seq)
WHERE m.profile_id = moved.profile_id
"""
_PLACE_CUSTOMERS = """
INSERT INTO customer_score (customer_id) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING
"""
_LOCK_CUSTOMERS = """
SELECT customer_id, sequence, recorded_at, score, version, moved_to FROM customer_score
WHERE customer_id = ANY($1::uuid[]) ORDER BY customer_id FOR UPDATE
"""
_PUBLISHED = """
SELECT customer_id, sequence, recorded_at, score, version, moved_to FROM customer_score WHERE customer_id = $1
"""
_SAVE = """
UPDATE customer_score c SET sequence = s.sequence, recorded_at = s.recorded_at, score = s.score, version = s.version,
    moved_to = s.moved_to
FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::bigint[], $6::uuid[])
    AS s (customer_id, sequence, recorded_at, score, version, moved_to)
WHERE c.customer_id = s.customer_id
"""
_COMPOSITIONS = "SELECT profile_id, customer_id FROM profile_mapping WHERE customer_id = ANY($1::uuid[])"
_ROOTS = "SELECT profile_id, customer_id FROM profile_mapping WHERE profile_id = ANY($1::uuid[])"
_STATEMENTS = """
WITH named AS (
    SELECT DISTINCT system, number, family FROM recording WHERE profile_id = ANY($1::uuid[])
)
SELECT r.event_id, r.profile_id, r.system, r.family, r.number, r.kind, r.revision, r.occurred_at, r.unit, r.data,
    coalesce(unit.time_zone, 'UTC') AS time_zone
FROM named JOIN recording r USING (system, number, family) LEFT JOIN unit ON unit.path = r.unit
WHERE r.profile_id IS NOT NULL AND r.retracted_at IS NULL
"""
_PUT_UNITS = """
INSERT INTO unit (path, time_zone, sequence) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (path) DO UPDATE SET time_zone = excluded.time_zone, sequence = excluded.sequence
WHERE unit.sequence < excluded.sequence
"""
_PARAMETERS = """
SELECT version, handling_cost, missing_cost_share FROM value_parameters ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """What was last published of a customer: nothing yet where sequence and version are 0."""

    customer_id: UUID
    sequence: int
    recorded_at: datetime | None
    score: str | None
    version: int
    moved_to: UUID | None


def _columns(keys: Sequence[DocumentKey]) -> tuple[list[str], list[str], list[str]]:
    return [key.system for key in keys], [key.number for key in keys], [key.family for key in keys]


def _key(system: str, family: DocumentFamily, number: str) -> DocumentKey:
    return DocumentKey(system, family, number)


async def record(connection: Connection, statements: Sequence[tuple[Statement, datetime]]) -> set[UUID]:
    """Keeps statements with their record times, sorted by the caller; answers the ids of those that are new."""
    told = [statement for statement, _ in statements]
    rows = await connection.fetch(
        _RECORD,
        [statement.event_id for statement in told],
        [statement.profile_id for statement in told],
        [statement.key.system for statement in told],
        [statement.key.family for statement in told],
        [statement.key.number for statement in told],
        [statement.kind for statement in told],
        [statement.revision for statement in told],
        [statement.occurred_at for statement in told],
        [recorded_at for _, recorded_at in statements],
        [statement.unit for statement in told],
        [statement.data.model_dump_json(by_alias=True, exclude_defaults=True) for statement in told],
    )
    return {row["event_id"] for row in rows}


async def retract(connection: Connection, retractions: Sequence[tuple[UUID, datetime]]) -> set[DocumentKey]:
    """Keeps retractions, sorted by the caller; answers the documents whose statements they end."""
    rows = await connection.fetch(_RETRACT, [event for event, _ in retractions], [at for _, at in retractions])
    return {_key(row["system"], row["family"], row["number"]) for row in rows if row["system"] is not None}


async def lock_documents(connection: Connection, keys: Sequence[DocumentKey]) -> None:
    """Locks documents until the transaction ends, so that who states one sees what others stated of it."""
    await connection.execute(_PLACE_DOCUMENTS, *_columns(keys))
    await connection.execute(_LOCK_DOCUMENTS, *_columns(keys))


async def holders(connection: Connection, keys: Sequence[DocumentKey]) -> set[UUID]:
    """The profiles under which any statement of the documents came."""
    return {row["profile_id"] for row in await connection.fetch(_HOLDERS, *_columns(keys))}


async def customers_of(connection: Connection, profiles: Sequence[UUID]) -> set[UUID]:
    """The customers of profiles (an unknown profile is its own), which cannot move until the transaction ends."""
    await connection.execute(_PLACE_PROFILES, profiles)
    return {row["customer_id"] for row in await connection.fetch(_CUSTOMERS_OF, profiles)}


async def lock_profiles(connection: Connection, profiles: Sequence[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """The customer and mapping sequence of each profile, locked to be moved."""
    await connection.execute(_PLACE_PROFILES, profiles)
    rows = await connection.fetch(_LOCK_PROFILES, profiles)
    return {row["profile_id"]: (row["customer_id"], row["mapping_seq"]) for row in rows}


async def move_profiles(connection: Connection, moves: Sequence[tuple[UUID, UUID, int]]) -> None:
    """Puts profiles, locked by the caller, under customers: profile, customer, mapping sequence."""
    profiles, customers, sequences = [list(column) for column in zip(*moves, strict=True)]
    await connection.execute(_MOVE, profiles, customers, sequences)


async def lock_customers(connection: Connection, customers: Sequence[UUID]) -> list[ScoreRow]:
    """What was last published of the customers, locked."""
    await connection.execute(_PLACE_CUSTOMERS, customers)
    rows = await connection.fetch(_LOCK_CUSTOMERS, customers)
    return [ScoreRow(**dict(row)) for row in rows]


async def published(connection: Connection, customer_id: UUID) -> ScoreRow | None:
    """What was last published of a customer, None for one that was never looked at."""
    row = await connection.fetchrow(_PUBLISHED, customer_id)
    return None if row is None else ScoreRow(**dict(row))


async def save_scores(connection: Connection, rows: Sequence[ScoreRow]) -> None:
    """Saves what is now published of customers that the caller has locked."""
    await connection.execute(
        _SAVE,
        [row.customer_id for row in rows],
        [row.sequence for row in rows],
        [row.recorded_at for row in rows],
        [row.score for row in rows],
        [row.version for row in rows],
        [row.moved_to for row in rows],
    )


async def compositions(connection: Connection, customers: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The profiles of each customer."""
    found: dict[UUID, list[UUID]] = {customer: [] for customer in customers}
    for row in await connection.fetch(_COMPOSITIONS, customers):
        found[row["customer_id"]].append(row["profile_id"])
    return found


async def roots(connection: Connection, profiles: Sequence[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile that is known."""
    return {row["profile_id"]: row["customer_id"] for row in await connection.fetch(_ROOTS, profiles)}


async def statements_about(connection: Connection, profiles: Sequence[UUID]) -> list[Statement]:
    """All statements, save retracted ones, of every document that one of the profiles ever had a statement of."""
    return [_statement(row) for row in await connection.fetch(_STATEMENTS, profiles)]


async def put_units(connection: Connection, units: Sequence[tuple[str, str, int]]) -> None:
    """Keeps the zone of units (path, zone, sequence; each path once, sorted); the highest sequence stays."""
    paths, zones, sequences = [list(column) for column in zip(*units, strict=True)]
    await connection.execute(_PUT_UNITS, paths, zones, sequences)


async def present_parameters(connection: Connection) -> tuple[int, LedgerPolicy]:
    """The newest version of the parameters, and the policy that it amounts to."""
    row = await connection.fetchrow(_PARAMETERS)
    if row is None:
        raise LookupError("there are no value parameters: the migrations have not run")
    policy = LedgerPolicy(
        handling_cost=json.loads(row["handling_cost"]), missing_cost_share=Decimal(row["missing_cost_share"])
    )
    return row["version"], policy


@lru_cache(maxsize=20_000)
def _document(kind: str, data: str) -> Document:
    # Statements never change, and a customer's are read again at each of its events.
    model: Any = MODEL_OF[kind].model_fields["data"].annotation
    document: Document = model.model_validate_json(data)
    return document


def _statement(row: Row) -> Statement:
    data = _document(row["kind"], row["data"])
    return Statement(
        row["event_id"],
        row["profile_id"],
        _key(row["system"], row["family"], row["number"]),
        row["kind"],
        row["revision"],
        row["occurred_at"],
        row["unit"],
        data,
        value_day(data, row["occurred_at"], ZoneInfo(row["time_zone"])),
    )
