"""A sample to judge a forecast by: customers as they were on a day, and what they bought after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rapport_scoring.domain.forecast.bg_nbd import BgNbd, active_if_alive, orders_if_alive, probabilities_alive
from rapport_scoring.domain.forecast.fitting import Cohort
from rapport_scoring.domain.forecast.histories import PurchaseHistory

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Customers with a purchase until the day `until`: (x, t_x, T) in units of `unit` days, and the days with a
    purchase within the `days` after it."""

    until: date
    days: int
    unit: float
    repeats: Floats
    last: Floats
    age: Floats
    bought: Floats

    @classmethod
    def of(cls, histories: Iterable[PurchaseHistory], until: date, days: int, unit: float) -> Sample:
        """The sample of these histories, which may go on after `until`: nothing after it is looked at but `bought`."""
        end = until + timedelta(days)
        rows = [
            (recency.repeats, recency.last, recency.age, history.bought_after(until, end))
            for history in histories
            if (recency := history.recency(until, unit)) is not None
        ]
        columns = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        return cls(until, days, unit, *columns)

    @property
    def cohort(self) -> Cohort:
        """The customers as they were."""
        return Cohort.of_arrays(np.column_stack([self.repeats, self.last, self.age]))

    @property
    def ahead(self) -> float:
        """How long the time after is, in units."""
        return self.days / self.unit

    def alive(self, model: BgNbd) -> Floats:
        """P(alive) of each customer."""
        return probabilities_alive(model, self.repeats, self.last, self.age)

    def active(self, model: BgNbd) -> Floats:
        """P(a purchase within the days after) of each customer."""
        return self.alive(model) * active_if_alive(model, self.repeats, self.age, self.ahead)

    def expected(self, model: BgNbd, ahead: float | None = None) -> Floats:
        """The expected purchases of each customer within the days after, or within `ahead` units; equals once."""
        seen, back = np.unique(np.column_stack([self.repeats, self.age]), axis=0, return_inverse=True)
        ordered = orders_if_alive(model, seen[:, 0], seen[:, 1], self.ahead if ahead is None else ahead)
        return self.alive(model) * ordered[back.ravel()]
