"""A sample to judge a forecast by: customers as they were on a day, and what they bought after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rapport_scoring.domain.forecast.fitting import Cohort
from rapport_scoring.domain.forecast.histories import MONTH, PurchaseHistory, Recency
from rapport_scoring.domain.forecast.intervals import order_interval
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd, orders_if_alive, probabilities_alive

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Customers with a purchase until the day `until`: (x, t_x, T) in months, and the days with a purchase within the
    `days` after it."""

    until: date
    days: int
    repeats: Floats
    last: Floats
    age: Floats
    bought: Floats

    @classmethod
    def of(cls, histories: Iterable[PurchaseHistory], until: date, days: int) -> Sample:
        """The sample of these histories, which may go on after `until`: nothing after it is looked at but `bought`."""
        end = until + timedelta(days)
        rows = [
            (recency.repeats, recency.last, recency.age, history.bought_after(until, end))
            for history in histories
            if (recency := history.recency(until)) is not None
        ]
        columns = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        return cls(until, days, *columns)

    @property
    def cohort(self) -> Cohort:
        """The customers as they were."""
        return Cohort.of_arrays(np.column_stack([self.repeats, self.last, self.age]))

    @property
    def ahead(self) -> float:
        """How long the time after is, in months."""
        return self.days / MONTH

    def alive(self, model: PdoNbd) -> Floats:
        """P(alive) of each customer."""
        return probabilities_alive(model, self.repeats, self.last, self.age)

    def expected(self, model: PdoNbd, ahead: float | None = None) -> Floats:
        """The expected purchases of each customer within the days after, or within `ahead` months."""
        until = self.ahead if ahead is None else ahead
        return self.alive(model) * orders_if_alive(model, self.repeats, self.age, until)

    def intervals(self, model: PdoNbd, correction: float) -> Floats:
        """The lower and the upper end of each customer's `order_interval`, a row each; equal customers once."""
        rows = np.column_stack([self.repeats, self.last, self.age])
        seen, back = np.unique(rows, axis=0, return_inverse=True)
        found = [order_interval(model, Recency(int(x), last, age), self.ahead, correction) for x, last, age in seen]
        return np.array(found, dtype=np.float64).reshape(-1, 2)[back.ravel()]
