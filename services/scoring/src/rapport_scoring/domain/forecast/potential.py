"""Potential value: what a customer's expected orders will contribute within the horizon, discounted to now."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapport_scoring.domain.forecast.bg_nbd import BgNbd, probabilities_alive, probability_alive
from rapport_scoring.domain.forecast.expectations import many_sums_if_alive, sums_if_alive
from rapport_scoring.domain.forecast.histories import Recency
from rapport_scoring.domain.forecast.horizons import Horizon

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


def prospect(model: BgNbd, recency: Recency, horizon: Horizon, correction: float = 1.0) -> Prospect:
    """What is to be expected of a customer; `model` and `recency` in months.

    discounted = Σₖ (E[Y(k)] − E[Y(k−1)]) / (1 + d)^(k/12) for k = 1 … H: an order counts at the end of its month.
    `correction` multiplies both numbers of orders.
    """
    alive = probability_alive(model, recency)
    expected, discounted = sums_if_alive(model, horizon, recency.repeats, recency.age)
    times = alive * correction
    return Prospect(alive, times * expected, times * discounted)


def prospects(
    model: BgNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike, horizon: Horizon, correction: float = 1.0
) -> Prospects:
    """`prospect` of many, to 1e-9. All arrays have the same length."""
    x, t = np.asarray(repeats, dtype=np.float64), np.asarray(age, dtype=np.float64)
    alive = probabilities_alive(model, x, last, t)
    expected, discounted = many_sums_if_alive(model, horizon, x, t)
    times = alive * correction
    return Prospects(alive, times * expected, times * discounted)


def potential_value(order_contribution: float, of: Prospect) -> float:
    """Order contribution × discounted orders, in the unit of the contribution. Negative where orders lose money."""
    if not math.isfinite(order_contribution):
        raise ValueError(f"an order contributes a number, not {order_contribution}")
    return order_contribution * of.discounted_orders
