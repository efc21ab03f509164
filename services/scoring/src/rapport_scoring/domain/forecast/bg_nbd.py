"""The BG/NBD model of repeat purchases: Fader, Hardie & Lee (2005), "'Counting Your Customers' the Easy Way: An
Alternative to the Pareto/NBD Model", Marketing Science 24(2), 275-284.

While alive a customer buys at random at a rate λ ~ Gamma(r, α), and after each repeat purchase is lost with the
probability p ~ Beta(a, b). Time is in any unit, the same for α, recency and horizon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, hyp2f1

from rapport_scoring.domain.forecast.histories import Recency

Floats = NDArray[np.float64]

_NEAR = 1e-3
"""How near to a removable singularity the closed form is interpolated instead, with an error of the order _NEAR⁴."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The parameters of the model; `alpha` has the unit of time. Raises ValueError unless all are finite and > 0."""

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        for name in ("r", "alpha", "a", "b"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} of a BG/NBD model must be a number greater than 0, and is {value}")

    def in_unit(self, factor: float) -> BgNbd:
        """The same model where the unit of time is `factor` old ones: months of weeks are `in_unit(30.4375 / 7)`."""
        return BgNbd(self.r, self.alpha / factor, self.a, self.b)


def log_likelihood(model: BgNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Floats:
    """ln L(r, α, a, b | x, t_x, T) of each customer (equation 6), summed in logarithms so that nothing overflows."""
    x, recency, t = (np.asarray(values, dtype=np.float64) for values in (repeats, last, age))
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    always = gammaln(r + x) - gammaln(r) + r * math.log(alpha)
    always += gammaln(a + b) - gammaln(b) + gammaln(b + x) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + t)
    with np.errstate(divide="ignore"):
        lost = np.where(
            x > 0, math.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency), -np.inf
        )
    total: Floats = always + np.logaddexp(alive, lost)
    return total


def probability_alive(model: BgNbd, recency: Recency) -> float:
    """P(alive | x, t_x, T): 1 without a repeat purchase, for the model loses customers only after one.

    Source: Fader, Hardie & Lee (2008), "Computing P(alive) Using the BG/NBD Model", equation 3.
    """
    x = recency.repeats
    if x == 0:
        return 1.0
    silence = (model.r + x) * math.log((model.alpha + recency.age) / (model.alpha + recency.last))
    odds_of_loss = math.log(model.a / (model.b + x - 1)) + silence
    return 1.0 / (1.0 + math.exp(odds_of_loss)) if odds_of_loss < 700 else 0.0


def probabilities_alive(model: BgNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Floats:
    """`probability_alive` of many."""
    x, recency, t = (np.asarray(values, dtype=np.float64) for values in (repeats, last, age))
    silence = (model.r + x) * np.log((model.alpha + t) / (model.alpha + recency))
    odds_of_loss = math.log(model.a) - np.log(model.b + np.maximum(x, 1) - 1) + silence
    alive: Floats = np.where(x > 0, expit(-odds_of_loss), 1.0)
    return alive


def silence_alarm(model: BgNbd, repeats: int, last: float, threshold: float) -> float | None:
    """The age at which P(alive) falls to `threshold`, if nothing is bought until then; None without a repeat purchase.

    P(alive) = p* solved for T: T* = (α + t_x)·((1/p* − 1)(b + x − 1)/a)^(1/(r + x)) − α. It is never before `last`,
    where P(alive) of a customer may be below the threshold already. Raises ValueError unless 0 < p* < 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"an alarm's threshold lies between 0 and 1, and is {threshold}")
    if repeats < 1:
        return None
    odds = (1 / threshold - 1) * (model.b + repeats - 1) / model.a
    exponent = min(math.log(odds) / (model.r + repeats), 600.0)  # of a value that is never reached anyway
    return max((model.alpha + last) * math.exp(exponent) - model.alpha, last)


def orders_if_alive(model: BgNbd, repeats: ArrayLike, age: ArrayLike, ahead: ArrayLike) -> Floats:
    """Expected purchases within `ahead` from now of a customer that is alive: E[Y(t) | x, t_x, T] / P(alive).

    Equation 10 without its denominator, which is 1/P(alive), and with Euler's transformation of ₂F₁ (Abramowitz &
    Stegun 15.3.3), whose parameters stay small where there are many purchases. Arguments broadcast. At a = 1, and at
    a + b + x = 1, the formula is 0/0: near there it is interpolated between four points around.
    """
    x, t, s = (np.asarray(values, dtype=np.float64) for values in (repeats, age, ahead))
    offset = (model.a - 1) / _NEAR
    if abs(offset) >= 1:
        return _regular_in_sum(model, model.a, x, t, s)
    weights = _lagrange(offset)
    return np.asarray(sum(w * _regular_in_sum(model, 1 + k * _NEAR, x, t, s) for k, w in weights))


def _regular_in_sum(model: BgNbd, a: float, x: Floats, t: Floats, s: Floats) -> Floats:
    offset = (a + model.b - 1) / _NEAR
    if abs(offset) >= 1 or x.min(initial=1) > 0:
        return _closed_form(model, a, model.b, x, t, s)
    weights = _lagrange(offset)
    return np.asarray(sum(w * _closed_form(model, a, 1 - a + k * _NEAR, x, t, s) for k, w in weights))


def _closed_form(model: BgNbd, a: float, b: float, x: Floats, t: Floats, s: Floats) -> Floats:
    whole = model.alpha + t + s
    lost = np.exp((a - 1) * np.log((model.alpha + t) / whole))
    lost = lost * hyp2f1(a + b - 1 - model.r, a - 1, a + b + x - 1, s / whole)
    closed: Floats = (a + b + x - 1) / (a - 1) * (1 - lost)
    return closed


def _lagrange(at: float) -> list[tuple[int, float]]:
    """The points -2, -1, 1, 2 and their weights for the cubic through them, at `at`."""
    points = (-2, -1, 1, 2)
    return [(k, math.prod((at - j) / (k - j) for j in points if j != k)) for k in points]
