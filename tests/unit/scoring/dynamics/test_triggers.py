"""Triggers: hysteresis, cool-down, what fired them, and when to look again."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.dynamics.crossings import Measured, first_true
from rapport_scoring.domain.dynamics.next_checks import next_cool_down, next_fall, next_overdue
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.dynamics.triggers import (
    TriggerDecision,
    TriggerInputs,
    TriggerState,
    decide_triggers,
)
from rapport_scoring.domain.indicators.finance import reported_overdue_ratio
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_shared.contracts.scoring import Trigger
from tests.unit.scoring.indicators.examples import DAY, NOON, RATES, day, receivable, receivables

POLICY = TriggerPolicy()


def figure(name: str, value: Fraction | int | None) -> Measured:
    return Measured(name, None if value is None else Fraction(value), "CNY", (UUID(int=len(name)),))


QUIET = TriggerInputs(
    potential=figure("potential", 1000),
    potential_before=figure("potential_before", 1000),
    silent=figure("silent", 0),
    tier_figure=figure("tier_figure", 0),
    lapsed=figure("lapsed", 0),
    lifetime=figure("lifetime", 0),
    share_of_wallet=figure("share_of_wallet", 1),
    model=figure("model", 0),
    overdue_ratio=figure("overdue_ratio", 0),
    exposure=figure("exposure", 0),
)


def inputs(**values: Fraction | int | None) -> TriggerInputs:
    return replace(QUIET, **{name: figure(name, value) for name, value in values.items()})


def fired(decision: TriggerDecision) -> list[Trigger]:
    return [firing.trigger for firing in decision.firings]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, []),
        ({"potential": 750}, []),
        ({"potential": 749}, [Trigger.RETENTION]),
        ({"silent": 1, "tier_figure": 500_000}, []),
        ({"silent": 1, "tier_figure": 500_001}, [Trigger.RETENTION]),
        ({"lapsed": 1, "lifetime": 2_000_001}, [Trigger.WIN_BACK]),
        ({"lapsed": 1, "lifetime": 100}, []),
        ({"share_of_wallet": Fraction(49, 100), "model": 1_000_001}, [Trigger.GROWTH]),
        ({"share_of_wallet": None, "model": 1_000_001}, []),
        ({"overdue_ratio": Fraction(2, 5), "exposure": 100_001}, [Trigger.CREDIT_WATCH]),
        ({"overdue_ratio": Fraction(2, 5), "exposure": 100}, []),
        ({"exposure": 100_000_001}, [Trigger.CREDIT_WATCH]),
        ({"potential": None}, []),
        ({"potential": 5, "potential_before": 0}, []),
    ],
)
def test_what_ships(values: dict[str, Any], expected: list[Trigger]) -> None:
    assert fired(decide_triggers(POLICY, [], inputs(**values), NOON)) == expected


def test_a_firing_names_the_figures_that_it_looked_at() -> None:
    [firing] = decide_triggers(POLICY, [], inputs(potential=500), NOON).firings
    read = {each.name: each.value for each in firing.inputs}
    assert read["potential_fall"] == Fraction(1, 2)
    assert read["potential"] == 500
    assert all(each.events for each in firing.inputs)


def test_between_the_thresholds_it_stays_as_it_is_and_unknown_changes_nothing() -> None:
    on = decide_triggers(POLICY, [], inputs(potential=500), NOON)
    for potential in (800, None):
        later = decide_triggers(POLICY, on.states, inputs(potential=potential), NOON + timedelta(days=1))
        assert (later.states, later.firings, later.clearings) == (on.states, (), ())
    off = decide_triggers(POLICY, on.states, inputs(potential=900), NOON + timedelta(days=2))
    assert [each.trigger for each in off.clearings] == [Trigger.RETENTION]
    assert off.states == (TriggerState(Trigger.RETENTION, False, NOON + timedelta(days=2), NOON),)


@pytest.mark.parametrize(
    ("entered", "then", "cleared"),
    [
        ({"lapsed": 1, "lifetime": 3_000_000}, {"lapsed": 0, "lifetime": 3_000_000}, True),
        ({"lapsed": 1, "lifetime": 3_000_000}, {"lapsed": 1, "lifetime": 1_500_000}, True),
        ({"share_of_wallet": 0, "model": 2_000_000}, {"share_of_wallet": Fraction(6, 10), "model": 2_000_000}, True),
        ({"share_of_wallet": 0, "model": 2_000_000}, {"share_of_wallet": Fraction(5, 10), "model": 900_000}, False),
        ({"silent": 1, "tier_figure": 900_000}, {"silent": 1, "tier_figure": 400_000}, True),
        ({"silent": 1, "tier_figure": 900_000, "potential": 500}, {"potential": 500}, False),
    ],
)
def test_a_condition_of_several_is_cleared_by_any_and_a_choice_by_all(
    entered: dict[str, Any], then: dict[str, Any], cleared: bool
) -> None:
    on = decide_triggers(POLICY, [], inputs(**entered), NOON)
    assert bool(decide_triggers(POLICY, on.states, inputs(**then), NOON).clearings) == cleared


def test_it_does_not_fire_again_before_it_cooled_down() -> None:
    off = (TriggerState(Trigger.RETENTION, False, NOON + timedelta(days=2), NOON),)
    early, due = NOON + timedelta(days=29), NOON + timedelta(days=30)
    assert decide_triggers(POLICY, off, inputs(potential=500), early).states == off
    assert next_cool_down(POLICY, off, early) == due
    assert next_cool_down(POLICY, off, due) is None
    assert fired(decide_triggers(POLICY, off, inputs(potential=500), due)) == [Trigger.RETENTION]


def test_an_instant_before_the_last_change_changes_nothing() -> None:
    on = decide_triggers(POLICY, [], inputs(potential=500), NOON)
    assert decide_triggers(POLICY, on.states, QUIET, NOON - timedelta(seconds=1)) == TriggerDecision(on.states, (), ())


def test_a_rule_that_is_disabled_clears_what_it_fired() -> None:
    on = decide_triggers(POLICY, [], inputs(potential=500), NOON)
    off = TriggerPolicy.model_validate({"retention": {"enabled": False}})
    assert decide_triggers(off, on.states, inputs(potential=500), NOON).clearings
    assert not decide_triggers(off, [], inputs(potential=500), NOON).states


HISTORY = st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 1000)), max_size=12)


@given(HISTORY)
def test_a_trigger_behaves_as_a_switch_with_two_thresholds(history: list[tuple[int, int | None]]) -> None:
    states: tuple[TriggerState, ...] = ()
    on, last, changed, at = False, None, None, NOON
    for days, potential in history:
        at += timedelta(days=days - 2)
        decision = decide_triggers(POLICY, states, inputs(potential=potential), at)
        again = decide_triggers(POLICY, decision.states, inputs(potential=potential), at)
        assert again == TriggerDecision(decision.states, (), ())
        fires = clears = False
        if potential is not None and (changed is None or at >= changed):
            fires = not on and potential < 750 and (last is None or at >= last + timedelta(days=30))
            clears = on and potential >= 900
        on, last = (on or fires) and not clears, at if fires else last
        changed = at if fires or clears else changed
        assert (bool(decision.firings), bool(decision.clearings)) == (fires, clears)
        assert [state.active for state in decision.states] == ([on] if changed else [])
        states = decision.states


@given(st.lists(st.tuples(st.booleans(), st.integers(7, 40)), max_size=6), st.integers(0, 120), st.integers(1, 7))
def test_the_first_day_is_that_of_a_daily_scan(runs: list[tuple[bool, int]], length: int, stride: int) -> None:
    """Where nothing is true for less than the stride."""
    truths = [truth for truth, days in runs for _ in range(days)]

    def holds(on: date) -> bool:
        offset = (on - DAY).days
        return offset < len(truths) and truths[offset]

    expected = next((day(offset) for offset in range(1, length + 1) if holds(day(offset))), None)
    cut = expected is not None and not all(holds(expected + timedelta(days=ahead)) for ahead in range(stride))
    if not cut:
        assert first_true(holds, DAY, day(length), stride) == expected


@given(st.integers(1, 200), st.integers(1, 400), st.integers(0, 400))
def test_a_fall_is_found_on_its_first_day(half_life: int, delay: int, length: int) -> None:
    """A potential that stands for a while and then is lost at a steady rate."""

    def potential(on: date) -> Fraction:
        return Fraction(1000, (1 << (max(0, (on - day(delay)).days) * 40 // half_life)))

    def fallen(on: date) -> bool:
        return 1 - potential(on) / potential(on - timedelta(days=30)) > Fraction(1, 4)

    expected = next((day(offset) for offset in range(1, length + 1) if fallen(day(offset))), None)
    assert next_fall(POLICY, potential, DAY, day(length)) == expected


@given(receivables())
def test_the_first_overdue_day_is_that_of_a_daily_scan(owed: list[Receivable]) -> None:
    policy = TriggerPolicy.model_validate({"credit_watch": {"least": {"enter": 1, "clear": 0}}})
    ratios = ((day(ahead), reported_overdue_ratio(owed, RATES, DAY, day(ahead))) for ahead in range(1, 70))
    expected = next((on for on, ratio in ratios if ratio is not None and ratio > Fraction(3, 10)), None)
    if sum(each.open for each in owed) > 1:
        assert next_overdue(policy, owed, RATES, DAY) == expected


def test_a_long_look_ahead_asks_little() -> None:
    asked: list[date] = []

    def potential(on: date) -> Fraction:
        asked.append(on)
        return Fraction(1)

    assert next_fall(POLICY, potential, DAY, day(730)) is None
    assert len(asked) == len(set(asked)) <= 730 // 15 + 5


def test_too_little_to_matter_is_not_looked_at_again() -> None:
    assert next_overdue(POLICY, [receivable(1, -10, {5: 100})], RATES, DAY) is None
    assert next_overdue(POLICY, [receivable(1, -10, {5: 100_001})], RATES, DAY) == day(6)


@pytest.mark.parametrize(
    "document",
    [
        {"retention": {"fall": {"enter": "0.1", "clear": "0.25"}}},
        {"retention": {"fall": {"enter": "0.1", "clear": "0.1"}}},
        {"growth": {"share": {"enter": "0.6", "clear": "0.5"}}},
        {"retention": {"window_days": 0}},
        {"win_back": {"cool_down_days": -1}},
        {"silence": {"days_without_repeat": 0}},
        {"credit_watch": {"overdue": {"enter": "NaN", "clear": "0"}}},
        {"effect_horizon_hours": 0},
        {"churn": {}},
    ],
)
def test_a_policy_that_would_flutter_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TriggerPolicy.model_validate(document)


def test_a_policy_survives_its_document() -> None:
    assert TriggerPolicy.model_validate_json(POLICY.model_dump_json()) == POLICY
    assert POLICY.retention.fall.enter == Decimal("0.25")
