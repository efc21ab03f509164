"""Lifecycle stages: computed from a customer's purchase days, with the next day on which time alone changes the stage.

Purchases more than `lapse_days` apart belong to different runs; only the present run counts. With `n` distinct
purchase days in it, and `tenure` days since its first:

- `prospect`: never bought.
- `lapsed`: the last purchase is more than `lapse_days` ago.
- `lifelong`: n ≥ `lifelong_orders` and tenure ≥ `lifelong_days`; else `loyal`, by the same two.
- `won_back`: neither, and there was an earlier run, whose purchases do not count towards `loyal` or `lifelong`.
- `first_order`: n = 1; `developing`: n > 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_scoring.domain.figures import PurchaseDays
from rapport_shared.contracts.scoring import Stage

Days = Annotated[int, Field(ge=1, le=36_500)]
Orders = Annotated[int, Field(ge=2, le=10_000)]


class StagePolicy(BaseModel):
    """The thresholds between stages: numbers of purchase days, and days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lapse_days: Days = 365
    loyal_orders: Orders = 4
    loyal_days: Days = 180
    lifelong_orders: Orders = 10
    lifelong_days: Days = 1825

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lifelong_orders <= self.loyal_orders:
            raise ValueError("lifelong_orders must be more than loyal_orders")
        if self.lifelong_days <= self.loyal_days:
            raise ValueError("lifelong_days must be more than loyal_days")
        return self


@dataclass(frozen=True, slots=True)
class Run:
    """The purchase days since the last lapse, as ascending ordinals; `returned` if there was a lapse."""

    days: Sequence[int]
    returned: bool

    @classmethod
    def of(cls, bought_on: PurchaseDays, on: date, policy: StagePolicy) -> "Run":
        """The present run on a day, from the purchases up to this day."""
        days = bought_on.until(on).ordinals
        for place in range(len(days) - 1, 0, -1):
            if days[place] - days[place - 1] > policy.lapse_days:
                return cls(days[place:], True)
        return cls(days, False)

    def stage(self, on: date, policy: StagePolicy) -> Stage:
        """The stage on a day if nothing more is bought until then."""
        if not self.days:
            return Stage.PROSPECT
        day = on.toordinal()
        if day - self.days[-1] > policy.lapse_days:
            return Stage.LAPSED
        tenure, orders = day - self.days[0], len(self.days)
        if orders >= policy.lifelong_orders and tenure >= policy.lifelong_days:
            return Stage.LIFELONG
        if orders >= policy.loyal_orders and tenure >= policy.loyal_days:
            return Stage.LOYAL
        if self.returned:
            return Stage.WON_BACK
        return Stage.FIRST_ORDER if orders == 1 else Stage.DEVELOPING

    def since(self, on: date, policy: StagePolicy) -> date | None:
        """The day of the present run on which the stage of day `on` was entered; None for a prospect."""
        days = self.days
        match self.stage(on, policy):
            case Stage.PROSPECT:
                return None
            case Stage.LAPSED:
                return date.fromordinal(days[-1] + policy.lapse_days + 1)
            case Stage.LIFELONG:
                return date.fromordinal(max(days[policy.lifelong_orders - 1], days[0] + policy.lifelong_days))
            case Stage.LOYAL:
                return date.fromordinal(max(days[policy.loyal_orders - 1], days[0] + policy.loyal_days))
            case Stage.DEVELOPING:
                return date.fromordinal(days[1])
            case Stage.FIRST_ORDER | Stage.WON_BACK:
                return date.fromordinal(days[0])
            case unknown:
                assert_never(unknown)

    def next_change(self, on: date, policy: StagePolicy) -> date | None:
        """The first day after `on` with another stage if nothing more is bought; None if the stage never changes."""
        if not self.days:
            return None
        now, first, last = self.stage(on, policy), self.days[0], self.days[-1]
        changes = (first + policy.loyal_days, first + policy.lifelong_days, last + policy.lapse_days + 1)
        ahead = (date.fromordinal(day) for day in sorted(changes) if day > on.toordinal())
        return next((day for day in ahead if self.stage(day, policy) is not now), None)
