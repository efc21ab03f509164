"""Between what the number of a customer's orders will lie: the distribution that the purchase model predicts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from rapport_scoring.domain.forecast.histories import Recency
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd, probability_alive, survival

Floats = NDArray[np.float64]

SHARE = 0.8
"""How probable it is that a number lies in its interval."""


def order_interval(
    model: PdoNbd, recency: Recency, ahead: float, correction: float = 1.0, share: float = SHARE
) -> tuple[int, int]:
    """The numbers of orders within `ahead` months that have the probability `share` together, as nearly as whole
    numbers can.

    The lower end leaves (1 − share) / 2 below it at the most. Few orders come in lumps: who will buy nothing with the
    probability 0.9 has the interval from 0 to 0, which holds more than its share. `correction` multiplies the rate.
    """
    tail = (1 - share) / 2
    alive = probability_alive(model, recency)
    lifetimes, chances = _lifetimes_ahead(model, recency.age, ahead)
    buys = 1 / (1 + correction * lifetimes / (model.alpha + recency.age))

    def at_most(orders: int) -> float:
        """P(Y ≤ y): of each time alive a negative binomial, λ being Gamma(r + x, α + T) for who is alive."""
        if orders < 0:
            return 0.0
        return 1 - alive + alive * float(chances @ betainc(model.r + recency.repeats, orders + 1, buys))

    lowest = _first(lambda orders: at_most(orders) >= tail)
    below = at_most(lowest - 1)
    highest = _first(lambda orders: at_most(orders) - below >= share)
    if highest > lowest and share - (at_most(highest - 1) - below) < at_most(highest) - below - share:
        highest -= 1
    return lowest, highest


def _lifetimes_ahead(model: PdoNbd, age: float, ahead: float) -> tuple[Floats, Floats]:
    """How long a customer, alive now, may be alive within `ahead`, and how probable each is."""
    begun = age - math.floor(age)
    ends = np.arange(1, math.ceil(ahead + begun)) - begun
    survived = survival(model, np.array([float(math.floor(age))]), len(ends))[0]
    return np.append(ends, ahead), np.append(survived[:-1] - survived[1:], survived[-1])


def _first(holds: Callable[[int], bool]) -> int:
    """The least whole number ≥ 0 for which a condition holds that goes on to hold."""
    high = 1
    while not holds(high - 1):
        high *= 2
    low = high // 2
    while low < high - 1:
        middle = (low + high - 1) // 2
        low, high = (low, middle + 1) if holds(middle) else (middle + 1, high)
    return high - 1
