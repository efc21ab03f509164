"""The sums of the purchase model against its integrals, and against customers made up by it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, expit, gammainccinv, gammaincinv

from rapport_scoring.domain.forecast import PdoNbd, Recency, probability_alive, silence_alarm
from rapport_scoring.domain.forecast.pdo_nbd import log_likelihood, orders_if_alive, probabilities_alive

Floats = NDArray[np.float64]
shapes = st.floats(0.6, 6.0)
models = st.builds(PdoNbd, r=shapes, alpha=st.floats(0.5, 10.0), a=shapes, b=shapes)
anything = st.floats(1e-3, 1e3)
any_models = st.builds(PdoNbd, r=anything, alpha=anything, a=anything, b=anything)


@st.composite
def recencies(draw: st.DrawFn, most: int = 6, oldest: float = 10.0) -> Recency:
    repeats = draw(st.integers(0, most))
    age = draw(st.floats(0.1, oldest))
    return Recency(repeats, age * draw(st.floats(0.1, 1.0)) if repeats else 0.0, age)


NODES = np.pi / 2 * np.sinh(np.arange(-3.2, 3.2, 0.04))
WEIGHTS = 0.04 * np.pi / 2 * np.cosh(np.arange(-3.2, 3.2, 0.04)) / np.cosh(NODES) ** 2 / 2
"""Tanh-sinh nodes: ∫₀¹ f(u) du ≈ Σ WEIGHTS · f(expit(2 · NODES))."""


def integrated(model: PdoNbd, recency: Recency, of: Callable[[Floats, Floats, Floats, Floats], Floats]) -> float:
    """∫∫ of(λ, θ, likelihood of being alive, of being lost) over both priors."""
    x, below = recency.repeats, expit(2 * NODES)
    rate = np.where(below < 0.5, gammaincinv(model.r, below), gammainccinv(model.r, expit(-2 * NODES)))
    rate = (rate / model.alpha)[:, None]
    theta = np.where(below < 0.5, betaincinv(model.a, model.b, below), betainccinv(model.a, model.b, expit(-2 * NODES)))
    chances = range(math.floor(recency.last) + 1, math.floor(recency.age) + 1)
    alive = (1 - theta) ** math.floor(recency.age) * rate**x * np.exp(-rate * recency.age)
    lost = 0 * alive
    for chance in chances:
        lost = lost + theta * (1 - theta) ** (chance - 1) * rate**x * np.exp(-rate * chance)
    return float(WEIGHTS @ of(rate, theta, alive, lost) @ WEIGHTS)


def lifetime(theta: Floats, age: float, ahead: float) -> Floats:
    """The expected time alive within `ahead`, for who is lost with the probability θ at the end of each month."""
    lived, at, kept = np.zeros_like(theta), age, np.ones_like(theta)
    while at < age + ahead:
        until = min(math.floor(at) + 1, age + ahead)
        lived, at, kept = lived + kept * (until - at), until, kept * (1 - theta)
    return lived


@settings(max_examples=60, deadline=None)
@given(model=models, recency=recencies(), ahead=st.floats(0.2, 5.0))
def test_the_sums_are_the_integrals_of_the_model(model: PdoNbd, recency: Recency, ahead: float) -> None:
    x, last, age = recency.repeats, recency.last, recency.age
    whole = integrated(model, recency, lambda _rate, _theta, alive, lost: alive + lost)
    alive = integrated(model, recency, lambda _rate, _theta, alive, _lost: alive)
    orders = integrated(model, recency, lambda rate, theta, alive, _: alive * rate * lifetime(theta, age, ahead))
    assert float(log_likelihood(model, [x], [last], [age])[0]) == pytest.approx(math.log(whole), abs=1e-7)
    assert probability_alive(model, recency) == pytest.approx(alive / whole, rel=1e-7)
    assert float(orders_if_alive(model, x, age, ahead)) == pytest.approx(orders / alive, rel=1e-7)


@pytest.mark.parametrize(("r", "alpha", "a", "b"), [(0.5, 2.0, 0.8, 2.4), (1.0, 1.0, 0.5, 9.5), (2.0, 1.0, 1.0, 3.0)])
def test_newcomers_buy_as_often_as_expected(r: float, alpha: float, a: float, b: float) -> None:
    chance, many, ahead = np.random.default_rng(7), 400_000, 12.0
    rates, theta = chance.gamma(r, 1 / alpha, many), chance.beta(a, b, many)
    bought = chance.poisson(rates * np.minimum(chance.geometric(np.maximum(theta, 1e-12)), ahead))
    expected = float(orders_if_alive(PdoNbd(r, alpha, a, b), 0, 0, ahead))
    assert abs(bought.mean() - expected) < 5 * bought.std() / math.sqrt(many)


@given(model=any_models, recency=recencies(500, 200.0), ahead=st.floats(0.01, 100.0))
@settings(deadline=None)
def test_every_answer_is_a_number(model: PdoNbd, recency: Recency, ahead: float) -> None:
    x, last, age = recency.repeats, recency.last, recency.age
    assert 0 <= probability_alive(model, recency) <= 1
    assert probability_alive(model, recency) == pytest.approx(
        float(probabilities_alive(model, x, last, age)), rel=1e-6, abs=1e-12
    )
    assert math.isfinite(float(log_likelihood(model, [x], [last], [age])[0]))
    expected = float(orders_if_alive(model, x, age, ahead))
    assert 0 < expected <= (model.r + x) * ahead / (model.alpha + age) * (1 + 1e-6)


@given(model=any_models, rows=st.lists(recencies(40, 60.0), min_size=2, max_size=20))
@settings(deadline=None)
def test_many_are_as_each_alone(model: PdoNbd, rows: list[Recency]) -> None:
    x, last, age = np.array([(each.repeats, each.last, each.age) for each in rows]).T
    together = log_likelihood(model, x, last, age)
    alone = [float(log_likelihood(model, *np.array([[a], [b], [c]]))[0]) for a, b, c in zip(x, last, age, strict=True)]
    assert together == pytest.approx(alone, rel=1e-9)
    single = [probability_alive(model, each) for each in rows]
    assert probabilities_alive(model, x, last, age) == pytest.approx(single, rel=1e-6, abs=1e-12)


@settings(deadline=None)
@given(model=models, recency=recencies(), threshold=st.floats(0.05, 0.95))
def test_an_alarm_is_due_when_the_probability_has_fallen(model: PdoNbd, recency: Recency, threshold: float) -> None:
    due = silence_alarm(model, recency.repeats, recency.last, threshold)
    if recency.repeats == 0:
        assert due is None
        return
    assert due is not None
    assert due > recency.last

    def alive(age: float) -> float:
        return probability_alive(model, Recency(recency.repeats, recency.last, age))

    assume(due < 1000)
    assert alive(due) <= threshold * (1 + 1e-9)
    at_chance = due == math.floor(due)
    assert alive(math.nextafter(due, 0) if at_chance else due) >= threshold * (1 - 1e-9)


def test_a_customer_is_lost_at_the_end_of_a_month_only() -> None:
    model = PdoNbd(1, 1, 1, 1)
    assert probability_alive(model, Recency(0, 0.0, 0.99)) == 1
    assert probability_alive(model, Recency(0, 0.0, 1.0)) == pytest.approx(0.5)
    assert probability_alive(model, Recency(3, 2.5, 2.99)) == 1


def test_what_is_no_model_is_refused() -> None:
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="alpha of a PDO/NBD model"):
            PdoNbd(1, wrong, 1, 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        silence_alarm(PdoNbd(1, 1, 1, 1), 1, 1.0, 1.0)
