"""What the API answers about long computations."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from rapport_shared.contracts.envelope import ShownInstant


class RunAnswer(BaseModel):
    """A long computation: `queued`, `running`, `finished` or `failed`; `result` once it ended, by its kind."""

    run_id: UUID
    kind: str | None = None
    state: str
    done: int = 0
    total: int | None = None
    asked_by: str | None = None
    asked_at: ShownInstant | None = None
    finished_at: ShownInstant | None = None
    result: dict[str, Any] | None = None


class Ranked(BaseModel):
    """A customer in a ranking; amounts in minor units of the ranking's currency, null where unknown."""

    customer_id: UUID
    unit: str | None
    total: int | None
    contemporary: int | None
    potential: int | None
    model: int | None
    tier: str
    stage: str


class Ranking(BaseModel):
    """A page of a ranking. All customers are valued at the end of the day `valued_on`, by the same rules."""

    run_id: UUID
    valued_on: date
    currency: str
    parameter_version: int
    policy_version: int
    by: str
    customers: list[Ranked]
    next_cursor: str | None


class Flow(BaseModel):
    """A month, or all of them (`month` null). A month that is not over on the report's day is not `complete`."""

    month: date | None
    customers: int
    orders: int
    revenue: int
    cost: int
    deal_size: int | None
    frequency: str | None
    cost_per_deal: int | None
    complete: bool = True


class Health(BaseModel):
    """A unit with all below it; `unit` null is the whole firm."""

    unit: str | None
    customers: int
    lost: int
    lifetime_days: str | None
    total: Flow
    months: list[Flow]


class HealthReport(BaseModel):
    """The health of customer relations on a day; amounts in minor units of `currency`."""

    valued_on: date
    currency: str
    units: list[Health]


class CohortMonth(BaseModel):
    """A cohort `age` months after its first: how many of it bought, the share of it, and their revenue.

    A month that is not over on the report's day is not `complete`: it has who bought so far, and no `retention` yet.
    """

    age: int
    complete: bool = True
    customers: int
    retention: str | None
    revenue: int


class Cohort(BaseModel):
    """The customers whose first purchase was in a month."""

    month: date
    size: int
    months: list[CohortMonth]


class CohortReport(BaseModel):
    """The cohorts of a day; amounts in minor units of `currency`."""

    valued_on: date
    currency: str
    cohorts: list[Cohort]


class ParameterVersion(BaseModel):
    """A version of the forecast's parameters."""

    version: int
    valid_from: ShownInstant
    fitted_until: date | None


class ParameterPage(BaseModel):
    """Versions, the newest first."""

    versions: list[ParameterVersion]
    next_cursor: str | None


class Parameters(ParameterVersion):
    """A version whole: the parameters of the company and of each group; none of the version that ships, and of
    those that an earlier release fitted with another model."""

    forecast: list[dict[str, Any]]
