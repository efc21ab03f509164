"""Maximum likelihood for the two models, on grouped data, by L-BFGS-B from several starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import digamma

from rapport_scoring.domain.forecast import bg_nbd, gamma_gamma
from rapport_scoring.domain.forecast.bg_nbd import BgNbd
from rapport_scoring.domain.forecast.gamma_gamma import GammaGamma
from rapport_scoring.domain.forecast.histories import Recency

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]

_STARTS = ((1.0, 1.0, 1.0, 2.0), (0.3, 0.5, 0.5, 2.0), (2.0, 3.0, 0.3, 6.0))
"""Of r, α, a, b, where the unit of time is the mean age."""
_VALUE_STARTS = ((2.0, 3.0), (8.0, 4.0))
_BOUND = 7.0
"""Of the logarithm of a parameter: beyond e^±7 the data do not tell the parameter from its limit."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers as the purchase model sees them, equal ones counted: `weights` says how many each row stands for."""

    repeats: Floats
    last: Floats
    age: Floats
    weights: Floats

    @classmethod
    def of(cls, recencies: Iterable[Recency]) -> Cohort:
        """The cohort of these customers."""
        rows = [(recency.repeats, recency.last, recency.age) for recency in recencies]
        return cls.of_arrays(np.array(rows, dtype=np.float64).reshape(-1, 3))

    @classmethod
    def of_arrays(cls, rows: Floats) -> Cohort:
        """The cohort of customers with a row (x, t_x, T) each."""
        unique, counts = np.unique(rows, axis=0, return_counts=True)
        return cls(unique[:, 0], unique[:, 1], unique[:, 2], counts.astype(np.float64))

    @property
    def columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        """x, t_x, T and the weights."""
        return self.repeats, self.last, self.age, self.weights

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return int(self.weights.sum())

    @property
    def repeaters(self) -> int:
        """How many of them bought again."""
        return int(self.weights[self.repeats > 0].sum())


@dataclass(frozen=True, slots=True)
class PurchaseFit:
    """The purchase model of greatest likelihood. `converged`: the search ended at an inner maximum, so all four
    parameters are told by the data."""

    model: BgNbd
    log_likelihood: float
    customers: int
    repeaters: int
    converged: bool


@dataclass(frozen=True, slots=True)
class ValueFit:
    """The order value model of greatest likelihood, of `customers` with at least one order of a positive value."""

    model: GammaGamma
    log_likelihood: float
    customers: int
    converged: bool


def fit_purchases(cohort: Cohort, first_may_be_last: bool = False, starts: int = len(_STARTS)) -> PurchaseFit | None:
    """The maximum of Σ ln L of the cohort for BG/NBD, or its modification; None where nobody bought again.

    The search is begun from so many `starts`, at least one.
    """
    scale = _sum(cohort.age, cohort.weights) / max(cohort.customers, 1)
    if not cohort.repeaters or scale <= 0:
        return None
    scaled = Cohort(cohort.repeats, cohort.last / scale, cohort.age / scale, cohort.weights)
    best, converged = _maximum(lambda logs: _purchase_loss(scaled, first_may_be_last, logs), np.log(_STARTS[:starts]))
    r, alpha, a, b = map(float, np.exp(best))
    model = BgNbd(r, alpha * scale, a, b, first_may_be_last)
    total = _sum(bg_nbd.log_likelihood(model, cohort.repeats, cohort.last, cohort.age), cohort.weights)
    return PurchaseFit(model, total, cohort.customers, cohort.repeaters, converged)


def fit_values(orders: ArrayLike, means: ArrayLike) -> ValueFit | None:
    """The Gamma-Gamma model of customers with so many `orders` of such a `means` value each.

    Those without an order, or without a positive value, are left out; None where fewer than two are left.
    """
    x, z = np.asarray(orders, dtype=np.float64), np.asarray(means, dtype=np.float64)
    counted = (x > 0) & (z > 0)
    x, z = x[counted], z[counted]
    if len(x) < 2:
        return None
    scale = float(z.mean())
    starts = np.array([(math.log(p), math.log(q - 1), math.log((q - 1) / p)) for p, q in _VALUE_STARTS])
    best, converged = _maximum(lambda logs: _value_loss(x, z / scale, logs), starts)
    p, above, gamma = map(float, np.exp(best))
    model = GammaGamma(p, 1 + above, gamma * scale)
    return ValueFit(model, float(gamma_gamma.log_likelihood(model, x, z).sum()), len(x), converged)


def _maximum(loss: Loss, starts: Floats) -> tuple[Floats, bool]:
    """The best end of the search from each start, and whether it is an inner one that the search was content with."""
    bounds: Sequence[tuple[float, float]] = [(-_BOUND, _BOUND)] * starts.shape[1]
    ends = [
        minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
        )
        for start in starts
    ]
    best = min(ends, key=lambda end: float(end.fun))
    point = np.asarray(best.x, dtype=np.float64)
    return point, bool(np.abs(best.jac).max() < 1e-4 and np.abs(point).max() < _BOUND - 1e-6)


def _sum(values: Floats, weights: Floats) -> float:
    """Σ w·v, on one core: the matrix product of so many is shared among cores, which wait for each other for longer."""
    return float((values * weights).sum())


def _purchase_loss(cohort: Cohort, first_may_be_last: bool, logs: Floats) -> tuple[float, Floats]:
    """−Σ ln L and its gradient by the logarithms of the parameters, per customer.

    ln L = A + ln(e^alive + e^lost), whose derivative weighs those of the two by P(alive) and 1 − P(alive).
    """
    r, alpha, a, b = map(float, np.exp(logs))
    model, x, last, age, w = BgNbd(r, alpha, a, b, first_may_be_last), *cohort.columns
    n = x + first_may_be_last
    total = _sum(bg_nbd.log_likelihood(model, x, last, age), w)
    alive = bg_nbd.probabilities_alive(model, x, last, age)
    lost = 1 - alive
    together = digamma(a + b) - digamma(a + b + n)
    by_parameter = (
        digamma(r + x) - digamma(r) + math.log(alpha) - alive * np.log(alpha + age) - lost * np.log(alpha + last),
        r / alpha - (r + x) * (alive / (alpha + age) + lost / (alpha + last)),
        together + lost / a,
        together + digamma(b + n) - digamma(b) - lost / (b + np.maximum(n, 1) - 1),
    )
    gradient = np.array([_sum(part, w) for part in by_parameter]) * np.exp(logs)
    return -total / w.sum(), -gradient / w.sum()


def _value_loss(x: Floats, z: Floats, logs: Floats) -> tuple[float, Floats]:
    """−Σ ln f and its gradient by the logarithms of p, q − 1 and γ, per customer."""
    p, above, gamma = map(float, np.exp(logs))
    q, px = 1 + above, p * x
    total = gamma_gamma.log_likelihood(GammaGamma(p, q, gamma), x, z).mean()
    both, whole = digamma(px + q), gamma + x * z
    by_parameter = (
        x * (both - digamma(px) + np.log(x) + np.log(z) - np.log(whole)),
        both - digamma(q) + math.log(gamma) - np.log(whole),
        q / gamma - (px + q) / whole,
    )
    gradient = np.array([float(part.mean()) for part in by_parameter]) * np.exp(logs)
    return -float(total), -gradient
