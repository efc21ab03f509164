"""Tiers: thresholds and conduct, the first that is met, and why."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.dynamics.tiers import Condition, Tier, TierPolicy, decide_tier
from rapport_scoring.domain.indicators import Indicator, IndicatorClass, Missing, finance_indicators
from rapport_scoring.domain.rates import Converted
from tests.unit.scoring.indicators.examples import DAY, receivable
from tests.unit.scoring.states import billed, figures, owed

SHIPPED = TierPolicy()


def cny(amount: int | None) -> Converted:
    return Converted(amount, "CNY", () if amount is not None else ("USD",))


def ratio(name: str, value: str | None, subject: str = "CNY") -> Indicator:
    missing = Missing.NO_INVOICE if value is None else None
    return Indicator(name, IndicatorClass.FINANCE, value, "ratio", DAY, subject=subject, missing=missing)


def test_a_prompt_small_payer_ranks_above_a_large_late_one() -> None:
    punctual = figures(billed(receivable(1, -60, {}, ((-40, 1000, -30),))))
    tardy = figures(billed(receivable(2, -200, {-100: 900_000, 10: 1000}, ((-20, 1_000_000, -70),))))
    prompt, late = (finance_indicators(known, owed(known), DAY) for known in (punctual, tardy))
    small, large = decide_tier(SHIPPED, cny(600_000), prompt), decide_tier(SHIPPED, cny(50_000_000), late)
    assert (small.tier, large.tier) == ("silver", "bronze")


def test_the_decision_says_what_the_next_tier_asks() -> None:
    decision = decide_tier(SHIPPED, cny(1_900_000), [ratio("late_ratio", "0.3000")])
    assert decision.tier == "silver"
    assert decision.rule is not None
    assert decision.next is not None
    assert (decision.next.tier.name, decision.next.short) == ("gold", 100_000)
    assert [finding.holds for finding in decision.next.findings] == [False, True]
    assert decision.next.findings[0].indicators[0].value == "0.3000"


def test_the_best_tier_has_no_next_and_the_worst_no_rule() -> None:
    assert decide_tier(SHIPPED, cny(10_000_000), []).next is None
    lowest = decide_tier(SHIPPED, cny(0), [])
    assert (lowest.tier, lowest.rule) == ("none", None)
    assert lowest.next is not None
    assert lowest.next.short == 1


def test_a_figure_without_a_rate_gives_no_tier_and_says_so() -> None:
    decision = decide_tier(SHIPPED, cny(None), [])
    assert (decision.tier, decision.figure.gaps, decision.next) == ("none", ("USD",), None)


def test_the_unknown_holds_only_where_the_policy_says_so() -> None:
    for unknown, tier in (("holds", "good"), ("fails", "none")):
        condition = Condition(indicator="late_ratio", at_most=Decimal("0.1"), unknown=unknown)
        policy = TierPolicy(tiers=(Tier(name="good", at_least=1, conditions=(condition,)),))
        assert decide_tier(policy, cny(1), []).tier == tier
        assert decide_tier(policy, cny(1), [ratio("late_ratio", None)]).tier == tier


def test_every_currency_must_satisfy_a_condition_unless_it_names_one() -> None:
    indicators = [ratio("late_ratio", "0.1000"), ratio("late_ratio", "0.9000", "EUR")]
    for subject, tier in ((None, "none"), ("CNY", "good"), ("EUR", "none")):
        condition = Condition(indicator="late_ratio", subject=subject, at_most=Decimal("0.1"))
        policy = TierPolicy(tiers=(Tier(name="good", at_least=1, conditions=(condition,)),))
        assert decide_tier(policy, cny(1), indicators).tier == tier


@given(
    st.lists(st.integers(-100, 100), min_size=1, max_size=6, unique=True),
    st.lists(st.none() | st.integers(0, 100), min_size=6, max_size=6),
    st.integers(-120, 120),
    st.integers(0, 100),
)
def test_a_tier_is_the_first_that_is_met(
    thresholds: list[int], limits: list[int | None], amount: int, late: int
) -> None:
    ordered = sorted(thresholds, reverse=True)
    policy = TierPolicy(
        tiers=tuple(
            Tier(
                name=f"t{number}",
                at_least=least,
                conditions=() if limit is None else (Condition(indicator="late_ratio", at_most=Decimal(limit) / 100),),
            )
            for number, (least, limit) in enumerate(zip(ordered, limits, strict=False))
        )
    )
    met = [
        f"t{number}"
        for number, (least, limit) in enumerate(zip(ordered, limits, strict=False))
        if amount >= least and (limit is None or Fraction(late, 100) <= Fraction(limit, 100))
    ]
    decision = decide_tier(policy, cny(amount), [ratio("late_ratio", f"{late / 100:.4f}")])
    assert decision.tier == (met[0] if met else "none")
    if decision.next is not None and amount >= decision.next.tier.at_least:
        assert not all(finding.holds for finding in decision.next.findings)


@pytest.mark.parametrize(
    "document",
    [
        {"tiers": []},
        {"tiers": [{"name": "a", "at_least": 1}, {"name": "b", "at_least": 1}]},
        {"tiers": [{"name": "a", "at_least": 1}, {"name": "b", "at_least": 2}]},
        {"tiers": [{"name": "a", "at_least": 2}, {"name": "a", "at_least": 1}]},
        {"tiers": [{"name": "none", "at_least": 2}]},
        {"tiers": [{"name": "a", "at_least": 1.5}]},
        {"tiers": [{"name": "a", "at_least": 1, "conditions": [{"indicator": "late_ratio"}]}]},
        {"tiers": [{"name": "a", "at_least": 1, "conditions": [{"indicator": "industry", "at_most": "1"}]}]},
        {"tiers": [{"name": "a", "at_least": 1, "conditions": [{"indicator": "orders", "at_least": 2, "at_most": 1}]}]},
        {"measure": "yesterday"},
        {"colour": "red"},
    ],
)
def test_a_policy_that_ranks_nobody_clearly_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TierPolicy.model_validate(document)


def test_a_policy_survives_its_document() -> None:
    assert TierPolicy.model_validate_json(SHIPPED.model_dump_json()) == SHIPPED
