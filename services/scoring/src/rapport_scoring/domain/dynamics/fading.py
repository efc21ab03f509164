"""How potential value falls while a customer is silent: the share left after a window, for many days at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rapport_scoring.domain.forecast import MONTH, prospects
from rapport_scoring.domain.outlook import Basis
from rapport_scoring.domain.rates import Rates

Floats = NDArray[np.float64]

_SLACK = 1e-6
"""A generous bound of the relative error of sums and powers, which are accurate to 1e-9."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bounds of the share of potential value that is left after a window; NaN where unknown."""

    least: Floats
    most: Floats


def kept(basis: Basis, rates: Rates, since: date, window: timedelta, days: Sequence[date]) -> Kept | None:
    """Potential value on each of `days` as a share of the value a `window` earlier, in the reporting currency.

    Each day must be at least a window after `since`. The bounds cover the rounding of values to minor units. None if
    the customer bought after `since`, or has no positive potential value, which therefore does not fall.
    """
    recency, bought_on = basis.rhythm.recency(since), basis.rhythm.bought_on.ordinals
    if recency is None or not days or bought_on[-1] > since.toordinal() or basis.order_contribution <= 0:
        return None
    ordinals = np.fromiter((day.toordinal() for day in days), np.float64, len(days))
    ages = (np.concatenate([ordinals, ordinals - window.days]) - bought_on[0]) / MONTH
    repeats, last = np.full(len(ages), float(recency.repeats)), np.full(len(ages), recency.last)
    of = basis.parameters
    expected = prospects(of.purchases, repeats, last, ages, basis.horizon, of.correction).discounted_orders
    now, before = np.split(basis.order_contribution * expected, 2)
    factors = _factors(basis.currency, rates, window, days)
    with np.errstate(all="ignore"):
        before = np.where(before > 1, before, np.nan)
        least = factors * (now * (1 - _SLACK) - 0.5) / (before * (1 + _SLACK) + 0.5)
        most = factors * (now * (1 + _SLACK) + 0.5) / (before * (1 - _SLACK) - 0.5)
    return Kept(least, most)


def _factors(currency: str, rates: Rates, window: timedelta, days: Sequence[date]) -> Floats | float:
    """The rate of the currency on each day ÷ its rate a window earlier; NaN where a rate is unknown."""
    if currency == rates.reporting:
        return 1.0
    pairs = [(rates.factor(currency, day), rates.factor(currency, day - window)) for day in days]
    return np.array([float(now / before) if now and before else math.nan for now, before in pairs])
