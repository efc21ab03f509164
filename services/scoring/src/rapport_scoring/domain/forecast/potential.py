"""Potential value: what a customer's expected orders will contribute within the horizon, discounted to now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapport_scoring.domain.forecast.histories import Recency
from rapport_scoring.domain.forecast.horizons import Horizon, weights
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd, probabilities_alive, probability_alive, survival

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prospect:
    """P(alive) now, and the orders expected within the horizon, as they are and discounted."""

    alive: float
    expected_orders: float
    discounted_orders: float


@dataclass(frozen=True, slots=True)
class Prospects:
    """`Prospect` of many customers, an array each."""

    alive: Floats
    expected_orders: Floats
    discounted_orders: Floats


def prospect(model: PdoNbd, recency: Recency, horizon: Horizon, correction: float = 1.0) -> Prospect:
    """What is to be expected of a customer; `recency` in months.

    discounted = Σₖ (E[Y(k)] − E[Y(k−1)]) / (1 + d)^(k/12) for k = 1 … H: an order counts at the end of its month.
    `correction` multiplies both numbers of orders.
    """
    alive = probability_alive(model, recency)
    chances = math.floor(recency.age)
    begun = recency.age - chances
    whole, later, discounted, discounted_later = _months_alive(model, horizon, chances)
    times = alive * correction * (model.r + recency.repeats) / (model.alpha + recency.age)
    return Prospect(
        alive,
        times * ((1 - begun) * whole + begun * later),
        times * ((1 - begun) * discounted + begun * discounted_later),
    )


def prospects(
    model: PdoNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike, horizon: Horizon, correction: float = 1.0
) -> Prospects:
    """`prospect` of many. All arrays have the same length."""
    x, since, t = (np.asarray(values, dtype=np.float64) for values in (repeats, last, age))
    alive = probabilities_alive(model, x, since, t)
    whole = np.floor(t)
    chances, row = np.unique(whole, return_inverse=True)
    sums = np.array([_months_alive(model, horizon, int(each)) for each in chances]).reshape(-1, 4)[row.ravel()].T
    begun, times = t - whole, alive * correction * (model.r + x) / (model.alpha + t)
    expected, discounted = (times * ((1 - begun) * sums[at] + begun * sums[at + 1]) for at in (0, 2))
    return Prospects(alive, expected, discounted)


def potential_value(order_contribution: float, of: Prospect) -> float:
    """Order contribution × discounted orders, in the unit of the contribution.

    It is negative where an order is expected to cost more than it brings. That is a true statement, and one to act on
    (a price, a minimum order): to call it 0 would hide the customers that a firm pays for.
    """
    if not math.isfinite(order_contribution):
        raise ValueError(f"an order contributes a number, not {order_contribution}")
    return order_contribution * of.discounted_orders


@lru_cache(maxsize=8192)
def _months_alive(model: PdoNbd, horizon: Horizon, chances: int) -> tuple[float, float, float, float]:
    """The months that a customer, alive after so many chances, will be alive: within the horizon and discounted,
    each as seen from the beginning of its current month and from the end of it before the chance.

    Between the two it is linear: within k months it is alive for what is left of this one, for whole ones, and for what
    the last has begun.
    """
    survived = survival(model, np.array([float(chances)]), horizon.months)[0]
    lived, weighed = np.cumsum(survived), weights(horizon)
    from_beginning, from_end = lived[:-1], lived[1:] - 1
    return (
        float(from_beginning[-1]),
        float(from_end[-1]),
        float(from_beginning @ weighed),
        float(from_end @ weighed),
    )
