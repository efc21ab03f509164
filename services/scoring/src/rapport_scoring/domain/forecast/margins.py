"""What an order of a customer contributes: a share of its revenue, less what each order costs whatever it is worth.

Both are the customer's own, shrunk towards those of its group.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class MarginPrior:
    """A group's contribution `rate`, and its `strength`: as how many orders of the customer it counts.

    A rate is at most 1, and below 0 where orders lose money. Raises ValueError otherwise.
    """

    rate: float
    strength: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate <= 1):
            raise ValueError(f"a contribution rate is a number of at most 1, not {self.rate}")
        if not (math.isfinite(self.strength) and self.strength > 0):
            raise ValueError(f"the strength of a prior is a number greater than 0, not {self.strength}")


def shrunk_rate(prior: MarginPrior, contribution: float, revenue: float, orders: int) -> float:
    """(n · contribution / revenue + k · ρ) / (n + k): Bühlmann's credibility n / (n + k) for the customer's own rate.

    n orders gave this contribution and this revenue; ρ and k are the prior's rate and strength. Without orders or
    revenue it is ρ. Source: Bühlmann (1967), "Experience Rating and Credibility", ASTIN Bulletin 4(3).
    """
    if orders <= 0 or revenue <= 0:
        return prior.rate
    return (orders * (contribution / revenue) + prior.strength * prior.rate) / (orders + prior.strength)


def shrunk_order_cost(mean: float, strength: float, cost: float, orders: int) -> float:
    """(`cost` + k · `mean`) / (n + k): what an order costs whatever it is worth, of n `orders` that cost so much.

    The same credibility, k being `strength`, for a mean that is the group's.
    """
    return (cost + strength * mean) / (orders + strength)


def fit_margins(
    contribution: ArrayLike, revenue: ArrayLike, orders: ArrayLike, strength: tuple[float, float]
) -> MarginPrior | None:
    """The prior of customers with these sums each; None where they have no revenue.

    ρ is Σ contribution / Σ revenue. A customer's own rate varies around ρ by τ² + σ² / n: least squares of its squared
    distance, by 1 / n, give both, and k = σ² / τ², kept within the bounds `strength`.
    """
    c, v, n = (np.asarray(values, dtype=np.float64) for values in (contribution, revenue, orders))
    counted = (v > 0) & (n > 0)
    if not counted.any():
        return None
    c, v, n = c[counted], v[counted], n[counted]
    rate = min(float(c.sum() / v.sum()), 1.0)
    design = np.column_stack([np.ones_like(n), 1 / n])
    (between, within), *_ = np.linalg.lstsq(design, (c / v - rate) ** 2, rcond=None)
    least, most = strength
    told = len(np.unique(n)) > 1 and between > 0
    return MarginPrior(rate, float(np.clip(within / between, least, most)) if told else most)
