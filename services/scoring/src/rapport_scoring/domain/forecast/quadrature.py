"""Means over a Beta distribution by tanh-sinh quadrature, for parameters at which closed forms over- or underflow.

Takahasi & Mori (1974), "Double Exponential Formulas for Numerical Integration", Publ. RIMS 9(3).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainccinv, betaincinv, betaln, expit

Floats = NDArray[np.float64]
_REACH, _STEP = 3.6, 0.02


@lru_cache(maxsize=1)
def _nodes() -> tuple[Floats, Floats, Floats]:
    """Of ∫₀¹ f(u) du: u, 1 − u (both exact where they are small), and the weights."""
    v = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
    inner = np.pi * np.sinh(v)
    below, above = expit(inner), expit(-inner)
    return below, above, _STEP * np.pi * np.cosh(v) * below * above


def orders_over_beta(orders: float, a: float, b: float, faster: float) -> float:
    """E[(1 − (1 + p·y)^(−s)) / p] for p ~ Beta(a, b), with s = `orders` and y = `faster`, by the quantiles of p.

    It is what a customer that is alive buys, where λ ~ Gamma(s, A), p ~ Beta(a, b) and y = t / A: of
    E[(1 − e^(−λpt)) / p] the mean over λ is closed.
    """
    below, above, weights = _nodes()
    p = np.where(below < 0.5, betaincinv(a, b, below), betainccinv(a, b, above))
    lowest = np.exp(np.minimum((np.log(below) + np.log(a) + betaln(a, b)) / a, 0.0))
    p = np.where(np.isnan(p), lowest, p)  # the library gives up on some lower tails: there F(p) = p^a / (a B(a, b))
    small = p * faster * (orders + 1) < 1e-12
    safe = np.where(small, 1.0, p)
    bought = np.where(small, orders * faster, -np.expm1(-orders * np.log1p(safe * faster)) / safe)
    return float(weights @ bought)
