"""What trying a policy of the scoring service answers: a result, or the run whose result is read later."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel


class SegmentTrial(BaseModel):
    """Who would be a member: of `customers`, so many `matched`; `problem` says what is wrong with the condition.

    A trial that takes longer has `run_id` and `state` alone: its result is read at `GET /v1/value/runs/{run_id}`.
    """

    run_id: UUID
    state: str
    customers: int | None = None
    matched: int | None = None
    problem: str | None = None
    examples: list[UUID] | None = None


class TotalsTried(BaseModel):
    """The total value of the sample under the rules in force and under the tried ones, in minor units."""

    before: int
    after: int
    currency: str


class EventsTried(BaseModel):
    """How many events of each type the replayed time would have."""

    before: dict[str, int]
    after: dict[str, int]


class DifferingScore(BaseModel):
    """A customer that would stand otherwise: by name of what differs, before and after."""

    customer_id: UUID
    changes: dict[str, tuple[Any, Any]]


class ValuesTrial(BaseModel):
    """A replay of the last days under the rules in force and under the tried ones, on a sample of the customers.

    A trial that takes longer has `run_id` and `state` alone: its result is read at `GET /v1/value/runs/{run_id}`.
    """

    run_id: UUID
    state: str
    problem: str | None = None
    days: int | None = None
    customers: int | None = None
    of: int | None = None
    complete: bool | None = None
    would_change: int | None = None
    tiers: dict[str, int] | None = None
    total: TotalsTried | None = None
    told: EventsTried | None = None
    cut_short: int | None = None
    examples: list[DifferingScore] | None = None
