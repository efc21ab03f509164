"""Maximum likelihood for the two models, on grouped data, by L-BFGS-B from several starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import digamma

from rapport_scoring.domain.forecast import gamma_gamma, pdo_nbd
from rapport_scoring.domain.forecast.gamma_gamma import GammaGamma
from rapport_scoring.domain.forecast.histories import Recency
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]

_STARTS = ((0.5, 2.5, 0.5, 2.0), (1.0, 1.0, 0.5, 9.5))
"""Of r, α, a, b in months: a shop that most come to once, and a business with regulars."""
_DIFFERENCE = 1e-6
_VALUE_STARTS = ((2.0, 3.0), (8.0, 4.0))
_BOUND = 7.0
"""Of the logarithm of a parameter: beyond e^±7 the data do not tell the parameter from its limit."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers as the purchase model sees them, equal ones counted: `weights` says how many each row stands for.

    `last` is in whole months of the customer: it does not matter to the model when in a month the last purchase was.
    """

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
        rows = np.column_stack([rows[:, 0], np.floor(rows[:, 1]), rows[:, 2]])
        unique, counts = np.unique(rows, axis=0, return_counts=True)
        return cls(unique[:, 0], unique[:, 1], unique[:, 2], counts.astype(np.float64))

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

    model: PdoNbd
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


def fit_purchases(cohort: Cohort, starts: int = len(_STARTS)) -> PurchaseFit | None:
    """The maximum of Σ ln L of the cohort; None where nobody bought again.

    The search is begun from so many `starts`, at least one.
    """
    if not cohort.repeaters:
        return None
    best, converged = _maximum(lambda logs: _purchase_loss(cohort, logs), np.log(_STARTS[:starts]))
    model = PdoNbd(*map(float, np.exp(best)))
    total = -_loss_per_customer(cohort, best) * cohort.customers
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


def _purchase_loss(cohort: Cohort, logs: Floats) -> tuple[float, Floats]:
    """−Σ ln L and its gradient by the logarithms of the parameters, per customer; the gradient by differences."""
    loss = _loss_per_customer(cohort, logs)
    ahead = np.array([_loss_per_customer(cohort, logs + step) for step in _DIFFERENCE * np.eye(len(logs))])
    return loss, (ahead - loss) / _DIFFERENCE


def _loss_per_customer(cohort: Cohort, logs: Floats) -> float:
    model = PdoNbd(*map(float, np.exp(logs)))
    total = _sum(pdo_nbd.log_likelihood(model, cohort.repeats, cohort.last, cohort.age), cohort.weights)
    return -total / cohort.customers


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
