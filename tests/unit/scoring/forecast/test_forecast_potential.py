"""Sums over the months: the fast ways against the plain one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_scoring.domain.forecast import Horizon, PdoNbd, Prospect, Recency, potential_value, prospect, prospects
from rapport_scoring.domain.forecast.pdo_nbd import orders_if_alive, probability_alive

shapes = st.floats(0.02, 20.0)
models = st.builds(PdoNbd, r=shapes, alpha=shapes, a=shapes, b=shapes)
horizons = st.builds(Horizon, months=st.integers(1, 120), discount_rate=st.floats(0, 1))


def plain(model: PdoNbd, recency: Recency, horizon: Horizon) -> tuple[float, float]:
    """The definition, a month after the other."""
    alive = probability_alive(model, recency)
    before = discounted = 0.0
    for month in range(1, horizon.months + 1):
        ordered = alive * float(orders_if_alive(model, recency.repeats, recency.age, month))
        discounted += (ordered - before) / (1 + horizon.discount_rate) ** (month / 12)
        before = ordered
    return before, discounted


@settings(max_examples=60, deadline=None)
@given(
    model=models,
    horizon=horizons,
    repeats=st.sampled_from([0, 1, 5, 31, 32, 60, 400]),
    age=st.floats(0, 120),
    silent=st.floats(0, 0.2),
)
def test_a_prospect_is_the_sum_over_the_months(
    model: PdoNbd, horizon: Horizon, repeats: int, age: float, silent: float
) -> None:
    recency = Recency(repeats, age * (1 - silent) if repeats else 0.0, age)
    found = prospect(model, recency, horizon, correction=1.25)
    expected, discounted = plain(model, recency, horizon)
    assert found.expected_orders == pytest.approx(1.25 * expected, rel=1e-9)
    assert found.discounted_orders == pytest.approx(1.25 * discounted, rel=1e-9)


def test_many_are_as_one() -> None:
    chance, model, horizon = np.random.default_rng(1), PdoNbd(0.5, 1.0, 0.8, 2.4), Horizon()
    repeats = np.concatenate([chance.integers(0, 4, 200), chance.integers(0, 200, 100), np.full(60, 77)]).astype(float)
    age = chance.uniform(0, 60, len(repeats))
    last = np.where(repeats > 0, age * chance.uniform(0, 1, len(repeats)), 0.0)
    found = prospects(model, repeats, last, age, horizon)
    for row, (x, t_x, t) in enumerate(zip(repeats, last, age, strict=True)):
        one = prospect(model, Recency(int(x), float(t_x), float(t)), horizon)
        many = Prospect(found.alive[row], found.expected_orders[row], found.discounted_orders[row])
        assert (many.alive, many.expected_orders, many.discounted_orders) == pytest.approx(
            (one.alive, one.expected_orders, one.discounted_orders), rel=1e-9
        )


def test_none_are_none() -> None:
    nobody = np.zeros(0)
    assert len(prospects(PdoNbd(1, 1, 1, 1), nobody, nobody, nobody, Horizon()).alive) == 0


def test_without_discount_an_order_is_an_order() -> None:
    found = prospect(PdoNbd(1, 1, 0.5, 9.5), Recency(4, 4, 4), Horizon(60, 0.0))
    assert found.discounted_orders == pytest.approx(found.expected_orders)


def test_what_makes_no_sense_is_refused() -> None:
    for months, rate in ((0, 0.1), (601, 0.1), (60, -0.1), (60, math.nan)):
        with pytest.raises(ValueError, match=r"horizon|discount"):
            Horizon(months, rate)
    with pytest.raises(ValueError, match="contributes a number"):
        potential_value(math.nan, Prospect(1, 1, 1))
