"""Intervals of orders: against the distribution by plain summation, and against customers made up by the model."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from rapport_scoring.domain.forecast import PdoNbd, Recency, order_interval, probability_alive
from rapport_scoring.domain.forecast.pdo_nbd import orders_if_alive

shapes = st.floats(0.3, 5.0)
models = st.builds(PdoNbd, r=shapes, alpha=shapes, a=shapes, b=shapes)
MOST = 400


def probabilities(model: PdoNbd, recency: Recency, ahead: float, correction: float) -> list[float]:
    """P(Y = y) for y = 0 … MOST, month after month."""
    counts, kept, at, chance = np.zeros(MOST + 1), 1.0, recency.age, math.floor(recency.age)
    while True:
        end = min(chance + 1.0, recency.age + ahead)
        lost = 1.0 if end == recency.age + ahead else model.a / (model.a + model.b + chance)
        lived = correction * (end - recency.age)
        rate = (model.alpha + at) / (model.alpha + at + lived)
        counts += kept * lost * nbinom.pmf(np.arange(MOST + 1), model.r + recency.repeats, rate)
        if lost == 1.0:
            break
        kept, chance = kept * (1 - lost), chance + 1
    alive = probability_alive(model, recency)
    return [1 - alive + alive * float(counts[0]), *(alive * counts[1:])]


@settings(max_examples=60, deadline=None)
@given(
    model=models,
    repeats=st.integers(0, 8),
    age=st.floats(0.5, 20),
    silent=st.floats(0, 1),
    ahead=st.floats(0.3, 12.0),
    correction=st.floats(0.8, 1.2),
)
def test_the_interval_is_as_near_to_its_share_as_can_be(
    model: PdoNbd, repeats: int, age: float, silent: float, ahead: float, correction: float
) -> None:
    recency = Recency(repeats, age * (1 - silent) if repeats else 0.0, age)
    chances = np.array(probabilities(model, recency, ahead, correction))
    mean = float(chances @ np.arange(MOST + 1))
    alone = probability_alive(model, recency) * float(orders_if_alive(model, repeats, age, ahead))
    if chances.sum() > 1 - 1e-9:
        assert mean == pytest.approx(correction * alone, rel=1e-3)
    lowest, highest = order_interval(model, recency, ahead, correction)
    assert lowest == 0 or chances[:lowest].sum() <= 0.1 + 1e-9
    assert chances[: lowest + 1].sum() >= 0.1 - 1e-9
    held = np.cumsum(chances[lowest:])
    nearest = float(np.abs(held - 0.8).min())
    assert abs(float(held[highest - lowest]) - 0.8) == pytest.approx(nearest, abs=1e-6)


@pytest.mark.parametrize(
    ("r", "alpha", "a", "b"), [(3.0, 1.0, 0.5, 40.0), (1.0, 0.1, 0.5, 60.0), (2.0, 0.2, 1.0, 50.0)]
)
def test_four_outcomes_in_five_lie_within(r: float, alpha: float, a: float, b: float) -> None:
    """Of customers of whom most are still there: who is surely lost buys nothing, which is more than four in five."""
    chance, many, model = np.random.default_rng(3), 2_000, PdoNbd(r, alpha, a, b)
    within = 0
    for rate, theta in zip(chance.gamma(r, 1 / alpha, many), chance.beta(a, b, many), strict=True):
        ends = int(chance.geometric(max(theta, 1e-12)))
        times = np.sort(chance.uniform(0, 24, chance.poisson(rate * 24)))
        times = times[times < ends]
        before = times[times < 12]
        recency = Recency(len(before), float(before[-1]) if len(before) else 0.0, 12.0)
        lowest, highest = order_interval(model, recency, 12.0)
        within += lowest <= len(times) - len(before) <= highest
    assert 0.75 <= within / many <= 0.85


def test_who_will_hardly_buy_has_nothing_to_expect() -> None:
    assert order_interval(PdoNbd(0.5, 2.5, 0.5, 2.0), Recency(0, 0.0, 24.0), 12.0) == (0, 0)
