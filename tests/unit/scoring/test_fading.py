"""How much potential value is kept over a window: bounds hold, and the next fall is the one that was found without."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.dynamics.fading import kept
from rapport_scoring.domain.dynamics.next_checks import next_fall
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.figures import PurchaseDays
from rapport_scoring.domain.forecast import Horizon, PdoNbd
from rapport_scoring.domain.outlook import Basis, Rhythm
from rapport_scoring.domain.rates import Rate, Rates
from rapport_scoring.domain.rules import shipped_rules

DAY = date(2026, 6, 1)
RATES = Rates(
    rates=(
        Rate(from_day=date(2026, 1, 1), currency="EUR", rate=Decimal("7.8")),
        Rate(from_day=date(2027, 1, 1), currency="EUR", rate=Decimal("5.5")),
        Rate(from_day=date(2027, 6, 1), currency="USD", rate=Decimal("7.1")),
    )
)
COMPANY = shipped_rules().parameters.of(None)


@st.composite
def bases(draw: st.DrawFn) -> Basis:
    r, alpha, a, b = (draw(st.floats(0.05, 20)) for _ in range(4))
    model = PdoNbd(r, alpha, a, b)
    days = draw(st.lists(st.integers(0, 1500), min_size=1, max_size=40))
    return Basis(
        rhythm=Rhythm(PurchaseDays.of(DAY - timedelta(days=ago) for ago in days), 100 * len(days)),
        currency=draw(st.sampled_from(["CNY", "EUR", "USD"])),
        parameters=replace(COMPANY, purchases=model, correction=draw(st.floats(0.5, 2))),
        horizon=Horizon(draw(st.sampled_from([1, 12, 60])), draw(st.sampled_from([0.0, 0.1]))),
        order_value=draw(st.sampled_from([0.5, 60.0, 5e5])),
        rate=draw(st.sampled_from([-0.2, 0.0, 0.05, 0.6])),
        order_cost=draw(st.sampled_from([0.0, 20.0])),
    )


@given(bases(), st.integers(1, 400), st.lists(st.integers(0, 2000), min_size=1, max_size=20))
def test_bounds_hold(basis: Basis, window_days: int, offsets: list[int]) -> None:
    window = timedelta(days=window_days)
    days = [DAY + window + timedelta(days=offset) for offset in offsets]
    bounds = kept(basis, RATES, DAY, window, days)
    for place, day in enumerate(days if bounds is not None else ()):
        now, before = basis.potential(day), basis.potential(day - window)
        at, earlier = RATES.factor(basis.currency, day), RATES.factor(basis.currency, day - window)
        assert bounds is not None
        if at is None or earlier is None or not before or now is None:
            assert not bounds.most[place] < 1
            assert not bounds.least[place] > 0
        else:
            share = now * at / (before * earlier)
            assert not share < bounds.least[place]
            assert not share > bounds.most[place]


@given(bases(), st.sampled_from([1, 2, 7, 30, 61]), st.sampled_from(["0.01", "0.1", "0.25", "0.6", "0", "-0.1"]))
def test_the_next_fall_is_the_same_without_bounds(basis: Basis, window_days: int, fall: str) -> None:
    policy = TriggerPolicy.model_validate(
        {"retention": {"window_days": window_days, "fall": {"enter": fall, "clear": "-0.5"}}}
    )
    until = DAY + timedelta(days=730)
    asked: list[date] = []

    def potential(day: date) -> Fraction | None:
        asked.append(day)
        found, factor = basis.potential(day), RATES.factor(basis.currency, day)
        return None if found is None or factor is None else found * factor

    plain = next_fall(policy, potential, DAY, until)
    without = len(asked)
    asked.clear()
    bounded = next_fall(policy, potential, DAY, until, lambda window, days: kept(basis, RATES, DAY, window, days))
    assert bounded == plain
    assert len(asked) <= without
