"""The PDO/NBD model of repeat purchases: a customer buys at random, and once a month it may have left.

Jerath, Fader & Hardie (2011), "New Perspectives on Customer 'Death' Using a Generalization of the Pareto/NBD Model",
Marketing Science 30(5), 866-880: while alive a customer buys at a rate λ ~ Gamma(r, α), and at the end of each period
since its first purchase it is lost with the probability θ ~ Beta(a, b). The period is the unit of time, here a month;
with short periods the model becomes Pareto/NBD. Everything is a finite sum over the months.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit, gammaln

from rapport_scoring.domain.forecast.histories import Recency

Floats = NDArray[np.float64]

LONGEST = 1200
"""Months after which a silence that is no alarm yet never is."""


@dataclass(frozen=True, slots=True)
class PdoNbd:
    """The parameters of the model; `alpha` is in months. Raises ValueError unless all are finite and > 0."""

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        for name in ("r", "alpha", "a", "b"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} of a PDO/NBD model must be a number greater than 0, and is {value}")


@lru_cache(maxsize=256)
def _lifetimes(model: PdoNbd, months: int) -> tuple[Floats, Floats]:
    """ln S(n), n = 0 … `months`: alive after n chances to be lost; and ln D(j): lost at the j-th, D(0) unused.

    S(n) = B(a, b + n) / B(a, b), D(j) = B(a + 1, b + j − 1) / B(a, b).
    """
    chances = np.arange(months + 1.0)
    survived = np.asarray(betaln(model.a, model.b + chances) - betaln(model.a, model.b), dtype=np.float64)
    lost = np.full(months + 1, -np.inf)
    lost[1:] = betaln(model.a + 1, model.b + chances[:-1]) - betaln(model.a, model.b)
    return survived, lost


def _tabulated(months: float) -> int:
    """How long a table of lifetimes to ask for: a power of two, so that few are made."""
    return max(64, 1 << int(months).bit_length())


def log_likelihood(model: PdoNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Floats:
    """ln L(r, α, a, b | x, t_x, T) of each customer, in logarithms, so that nothing overflows.

    L = Γ(r + x) / Γ(r) · α^r · (S(n) (α + T)^−(r + x) + Σ D(j) (α + j)^−(r + x)), with n = ⌊T⌋ chances so far, and
    the sum over the chances j after the last purchase.
    """
    x = np.asarray(repeats, dtype=np.float64)
    alive, lost = _alive_and_lost(model, x, np.asarray(last, np.float64), np.asarray(age, np.float64))
    total: Floats = (
        gammaln(model.r + x) - gammaln(model.r) + model.r * math.log(model.alpha) + np.logaddexp(alive, lost)
    )
    return total


def _alive_and_lost(model: PdoNbd, x: Floats, last: Floats, age: Floats) -> tuple[Floats, Floats]:
    """The logarithms of both summands of the likelihood.

    Sums over the months are differences of sums to the end, of which there is one for each number of purchases.
    """
    since, until = np.floor(last).astype(np.int64), np.floor(age).astype(np.int64)
    survived, lost = _lifetimes(model, _tabulated(until.max(initial=0)))
    alive = survived[until] - (model.r + x) * np.log(model.alpha + age)
    bought, row = np.unique(x, return_inverse=True)
    months = np.arange(1, until.max(initial=0) + 1)
    terms = lost[months] - (model.r + bought)[:, None] * np.log(model.alpha + months)
    to_end = np.full((len(bought), len(months) + 2), -np.inf)
    to_end[:, 1:-1] = np.logaddexp.accumulate(terms[:, ::-1], axis=1)[:, ::-1]
    row = row.ravel()
    more, less = to_end[row, since + 1], to_end[row, until + 1]
    with np.errstate(all="ignore"):
        gone: Floats = np.where(until > since, more + np.log1p(-np.exp(less - more)), -np.inf)
    return alive, gone


def probabilities_alive(model: PdoNbd, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Floats:
    """P(alive | x, t_x, T) of many: 1 for who has had no chance to be lost since the last purchase."""
    x, since, until = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in (repeats, last, age)))
    alive, lost = _alive_and_lost(model, x.ravel(), since.ravel(), until.ravel())
    found: Floats = expit(alive - lost).reshape(x.shape)
    return found


def probability_alive(model: PdoNbd, recency: Recency) -> float:
    """`probabilities_alive` of one: 1 / (1 + (α + T)^(r + x) · Σ D(j) / S(n) · (α + j)^−(r + x)), j from t_x to T."""
    since, until = math.floor(recency.last), math.floor(recency.age)
    if until == since:
        return 1.0
    odds = _odds_of_loss(model, recency.repeats, since, until)
    odds += (model.r + recency.repeats) * math.log(model.alpha + recency.age)
    return 1 / (1 + math.exp(odds)) if odds < 700 else 0.0


@lru_cache(maxsize=65_536)
def _odds_of_loss(model: PdoNbd, repeats: int, since: int, until: int) -> float:
    """ln Σ D(j) / S(n) · (α + j)^−(r + x) over the chances after the month `since` up to the n-th, `until`."""
    survived, lost = _lifetimes(model, _tabulated(until))
    months = np.arange(since + 1, until + 1)
    odds = lost[months] - survived[until] - (model.r + repeats) * np.log(model.alpha + months)
    highest = float(odds.max())
    return highest + math.log(float(np.exp(odds - highest).sum()))


def silence_alarm(model: PdoNbd, repeats: int, last: float, threshold: float) -> float | None:
    """The age at which P(alive) falls to `threshold` if nothing is bought until then; None without a repeat purchase,
    for who came once has no rhythm.

    Between two chances P(alive) = p* is solved for T: T* = ((1/p* − 1) S(n) / Σ D(j) (α + j)^−(r + x))^(1/(r + x)) − α,
    and at a chance it may fall below at once. Raises ValueError unless 0 < p* < 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"an alarm's threshold lies between 0 and 1, and is {threshold}")
    if repeats < 1:
        return None
    bought, since = model.r + repeats, math.floor(last)
    end = since + LONGEST
    survived, lost = _lifetimes(model, _tabulated(end))
    months = np.arange(since + 1, end + 1)
    gone = np.logaddexp.accumulate(lost[months] - bought * np.log(model.alpha + months))
    reached = (math.log(1 / threshold - 1) + survived[months] - gone) / bought
    within = np.flatnonzero(reached < np.log(model.alpha + months + 1))
    if not len(within):
        return float(end)
    first = within[0]
    return max(math.exp(float(reached[first])) - model.alpha, float(months[first]))


