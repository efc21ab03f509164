"""Sums over the months of a horizon, fast: expected orders of a customer that is alive, raw and discounted.

Of a model, a horizon and a number of repeats these depend on the age alone. For few repeats, which most customers have
and where ₂F₁ is slow, they are tabulated: their logarithms as Chebyshev polynomials of ln(α + T), a panel at a time.
For many repeats the series of ₂F₁ has vanished after a few terms, which all months share.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from rapport_scoring.domain.forecast.bg_nbd import BgNbd, orders_if_alive
from rapport_scoring.domain.forecast.horizons import Horizon, months, weights

Floats = NDArray[np.float64]
Coefficients = tuple[tuple[float, ...], tuple[float, ...]]

TABULATED = 32
"""Repeats below which a single customer is looked up."""
_MANY = 48
"""Customers of equal repeats from which on a table pays."""
_PANEL = 0.5
"""The width of a panel. The sums are analytic in ln(α + T) up to ±πi, so 12 points of it give more than ten digits."""
_POINTS = 12
_TERMS = np.arange(1.0, 81.0)
_NEGLIGIBLE = 1e-15


def sums_if_alive(model: BgNbd, horizon: Horizon, repeats: int, age: float) -> tuple[float, float]:
    """(E[Y(H)], Σ discounted) of a customer that is alive, to 1e-9; `model` and `age` in months."""
    if repeats < TABULATED:
        return _looked_up(model, horizon, repeats, age)
    ordered = _by_series(model, horizon, repeats, age)
    if ordered is None:
        ordered = orders_if_alive(model, repeats, age, months(horizon))
    return float(ordered[-1]), float(ordered @ weights(horizon))


def many_sums_if_alive(model: BgNbd, horizon: Horizon, repeats: Floats, age: Floats) -> tuple[Floats, Floats]:
    """`sums_if_alive` of many customers."""
    expected, discounted = np.empty(len(age)), np.empty(len(age))
    positions = np.log(model.alpha + age) / _PANEL
    panels = np.floor(positions)
    order = np.lexsort((panels, repeats))
    changes = np.flatnonzero((np.diff(repeats[order]) != 0) | (np.diff(panels[order]) != 0)) + 1
    for rows in np.split(order, changes) if len(order) else ():
        x, panel = int(repeats[rows[0]]), int(panels[rows[0]])
        if x < TABULATED or len(rows) >= _MANY:
            table = np.array(_panel(model, horizon, x, panel)).T[::-1]
            sums = np.exp(chebyshev.chebval(2 * (positions[rows] - panel) - 1, table))
        else:
            sums = np.array([sums_if_alive(model, horizon, x, float(age[row])) for row in rows]).T
        expected[rows], discounted[rows] = sums
    return expected, discounted


def _looked_up(model: BgNbd, horizon: Horizon, repeats: int, age: float) -> tuple[float, float]:
    position = math.log(model.alpha + age) / _PANEL
    panel = math.floor(position)
    expected, discounted = _panel(model, horizon, repeats, panel)
    twice = 4 * (position - panel) - 2
    return math.exp(_clenshaw(expected, twice)), math.exp(_clenshaw(discounted, twice))


def _clenshaw(coefficients: tuple[float, ...], twice: float) -> float:
    """Σ cₙ Tₙ(y) at `twice` = 2y; the coefficients come from the highest to c₁, then c₀."""
    above = value = 0.0
    for coefficient in coefficients[:-1]:
        value, above = coefficient + twice * value - above, value
    return coefficients[-1] + twice * value / 2 - above


@lru_cache(maxsize=8192)
def _panel(model: BgNbd, horizon: Horizon, repeats: int, panel: int) -> Coefficients:
    """Chebyshev coefficients, highest first, of the logarithms of both sums, for ln(α + T) / _PANEL in [panel, +1]."""
    points = chebyshev.chebpts1(_POINTS)
    ages = np.exp((panel + (points + 1) / 2) * _PANEL) - model.alpha
    ordered = orders_if_alive(model, repeats, ages[:, None], months(horizon))
    logs = np.log(np.column_stack([ordered[:, -1], ordered @ weights(horizon)]))
    fitted = chebyshev.chebfit(points, logs, _POINTS - 1)[::-1]
    return tuple(fitted[:, 0].tolist()), tuple(fitted[:, 1].tolist())


def _by_series(model: BgNbd, horizon: Horizon, repeats: int, age: float) -> Floats | None:
    """`orders_if_alive` at the end of each month by the series of ₂F₁; None where it has not vanished by its end."""
    a, c = model.a, model.a + model.b + repeats + model.first_may_be_last - 1
    if abs(a - 1) < 1e-3:
        return None
    whole = model.alpha + age + months(horizon)
    z = months(horizon) / whole
    factors = (c - model.r - repeats - 1 + _TERMS) * (a - 2 + _TERMS) / ((c - 1 + _TERMS) * _TERMS)
    terms = np.multiply.accumulate(factors)
    vanished = np.flatnonzero(np.abs(terms) < _NEGLIGIBLE)
    if not len(vanished):
        return None
    count = vanished[0]
    series = 1 + np.exp(np.log(z)[:, None] * _TERMS[:count]) @ terms[:count]
    lost = np.exp((a - 1) * np.log((model.alpha + age) / whole)) * series
    ordered: Floats = c / (a - 1) * (1 - lost)
    return ordered
