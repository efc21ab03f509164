"""How potential value fades while a customer is silent: how much of it is kept over a window, without sums of months.

While nothing is bought, potential value is v(T) = c · P(alive | T) · S(T), with S the (discounted) orders expected of
a customer that is alive. S depends on the age T through t ÷ (α + T) alone, and is concave in the time t ahead and 0 at
t = 0: given the rate λ and the chance p, the orders until t are (1 − e^(−λpt)) ÷ p, and every mean of such is concave.
So S falls with T, but no faster than 1 ÷ (α + T), and for T ≥ U

    P(T) ÷ P(U) · (α + U) ÷ (α + T)  ≤  v(T) ÷ v(U)  ≤  P(T) ÷ P(U).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rapport_scoring.domain.forecast import MONTH, potential_value
from rapport_scoring.domain.forecast.bg_nbd import probabilities_alive
from rapport_scoring.domain.outlook import Basis
from rapport_scoring.domain.rates import Rates

Floats = NDArray[np.float64]

_SLACK = 1e-6
"""What sums and powers may be off, relatively, with room to spare: they are good to 1e-9."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Between what the share of potential value lies that is left after a window; NaN where that is not known."""

    least: Floats
    most: Floats


def kept(basis: Basis, rates: Rates, since: date, window: timedelta, days: Sequence[date]) -> Kept | None:
    """The share in the reporting currency that is left on each of `days` of what there was a `window` before.

    No day is less than a window after `since`. None where something was bought after `since`, or nothing is expected
    then: that does not fade.
    """
    recency = basis.rhythm.recency(since)
    if recency is None or not days or basis.rhythm.bought_on.ordinals[-1] > since.toordinal():
        return None
    expected = basis.prospect(recency)
    value = potential_value(basis.order_contribution, expected)
    if value <= 0 or expected.alive <= 0:
        return None
    model, count = basis.parameters.purchases, len(days)
    ordinals = np.fromiter((day.toordinal() for day in days), np.float64, count) - basis.rhythm.bought_on.ordinals[0]
    ages = np.concatenate([ordinals, ordinals - window.days]) / MONTH
    alive = probabilities_alive(model, np.full(2 * count, float(recency.repeats)), recency.last, ages)
    spread = model.alpha + ages
    with np.errstate(all="ignore"):
        worth = value / expected.alive * alive * (model.alpha + recency.age) / spread * (1 - _SLACK)  # at the least
        off = np.where(worth > 1, 0.5 / worth, np.nan)[count:]  # for values are rounded to minor units
        share, factors = alive[:count] / alive[count:], _factors(basis.currency, rates, window, days)
        least = factors * (share * spread[count:] / spread[:count] * (1 - _SLACK) - off) / (1 + off)
        most = factors * (share * (1 + _SLACK) + off) / (1 - off)
    return Kept(least, most)


def _factors(currency: str, rates: Rates, window: timedelta, days: Sequence[date]) -> Floats | float:
    """What a unit of the currency is worth on each day, by what it was worth a window before."""
    if currency == rates.reporting:
        return 1.0
    pairs = [(rates.factor(currency, day), rates.factor(currency, day - window)) for day in days]
    return np.array([float(now / before) if now and before else math.nan for now, before in pairs])
