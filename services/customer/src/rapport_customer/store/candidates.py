"""Merge candidates."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from rapport_shared.contracts.customer import CandidateState
from rapport_shared.database import Connection, Database, Row
from rapport_shared.pages import Keyset

BY_PROBABILITY: Final[Keyset[tuple[float, UUID]]] = Keyset(float, UUID)
"""The order of the review queue: the most probable first."""


@dataclass(frozen=True, slots=True)
class LockedCandidate:
    """A candidate's row, locked."""

    state: CandidateState
    sequence: int
    last_recorded_at: datetime


async def lock_candidate(connection: Connection, candidate_id: UUID) -> LockedCandidate | None:
    """A candidate, locked; None for one that is not known."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS}, sequence, last_recorded_at FROM merge_candidate WHERE candidate_id = $1 FOR UPDATE",
        candidate_id,
    )
    return None if row is None else LockedCandidate(_state(row), row["sequence"], row["last_recorded_at"])


async def save_candidate(connection: Connection, state: CandidateState, sequence: int, recorded_at: datetime) -> None:
    """Keeps a candidate."""
    await connection.execute(
        f"INSERT INTO merge_candidate ({_COLUMNS}, sequence, last_recorded_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (candidate_id) DO UPDATE SET "
        "state = excluded.state, cause = excluded.cause, probability = excluded.probability, "
        "reasons = excluded.reasons, due_at = excluded.due_at, decided_by = excluded.decided_by, "
        "sequence = excluded.sequence, last_recorded_at = excluded.last_recorded_at",
        state.candidate_id,
        state.one,
        state.other,
        state.state,
        state.cause,
        state.probability,
        orjson.dumps([reason.model_dump() for reason in state.reasons]).decode(),
        state.due_at,
        state.decided_by,
        sequence,
        recorded_at,
    )


async def open_candidates_of(connection: Connection, profile_ids: Collection[UUID]) -> dict[UUID, list[CandidateState]]:
    """The open candidates that each of the profiles is one side of; profiles without one are missing."""
    ids = list(profile_ids)
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM merge_candidate WHERE one = ANY($1) AND state = 'open' UNION "
        f"SELECT {_COLUMNS} FROM merge_candidate WHERE other = ANY($1) AND state = 'open'",
        ids,
    )
    found: dict[UUID, list[CandidateState]] = defaultdict(list)
    for state in map(_state, rows):
        for profile_id in {state.one, state.other} & set(ids):
            found[profile_id].append(state)
    return dict(found)


async def candidates_to_review(
    database: Database,
    now: datetime,
    customer_id: UUID | None,
    unit: str,
    after: tuple[float, UUID] | None,
    limit: int,
) -> list[tuple[CandidateState, UUID, UUID]]:
    """Candidates that wait for a decision, the most probable first, each with the customers of its two sides.

    One that was put off waits for its day; one whose sides became one customer waits no longer. Where `unit` is not
    empty, only those of which a side lies in it.
    """
    rows = await database.fetch(
        f"SELECT {_PREFIXED}, a.customer_id AS one_customer, b.customer_id AS other_customer FROM merge_candidate c "
        "JOIN membership a ON a.profile_id = c.one JOIN membership b ON b.profile_id = c.other "
        "WHERE (state = 'open' OR state = 'later' AND due_at <= $1) AND a.customer_id <> b.customer_id "
        f"AND {BY_PROBABILITY.behind('coalesce(probability, 0), candidate_id', 2)} "
        "AND ($4::uuid IS NULL OR $4 IN (a.customer_id, b.customer_id)) "
        "AND ($6 = '' OR EXISTS (SELECT FROM profile p WHERE p.profile_id IN (c.one, c.other) "
        "  AND starts_with((p.state::jsonb ->> 'unit') || '/', $6 || '/'))) "
        "ORDER BY coalesce(probability, 0) DESC, candidate_id DESC LIMIT $5",
        now,
        *BY_PROBABILITY.parameters(after),
        customer_id,
        limit,
        unit,
    )
    return [(_state(row), row["one_customer"], row["other_customer"]) for row in rows]


def _state(row: Row) -> CandidateState:
    named = {name: row[name] for name in _NAMES if name != "reasons"}
    return CandidateState.model_validate(named | {"reasons": orjson.loads(row["reasons"])})


_NAMES = ("candidate_id", "one", "other", "state", "cause", "probability", "reasons", "due_at", "decided_by")
_COLUMNS = ", ".join(_NAMES)
_PREFIXED = ", ".join(f"c.{name}" for name in _NAMES)
