"""Order values, margins and win rates: shrinkage that ends where it should."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.forecast import (
    GammaGamma,
    MarginPrior,
    WinRate,
    expected_value,
    shrunk_order_cost,
    shrunk_rate,
)
from rapport_scoring.domain.forecast.fitting import fit_values
from rapport_scoring.domain.forecast.gamma_gamma import log_likelihood
from rapport_scoring.domain.forecast.margins import fit_margins

models = st.builds(
    GammaGamma, p=st.floats(0.5, 20), q=st.floats(1.2, 20), gamma=st.floats(1, 1e6, allow_subnormal=False)
)


@given(model=models, orders=st.integers(0, 1000), mean=st.floats(1, 1e9))
def test_an_expected_value_lies_between_the_customers_mean_and_that_of_all(
    model: GammaGamma, orders: int, mean: float
) -> None:
    found = expected_value(model, orders, mean)
    low, high = sorted((model.mean, mean if orders else model.mean))
    assert low * (1 - 1e-9) <= found <= high * (1 + 1e-9)


def test_the_expected_value_is_the_mean_of_the_posterior() -> None:
    model, orders, mean = GammaGamma(6.25, 3.74, 1544.0), 3, 2500.0
    chance = np.random.default_rng(3)
    rates = chance.gamma(model.q, 1 / model.gamma, 400_000)
    likelihood = np.exp(model.p * orders * np.log(rates) - rates * orders * mean + model.p * orders * math.log(2500.0))
    posterior = float((model.p / rates) @ likelihood / likelihood.sum())
    assert expected_value(model, orders, mean) == pytest.approx(posterior, rel=0.01)


def test_the_likelihood_is_a_density() -> None:
    values = np.exp(np.linspace(math.log(1e-3), math.log(1e7), 200_001))
    density = np.exp(log_likelihood(GammaGamma(6.25, 3.74, 15.44), np.full_like(values, 2.0), values))
    assert np.trapezoid(density, values) == pytest.approx(1, rel=1e-6)


def test_parameters_are_found_again() -> None:
    chance, orders = np.random.default_rng(5), np.arange(20_000) % 6 + 1
    rates = chance.gamma(4.0, 1 / 1500.0, len(orders))
    means = chance.gamma(6.0 * orders, 1 / (rates * orders))
    fit = fit_values(orders, means)
    assert fit is not None
    assert fit.converged
    assert (fit.model.p, fit.model.q, fit.model.gamma) == pytest.approx((6.0, 4.0, 1500.0), rel=0.1)
    assert fit_values([1, 0, 3], [100, 50, -5]) is None


@pytest.mark.parametrize("wrong", [(0, 2, 1), (1, 1, 1), (1, 2, 0), (1, math.nan, 1)])
def test_an_order_value_without_a_mean_is_refused(wrong: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="Gamma-Gamma"):
        GammaGamma(*wrong)


def test_a_rate_is_shrunk_by_its_orders() -> None:
    prior = MarginPrior(0.2, 5)
    assert shrunk_rate(prior, 0, 0, 0) == 0.2
    assert shrunk_rate(prior, 300, 1000, 5) == pytest.approx(0.25)
    assert shrunk_rate(prior, 300, 1000, 10**6) == pytest.approx(0.3, abs=1e-5)
    assert shrunk_rate(prior, 50, -10, 3) == 0.2


def test_a_cost_of_each_order_is_shrunk_by_its_orders() -> None:
    assert shrunk_order_cost(500, 5, 0, 0) == 500
    assert shrunk_order_cost(500, 5, 5 * 900, 5) == pytest.approx(700)
    assert shrunk_order_cost(500, 5, 10**6 * 900, 10**6) == pytest.approx(900, rel=1e-5)


def test_a_prior_of_margins_is_found_again() -> None:
    chance, orders = np.random.default_rng(5), np.arange(40_000) % 12 + 1
    rates = 0.25 + 0.05 * chance.standard_normal(len(orders)) + 0.15 * chance.standard_normal(len(orders)) / orders**0.5
    prior = fit_margins(rates * 1000 * orders, 1000 * orders, orders, (0.5, 100))
    assert prior is not None
    assert prior.rate == pytest.approx(0.25, abs=0.005)
    assert prior.strength == pytest.approx((0.15 / 0.05) ** 2, rel=0.2)
    assert fit_margins([0], [0], [0], (0.5, 100)) is None


def test_a_win_rate_learns() -> None:
    assert WinRate(2, 8).after(10, 0).mean == pytest.approx(0.6)
    for wrong in ((0, 1), (1, 0), (math.inf, 1)):
        with pytest.raises(ValueError, match="win rate"):
            WinRate(*wrong)
    with pytest.raises(ValueError, match="nobody won -1"):
        WinRate(2, 8).after(-1, 0)
