"""Potential value: what a customer's expected orders will contribute within the horizon, discounted to now."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapport_scoring.domain.forecast.bg_nbd import BgNbd, orders_if_alive, probabilities_alive, probability_alive
from rapport_scoring.domain.forecast.histories import Recency

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far the forecast looks, and at what yearly rate what comes later counts less."""

    months: int = 60
    discount_rate: float = 0.10

    def __post_init__(self) -> None:
        if not (1 <= self.months <= 600):
            raise ValueError(f"a horizon has 1 to 600 months, not {self.months}")
        if not (0 <= self.discount_rate < math.inf):
            raise ValueError(f"a yearly discount rate is a number of at least 0, not {self.discount_rate}")


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


def prospect(model: BgNbd, recency: Recency, horizon: Horizon) -> Prospect:
    """What is to be expected of a customer; `model` and `recency` in months.

    discounted = Σₖ (E[Y(k)] − E[Y(k−1)]) / (1 + d)^(k/12) for k = 1 … H: an order counts at the end of its month.
    """
    alive = probability_alive(model, recency)
    expected, discounted = _sums(model, horizon, float(recency.repeats), recency.age)
    return Prospect(alive, alive * expected, alive * discounted)


def prospects(model: BgNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike, horizon: Horizon) -> Prospects:
    """`prospect` of many, to 1e-9. All arrays have the same length."""
    x, t = np.asarray(repeats, dtype=np.float64), np.asarray(age, dtype=np.float64)
    alive = probabilities_alive(model, x, last, t)
    ordered = orders_if_alive(model, x[:, None], t[:, None], _months(horizon))
    return Prospects(alive, alive * ordered[:, -1], alive * (ordered @ _weights(horizon)))


def potential_value(order_contribution: float, of: Prospect) -> float:
    """Order contribution × discounted orders, in the unit of the contribution. Negative where orders lose money."""
    if not math.isfinite(order_contribution):
        raise ValueError(f"an order contributes a number, not {order_contribution}")
    return order_contribution * of.discounted_orders


def _sums(model: BgNbd, horizon: Horizon, repeats: float, age: float) -> tuple[float, float]:
    ordered = orders_if_alive(model, repeats, age, _months(horizon))
    return float(ordered[-1]), float(ordered @ _weights(horizon))


@lru_cache(maxsize=64)
def _months(horizon: Horizon) -> Floats:
    return np.arange(1.0, horizon.months + 1)


@lru_cache(maxsize=64)
def _weights(horizon: Horizon) -> Floats:
    """By parts, Σ v_k (Y_k − Y_(k−1)) = Σ Y_k (v_k − v_(k+1)) with v_(H+1) = 0: a single product."""
    factors = (1 + horizon.discount_rate) ** (-_months(horizon) / 12)
    weights: Floats = factors - np.append(factors[1:], 0.0)
    return weights
