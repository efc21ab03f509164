"""Stages, against a walk through every day of a life."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.dynamics.stages import Run, StagePolicy
from rapport_scoring.domain.figures import PurchaseDays
from rapport_shared.contracts.scoring import Stage
from tests.unit.scoring.indicators.examples import DAY, day

SMALL = StagePolicy(lapse_days=10, loyal_orders=3, loyal_days=12, lifelong_orders=5, lifelong_days=30)
LIVES = st.lists(st.integers(0, 80), max_size=14)
HORIZON = 130


def run(days: list[date], on: date, policy: StagePolicy = SMALL) -> Run:
    return Run.of(PurchaseDays.of(days), on, policy)


def lives(offsets: list[int], length: int) -> Iterator[tuple[Stage, int]]:
    """The stage of every day and the run it is in, by counters of orders and silent days, as one would live it."""
    bought = set(offsets)
    orders = started = silent = runs = 0
    for today in range(length):
        silent += 1
        if today in bought:
            if orders == 0 or silent > SMALL.lapse_days:
                orders, started, runs = 0, today, runs + 1
            orders, silent = orders + 1, 0
        yield named(orders, today - started, silent, runs), runs


def named(orders: int, tenure: int, silent: int, runs: int) -> Stage:
    if runs == 0:
        return Stage.PROSPECT
    if silent > SMALL.lapse_days:
        return Stage.LAPSED
    if orders >= SMALL.lifelong_orders and tenure >= SMALL.lifelong_days:
        return Stage.LIFELONG
    if orders >= SMALL.loyal_orders and tenure >= SMALL.loyal_days:
        return Stage.LOYAL
    if runs > 1:
        return Stage.WON_BACK
    return Stage.FIRST_ORDER if orders == 1 else Stage.DEVELOPING


@given(LIVES, st.integers(0, HORIZON), st.integers(0, 1000))
def test_the_stage_is_what_a_life_leads_to(offsets: list[int], until: int, seed: int) -> None:
    days = [day(offset) for offset in offsets + offsets[:2]]
    random.Random(seed).shuffle(days)
    assert run(days, day(until)).stage(day(until), SMALL) is list(lives(offsets, until + 1))[until][0]


@given(LIVES, st.integers(0, 90))
def test_the_next_change_and_the_last_one_are_those_of_a_daily_scan(offsets: list[int], now: int) -> None:
    """Who is won back on the very day of its lapse enters the stage anew, though it was in no other in between."""
    days, made = [day(offset) for offset in offsets], [offset for offset in offsets if offset <= now]
    walked, present = list(lives(made, now + HORIZON)), run(days, day(now))
    ahead = next((until for until in range(now, now + HORIZON) if walked[until][0] is not walked[now][0]), None)
    assert present.next_change(day(now), SMALL) == (None if ahead is None else day(ahead))
    behind = max((until for until in range(now) if walked[until] != walked[now]), default=-1) + 1
    since = None if walked[now][0] is Stage.PROSPECT else day(behind)
    assert present.since(day(now), SMALL) == since


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        ([], Stage.PROSPECT),
        ([365], Stage.FIRST_ORDER),
        ([366], Stage.LAPSED),
        ([400, 100], Stage.DEVELOPING),
        ([500, 100], Stage.WON_BACK),
        ([180, 90, 30, 1], Stage.LOYAL),
        ([179, 90, 30, 1], Stage.DEVELOPING),
        ([900, 180, 90, 30, 1], Stage.LOYAL),
        ([1, 1, 1, 1], Stage.FIRST_ORDER),
    ],
)
def test_what_ships(days_ago: list[int], expected: Stage) -> None:
    policy = StagePolicy()
    assert run([DAY - timedelta(days=ago) for ago in days_ago], DAY, policy).stage(DAY, policy) is expected


def test_a_lifelong_customer_lapses_in_the_end() -> None:
    policy, first = StagePolicy(), date(2018, 1, 1)
    days = [first + timedelta(days=200 * number) for number in range(12)]
    present = run(days, days[-1], policy)
    assert present.stage(days[-1], policy) is Stage.LIFELONG
    assert present.since(days[-1], policy) == first + timedelta(days=1825)
    assert present.next_change(days[-1], policy) == days[-1] + timedelta(days=366)
    assert run([], DAY, policy).next_change(DAY, policy) is None


@pytest.mark.parametrize(
    "document", [{"lapse_days": 0}, {"loyal_orders": 10}, {"lifelong_days": 180}, {"loyal_orders": 1}, {"x": 1}]
)
def test_a_policy_whose_stages_do_not_follow_is_refused(document: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        StagePolicy.model_validate(document)
