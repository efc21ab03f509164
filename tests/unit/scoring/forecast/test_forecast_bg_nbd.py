"""The closed forms of the purchase model against its integrals, and against customers made up by it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, expit, gammainccinv, gammaincinv

from rapport_scoring.domain.forecast import BgNbd, Recency, probability_alive, silence_alarm
from rapport_scoring.domain.forecast.bg_nbd import (
    active_if_alive,
    log_likelihood,
    orders_if_alive,
    probabilities_alive,
)
from rapport_scoring.domain.forecast.quadrature import orders_over_beta

Floats = NDArray[np.float64]
shapes = st.floats(0.6, 6.0)
models = st.builds(BgNbd, r=shapes, alpha=st.floats(0.5, 10.0), a=shapes, b=shapes, first_may_be_last=st.booleans())
anything = st.floats(1e-3, 1e3)
any_models = st.builds(BgNbd, r=anything, alpha=anything, a=anything, b=anything, first_may_be_last=st.booleans())


@st.composite
def recencies(draw: st.DrawFn, most: int = 6, oldest: float = 10.0) -> Recency:
    repeats = draw(st.integers(0, most))
    age = draw(st.floats(0.1, oldest))
    return Recency(repeats, age * draw(st.floats(0.1, 1.0)) if repeats else 0.0, age)


NODES = np.pi / 2 * np.sinh(np.arange(-3.2, 3.2, 0.04))
WEIGHTS = 0.04 * np.pi / 2 * np.cosh(np.arange(-3.2, 3.2, 0.04)) / np.cosh(NODES) ** 2 / 2
"""Tanh-sinh nodes: ∫₀¹ f(u) du ≈ Σ WEIGHTS · f(expit(2 · NODES))."""


def integrated(model: BgNbd, recency: Recency, of: Callable[[Floats, Floats, Floats, Floats], Floats]) -> float:
    """∫∫ of(λ, p, likelihood of being alive, of being lost) over both priors; equation 3 is their sum."""
    x, n, below = recency.repeats, recency.repeats + model.first_may_be_last, expit(2 * NODES)
    rate = np.where(below < 0.5, gammaincinv(model.r, below), gammainccinv(model.r, expit(-2 * NODES)))
    rate = (rate / model.alpha)[:, None]
    p = np.where(below < 0.5, betaincinv(model.a, model.b, below), betainccinv(model.a, model.b, expit(-2 * NODES)))
    alive = (1 - p) ** n * rate**x * np.exp(-rate * recency.age)
    lost = p * (1 - p) ** (n - 1) * rate**x * np.exp(-rate * recency.last) if n else 0 * alive
    return float(WEIGHTS @ of(rate, p, alive, lost) @ WEIGHTS)


@settings(max_examples=60, deadline=None)
@given(model=models, recency=recencies())
def test_the_closed_forms_are_the_integrals_of_the_model(model: BgNbd, recency: Recency) -> None:
    ahead = 3.0
    whole = integrated(model, recency, lambda _rate, _p, alive, lost: alive + lost)
    alive = integrated(model, recency, lambda _rate, _p, alive, _lost: alive)
    orders = integrated(model, recency, lambda rate, p, alive, _: alive * -np.expm1(-rate * p * ahead) / p)
    active = integrated(model, recency, lambda rate, _p, alive, _: alive * -np.expm1(-rate * ahead))
    x, last, age = recency.repeats, recency.last, recency.age
    assert float(log_likelihood(model, x, last, age)) == pytest.approx(math.log(whole), abs=1e-7)
    assert probability_alive(model, recency) == pytest.approx(alive / whole, rel=1e-7)
    assert float(orders_if_alive(model, x, age, ahead)) == pytest.approx(orders / alive, rel=1e-7)
    assert float(active_if_alive(model, x, age, ahead)) == pytest.approx(active / alive, rel=1e-7)


@pytest.mark.parametrize("first_may_be_last", [False, True])
@pytest.mark.parametrize(("r", "alpha", "a", "b"), [(0.5, 2.0, 0.8, 2.4), (1.0, 1.0, 0.5, 9.5), (2.0, 1.0, 1.0, 3.0)])
def test_newcomers_buy_as_often_as_expected(
    r: float, alpha: float, a: float, b: float, first_may_be_last: bool
) -> None:
    chance, many, ahead = np.random.default_rng(7), 400_000, 12.0
    rates, p = chance.gamma(r, 1 / alpha, many), chance.beta(a, b, many)
    chances = np.minimum(chance.geometric(np.maximum(p, 1e-12)), 10**6) - first_may_be_last
    bought = np.minimum(chance.poisson(rates * ahead), chances)
    newcomer = BgNbd(r, alpha, a, b, first_may_be_last)
    expected = probability_alive(newcomer, Recency(0, 0, 0)) * float(orders_if_alive(newcomer, 0, 0, ahead))
    assert abs(bought.mean() - expected) < 5 * bought.std() / math.sqrt(many)


@given(model=any_models, recency=recencies(500, 200.0), ahead=st.floats(0.01, 100.0))
@settings(deadline=None)
def test_every_answer_is_a_number(model: BgNbd, recency: Recency, ahead: float) -> None:
    x, last, age = recency.repeats, recency.last, recency.age
    assert 0 <= probability_alive(model, recency) <= 1
    assert probability_alive(model, recency) == pytest.approx(float(probabilities_alive(model, x, last, age)))
    assert math.isfinite(float(log_likelihood(model, x, last, age)))
    expected = float(orders_if_alive(model, x, age, ahead))
    assert 0 < expected <= (model.r + x) * ahead / (model.alpha + age) * (1 + 1e-6)


@given(model=models, x=st.integers(0, 30), age=st.floats(0, 50), ahead=st.floats(0.5, 60))
@settings(deadline=None)
def test_closed_form_and_quadrature_agree(model: BgNbd, x: int, age: float, ahead: float) -> None:
    n = x + model.first_may_be_last
    by_quadrature = orders_over_beta(model.r + x, model.a, model.b + n, ahead / (model.alpha + age))
    assert float(orders_if_alive(model, x, age, ahead)) == pytest.approx(by_quadrature, rel=1e-9)


@pytest.mark.parametrize("a", [1 - 1.1e-3, 1 - 1e-4, 1.0, 1 + 1e-9, 1 + 9e-4])
@pytest.mark.parametrize("b", [3.0, 2e-3])
@pytest.mark.parametrize("repeats", [0, 3])
def test_where_the_formula_has_gaps_it_is_filled(a: float, b: float, repeats: int) -> None:
    found = orders_if_alive(BgNbd(0.7, 2.0, a, b), repeats, 5.0, [0.1, 12.0, 60.0])
    expected = [orders_over_beta(0.7 + repeats, a, b + repeats, ahead / 7.0) for ahead in (0.1, 12.0, 60.0)]
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("ahead", [1.0, 60.0])
def test_a_sum_of_beta_parameters_of_one_is_no_gap(ahead: float) -> None:
    found = float(orders_if_alive(BgNbd(0.5, 1.0, 0.3, 0.7), 0, 1.0, ahead))
    assert found == pytest.approx(orders_over_beta(0.5, 0.3, 0.7, ahead / 2), rel=1e-9)


@given(model=models, recency=recencies(), threshold=st.floats(0.05, 0.95))
def test_an_alarm_is_due_when_the_probability_has_fallen(model: BgNbd, recency: Recency, threshold: float) -> None:
    due = silence_alarm(model, recency.repeats, recency.last, threshold)
    if recency.repeats + model.first_may_be_last == 0:
        assert due is None
        return
    assert due is not None
    at_last = probability_alive(model, Recency(recency.repeats, recency.last, recency.last))
    assume(abs(at_last - threshold) > 1e-9)
    if at_last < threshold:
        assert due == recency.last
    else:
        then = Recency(recency.repeats, recency.last, due)
        assert probability_alive(model, then) == pytest.approx(threshold, rel=1e-9)


def test_what_is_no_model_is_refused() -> None:
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="alpha of a BG/NBD model"):
            BgNbd(1, wrong, 1, 1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        silence_alarm(BgNbd(1, 1, 1, 1), 1, 1.0, 1.0)


def test_the_unit_of_time_does_not_matter() -> None:
    weeks = BgNbd(0.243, 4.414, 0.793, 2.426)
    months = weeks.in_unit(4.0)
    assert float(orders_if_alive(months, 2, 5.0, 3.0)) == pytest.approx(float(orders_if_alive(weeks, 2, 20.0, 12.0)))
