"""Horizons of a forecast, and what their months weigh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far the forecast looks, and at what yearly rate what comes later counts less. Raises ValueError if absurd."""

    months: int = 60
    discount_rate: float = 0.10

    def __post_init__(self) -> None:
        if not (1 <= self.months <= 600):
            raise ValueError(f"a horizon has 1 to 600 months, not {self.months}")
        if not (0 <= self.discount_rate < math.inf):
            raise ValueError(f"a yearly discount rate is a number of at least 0, not {self.discount_rate}")


@lru_cache(maxsize=64)
def months(horizon: Horizon) -> Floats:
    """1 … H."""
    return np.arange(1.0, horizon.months + 1)


@lru_cache(maxsize=64)
def weights(horizon: Horizon) -> Floats:
    """What the orders until the end of each month weigh: Σ v_k (Y_k − Y_(k−1)) = Σ Y_k (v_k − v_(k+1)), v_(H+1) = 0.

    v_k = (1 + d)^(−k/12): an order counts at the end of its month.
    """
    factors = (1 + horizon.discount_rate) ** (-months(horizon) / 12)
    weighed: Floats = factors - np.append(factors[1:], 0.0)
    return weighed