def time_alive(model: PdoNbd, age: ArrayLike, ahead: ArrayLike) -> Floats:
    """The expected time that a customer, alive now, will be alive within `ahead` from now, in months.

    ∫ S(n + k) / S(n): it is lost only at the end of a month of its own.
    """
    t, s = (np.asarray(values, dtype=np.float64) for values in (age, ahead))
    whole = np.floor(t)
    begun = t - whole
    end = begun + s
    chances, row = np.unique(whole, return_inverse=True)
    longest = int(np.floor(end.max(initial=0.0))) + 1
    survived = survival(model, chances, longest)
    lived = np.concatenate([np.zeros((len(chances), 1)), np.cumsum(survived, axis=1)], axis=1)
    rows, months = np.broadcast_arrays(row.reshape(t.shape), np.floor(end).astype(np.int64))
    found: Floats = lived[rows, months] + (end - months) * survived[rows, months] - begun
    return found


def survival(model: PdoNbd, chances: Floats, longest: int) -> Floats:
    """P(alive after k more chances | alive after so many), k = 0 … `longest`, a row for each of `chances`.

    The product of (b + n + i) / (a + b + n + i), for θ ~ Beta(a, b + n) of who is alive.
    """
    kept = model.b + chances[:, None] + np.arange(longest)
    found: Floats = np.cumprod(np.concatenate([np.ones((len(chances), 1)), kept / (kept + model.a)], axis=1), axis=1)
    return found


def orders_if_alive(model: PdoNbd, repeats: ArrayLike, age: ArrayLike, ahead: ArrayLike) -> Floats:
    """Expected purchases within `ahead` from now of a customer that is alive: (r + x) / (α + T) · `time_alive`."""
    x, t = np.asarray(repeats, dtype=np.float64), np.asarray(age, dtype=np.float64)
    ordered: Floats = (model.r + x) / (model.alpha + t) * time_alive(model, t, ahead)
    return ordered
