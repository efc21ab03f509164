"""The Gamma-Gamma model of order values: Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value",
brucehardie.com/notes/025.

The value of each order is Gamma(p, ν) around the customer's own mean, and ν ~ Gamma(q, γ) differs between customers.
It is meant for revenue, which is positive, and not for margins. γ has the unit of money.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """The parameters of the model. Raises ValueError unless p, γ > 0 and q > 1: at q ≤ 1 there is no mean."""

    p: float
    q: float
    gamma: float

    def __post_init__(self) -> None:
        for name, least in (("p", 0), ("q", 1), ("gamma", 0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > least):
                raise ValueError(f"{name} of a Gamma-Gamma model must be a number greater than {least}, and is {value}")

    @classmethod
    def around(cls, mean: float, p: float, q: float) -> GammaGamma:
        """The model with these shapes whose mean is `mean`."""
        return cls(p, q, mean * (q - 1) / p)

    @property
    def mean(self) -> float:
        """The mean order value of all customers: pγ / (q − 1)."""
        return self.p * self.gamma / (self.q - 1)


def log_likelihood(model: GammaGamma, orders: ArrayLike, mean: ArrayLike) -> Floats:
    """ln f(z̄ | p, q, γ; x) of customers with `orders` x ≥ 1 of the `mean` value z̄ > 0 (equation 1a)."""
    x, z = np.asarray(orders, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    p, q, gamma = model.p, model.q, model.gamma
    constants = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * math.log(gamma)
    total: Floats = constants + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * z)
    return total


def expected_value(model: GammaGamma, orders: float, mean: float) -> float:
    """E(M | p, q, γ; z̄, x) = p(γ + x z̄) / (px + q − 1), equation 5: the customer's mean shrunk towards all customers'.

    `orders` may be 0: then it is the mean of all. A mean that is not positive counts as none.
    """
    if orders <= 0 or mean <= 0:
        return model.mean
    return model.p * (model.gamma + orders * mean) / (model.p * orders + model.q - 1)
