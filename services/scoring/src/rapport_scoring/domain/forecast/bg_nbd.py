"""The BG/NBD model of repeat purchases, and its modification.

Fader, Hardie & Lee (2005), "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD Model", Marketing
Science 24(2), 275-284: while alive a customer buys at random at a rate λ ~ Gamma(r, α), and after each repeat purchase
is lost with the probability p ~ Beta(a, b). Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison
of models for customer base analysis", IJRM 24(3), 201-209, let it be lost after the first purchase too (MBG/NBD).

Both are one model here, by the number of chances to be lost that a customer has had: x, or x + 1. Time is in any unit,
the same for α, recency and horizon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, hyp2f1

from rapport_scoring.domain.forecast.histories import Recency
from rapport_scoring.domain.forecast.quadrature import orders_over_beta

Floats = NDArray[np.float64]
ModelName = Literal["bg_nbd", "mbg_nbd"]

_NEAR = 1e-3
"""How near to a removable singularity the closed form is interpolated instead, with an error of the order _NEAR⁴."""


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The parameters of the model; `alpha` has the unit of time. Raises ValueError unless all are finite and > 0.

    `first_may_be_last` makes it the modified model.
    """

    r: float
    alpha: float
    a: float
    b: float
    first_may_be_last: bool = False

    def __post_init__(self) -> None:
        for name in ("r", "alpha", "a", "b"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} of a BG/NBD model must be a number greater than 0, and is {value}")

    @property
    def name(self) -> ModelName:
        """Which of the two models it is."""
        return "mbg_nbd" if self.first_may_be_last else "bg_nbd"

    def in_unit(self, factor: float) -> BgNbd:
        """The same model where the unit of time is `factor` old ones: months of weeks are `in_unit(30.4375 / 7)`."""
        return replace(self, alpha=self.alpha / factor)


