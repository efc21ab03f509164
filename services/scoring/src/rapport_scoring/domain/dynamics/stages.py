"""Lifecycle stages: where in its life a customer is, from the days it bought on, and when time alone moves it on.

Purchases apart by more than `lapse_days` are of different runs; only the present run counts. With `n` distinct
purchase days in it, and `tenure` days since its first:

- `prospect`: never bought.
- `lapsed`: the last purchase is more than `lapse_days` ago.
- `lifelong`: n ≥ `lifelong_orders` and tenure ≥ `lifelong_days`; else `loyal`, by the same two.
- `won_back`: neither, and there was a run before this one: who returns earns loyalty anew.
- `first_order`: n = 1; `developing`: n > 1.
"""

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Annotated, Self, assert_never

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_shared.contracts.scoring import Stage

Days = Annotated[int, Field(ge=1, le=36_500)]
Orders = Annotated[int, Field(ge=2, le=10_000)]


class StagePolicy(BaseModel):
    """Where one stage ends and another begins: purchase days and days."""

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


def stage(purchase_days: Iterable[date], on: date, policy: StagePolicy) -> Stage:
    """The stage on a day, from the purchases made by then: in any order, with repeats."""
    run, returned = _present_run({day for day in purchase_days if day <= on}, policy)
    if not run:
        return Stage.PROSPECT
    if (on - run[-1]).days > policy.lapse_days:
        return Stage.LAPSED
    tenure = (on - run[0]).days
    if len(run) >= policy.lifelong_orders and tenure >= policy.lifelong_days:
        return Stage.LIFELONG
    if len(run) >= policy.loyal_orders and tenure >= policy.loyal_days:
        return Stage.LOYAL
    if returned:
        return Stage.WON_BACK
    return Stage.FIRST_ORDER if len(run) == 1 else Stage.DEVELOPING


def stage_since(purchase_days: Iterable[date], on: date, policy: StagePolicy) -> date | None:
    """The day on which the stage of day `on` was entered; None for a prospect. Each run is entered anew."""
    days = {day for day in purchase_days if day <= on}
    run, _ = _present_run(days, policy)
    match stage(days, on, policy):
        case Stage.PROSPECT:
            return None
        case Stage.LAPSED:
            return run[-1] + timedelta(days=policy.lapse_days + 1)
        case Stage.LIFELONG:
            return max(run[policy.lifelong_orders - 1], run[0] + timedelta(days=policy.lifelong_days))
        case Stage.LOYAL:
            return max(run[policy.loyal_orders - 1], run[0] + timedelta(days=policy.loyal_days))
        case Stage.DEVELOPING:
            return run[1]
        case Stage.FIRST_ORDER | Stage.WON_BACK:
            return run[0]
        case unknown:
            assert_never(unknown)


def next_stage_day(purchase_days: Iterable[date], on: date, policy: StagePolicy) -> date | None:
    """The first day after `on` with another stage than `on` if nothing more is bought; None if it never changes.

    Purchases that are dated after `on` count from their day.
    """
    days = set(purchase_days)
    now = stage(days, on, policy)
    changes = {day for day in days if day > on}
    for until in {on, *changes}:
        run, _ = _present_run({day for day in days if day <= until}, policy)
        if run:
            changes |= {
                run[0] + timedelta(days=policy.loyal_days),
                run[0] + timedelta(days=policy.lifelong_days),
                run[-1] + timedelta(days=policy.lapse_days + 1),
            }
    return next((day for day in sorted(changes) if day > on and stage(days, day, policy) is not now), None)


def _present_run(days: Collection[date], policy: StagePolicy) -> tuple[list[date], bool]:
    """The days since the last gap that was a lapse, ascending, and whether there was one."""
    run: list[date] = []
    for day in sorted(days, reverse=True):
        if run and (run[-1] - day).days > policy.lapse_days:
            return run[::-1], True
        run.append(day)
    return run[::-1], False