def log_likelihood(model: BgNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Floats:
    """ln L(r, α, a, b | x, t_x, T) of each customer (2005, equation 6), in logarithms, so that nothing overflows."""
    x, recency, t = (np.asarray(values, dtype=np.float64) for values in (repeats, last, age))
    r, alpha, a, b, n = model.r, model.alpha, model.a, model.b, x + model.first_may_be_last
    always = gammaln(r + x) - gammaln(r) + r * math.log(alpha)
    always += gammaln(a + b) - gammaln(b) + gammaln(b + n) - gammaln(a + b + n)
    alive = -(r + x) * np.log(alpha + t)
    lost = math.log(a) - np.log(b + np.maximum(n, 1) - 1) - (r + x) * np.log(alpha + recency)
    lost = np.where(n > 0, lost, -np.inf)
    total: Floats = always + np.logaddexp(alive, lost)
    return total


def probability_alive(model: BgNbd, recency: Recency) -> float:
    """P(alive | x, t_x, T): 1 for who has had no chance to be lost.

    Source: Fader, Hardie & Lee (2008), "Computing P(alive) Using the BG/NBD Model", equation 3, n chances for x:
    1 / (1 + a / (b + n − 1) · ((α + T) / (α + t_x))^(r + x)).
    """
    x, n = recency.repeats, recency.repeats + model.first_may_be_last
    if n == 0:
        return 1.0
    silence = (model.r + x) * math.log((model.alpha + recency.age) / (model.alpha + recency.last))
    odds_of_loss = math.log(model.a / (model.b + n - 1)) + silence
    return 1.0 / (1.0 + math.exp(odds_of_loss)) if odds_of_loss < 700 else 0.0


def probabilities_alive(model: BgNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Floats:
    """`probability_alive` of many."""
    x, recency, t = (np.asarray(values, dtype=np.float64) for values in (repeats, last, age))
    n = x + model.first_may_be_last
    silence = (model.r + x) * np.log((model.alpha + t) / (model.alpha + recency))
    odds_of_loss = math.log(model.a) - np.log(model.b + np.maximum(n, 1) - 1) + silence
    alive: Floats = np.where(n > 0, expit(-odds_of_loss), 1.0)
    return alive


def active_if_alive(model: BgNbd, repeats: ArrayLike, age: ArrayLike, ahead: ArrayLike) -> Floats:
    """P(at least one purchase within `ahead` from now | alive) = 1 − ((α + T) / (α + T + t))^(r + x).

    Whether a customer is lost after the next purchase does not matter to it: λ is Gamma(r + x, α + T) for who is alive.
    """
    x, t, s = (np.asarray(values, dtype=np.float64) for values in (repeats, age, ahead))
    active: Floats = -np.expm1((model.r + x) * np.log((model.alpha + t) / (model.alpha + t + s)))
    return active


def silence_alarm(model: BgNbd, repeats: int, last: float, threshold: float) -> float | None:
    """The age at which P(alive) falls to `threshold` if nothing is bought until then; None where it stays 1.

    P(alive) = p* solved for T: T* = (α + t_x)·((1/p* − 1)(b + n − 1)/a)^(1/(r + x)) − α with n = x chances, which for
    BG/NBD needs a repeat purchase. It is never before `last`, where P(alive) may be below the threshold already.
    Raises ValueError unless 0 < p* < 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"an alarm's threshold lies between 0 and 1, and is {threshold}")
    chances = repeats + model.first_may_be_last
    if chances < 1:
        return None
    odds = (1 / threshold - 1) * (model.b + chances - 1) / model.a
    exponent = min(math.log(odds) / (model.r + repeats), 600.0)  # of an age that nobody reaches
    return max((model.alpha + last) * math.exp(exponent) - model.alpha, last)


def orders_if_alive(model: BgNbd, repeats: ArrayLike, age: ArrayLike, ahead: ArrayLike) -> Floats:
    """Expected purchases within `ahead` from now of a customer that is alive: E[Y(t) | x, t_x, T] / P(alive).

    Equation 10 (2005) without its denominator, which is 1/P(alive):
    (a + b + n − 1)/(a − 1)·(1 − ((α + T)/(α + T + t))^(r + x)·₂F₁(r + x, b + n; a + b + n − 1; t/(α + T + t))), or its
    Euler transformation (Abramowitz & Stegun 15.3.3), whichever converges at t → ∞: for many purchases the latter.
    Arguments broadcast. At a = 1, and at a + b + n = 1, it is 0/0: near there it is interpolated between four points.
    Where it overflows, the mean over p is taken by quadrature: the answer is always a number.
    """
    x, t, s = (np.asarray(values, dtype=np.float64) for values in (repeats, age, ahead))
    offset = (model.a - 1) / _NEAR
    with np.errstate(all="ignore"):
        if abs(offset) >= 1:
            ordered = _regular_in_sum(model, model.a, x, t, s)
        else:
            around = _lagrange(offset)
            ordered = np.asarray(sum(w * _regular_in_sum(model, 1 + k * _NEAR, x, t, s) for k, w in around))
    broken = ~(np.isfinite(ordered) & ((ordered > 0) | (s <= 0)))
    return _mended(model, x, t, s, ordered, broken) if broken.any() else ordered


def _mended(model: BgNbd, x: Floats, t: Floats, s: Floats, ordered: Floats, broken: NDArray[np.bool_]) -> Floats:
    """`ordered` with the mean over p by quadrature where the closed form is no number."""
    repeats, age, ahead, _ = (np.ravel(each) for each in np.broadcast_arrays(x, t, s, ordered))
    flat = np.array(ordered).ravel()
    for at in np.flatnonzero(broken):
        n, faster = repeats[at] + model.first_may_be_last, ahead[at] / (model.alpha + age[at])
        flat[at] = orders_over_beta(model.r + repeats[at], model.a, model.b + n, faster)
    return flat.reshape(np.shape(ordered))


def _regular_in_sum(model: BgNbd, a: float, x: Floats, t: Floats, s: Floats) -> Floats:
    offset = (a + model.b - 1) / _NEAR
    if abs(offset) >= 1 or x.min(initial=1) + model.first_may_be_last > 0:
        return _closed_form(model, a, model.b, x, t, s)
    weights = _lagrange(offset)
    return np.asarray(sum(w * _closed_form(model, a, 1 - a + k * _NEAR, x, t, s) for k, w in weights))


def _closed_form(model: BgNbd, a: float, b: float, x: Floats, t: Floats, s: Floats) -> Floats:
    whole, n, orders = model.alpha + t + s, x + model.first_may_be_last, model.r + x
    c, z, kept = a + b + n - 1, s / whole, np.log((model.alpha + t) / whole)
    if a - 1 < orders.min(initial=np.inf):
        lost = np.exp((a - 1) * kept) * hyp2f1(c - orders, a - 1, c, z)
    else:
        lost = np.exp(orders * kept) * hyp2f1(orders, b + n, c, z)
    closed: Floats = c / (a - 1) * (1 - lost)
    return closed


def _lagrange(at: float) -> list[tuple[int, float]]:
    """The points -2, -1, 1, 2 and their weights for the cubic through them, at `at`."""
    points = (-2, -1, 1, 2)
    return [(k, math.prod((at - j) / (k - j) for j in points if j != k)) for k in points]
