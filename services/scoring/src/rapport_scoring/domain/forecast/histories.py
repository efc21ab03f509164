"""Purchase histories: all that a forecast of purchases needs of a customer, whatever order its purchases come in."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

MONTH = 30.4375
"""Days of a month, the unit of time of the company: a year's 365.25 by twelve."""
_SECONDS_OF_A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Recency:
    """What the purchase model knows of a customer (Fader, Hardie & Lee 2005, section 3): (x, t_x, T).

    `repeats` are the days with a purchase after the first one; `last` is the time from the first purchase to the last,
    `age` from the first to the moment of looking, in whatever unit of time the parameters have.
    """

    repeats: int
    last: float
    age: float

    def __post_init__(self) -> None:
        if not (self.repeats >= 0 and 0 <= self.last <= self.age < float("inf")):
            raise ValueError(f"a recency needs repeats ≥ 0 and 0 ≤ last ≤ age, and is {self}")


class PurchaseHistory:
    """The days on which a customer bought, and the revenue of all purchases, in one currency.

    A set of days: purchases of one day are one, and the order in which they come is irrelevant. Adding searches in
    O(log n). Revenue is in integer minor units, so sums are exact.
    """

    __slots__ = ("_days", "_known", "_revenue")

    def __init__(self, purchases: Iterable[tuple[date, int]] = ()) -> None:
        self._days: list[int] = []
        self._known: set[int] = set()
        self._revenue = 0
        for day, revenue in purchases:
            self.add(day, revenue)

    def __len__(self) -> int:
        """The days with a purchase."""
        return len(self._days)

    @property
    def days(self) -> tuple[date, ...]:
        """The days with a purchase, ascending."""
        return tuple(map(date.fromordinal, self._days))

    @property
    def revenue(self) -> int:
        """The revenue of all purchases, in minor units."""
        return self._revenue

    @property
    def mean(self) -> float | None:
        """The mean revenue of a day with a purchase; None when there is none."""
        return self._revenue / len(self._days) if self._days else None

    def add(self, day: date, revenue: int) -> None:
        """Adds a purchase."""
        ordinal = day.toordinal()
        self._revenue += revenue
        if ordinal not in self._known:
            self._known.add(ordinal)
            insort(self._days, ordinal)

    def days_after(self, day: date, until: date) -> tuple[date, ...]:
        """The days with a purchase after `day`, up to `until` (inclusive), ascending."""
        begin, end = bisect_right(self._days, day.toordinal()), bisect_right(self._days, until.toordinal())
        return tuple(map(date.fromordinal, self._days[begin:end]))

    def bought_after(self, day: date, until: date) -> int:
        """How many days with a purchase there are after `day`, up to `until` (inclusive)."""
        return bisect_right(self._days, until.toordinal()) - bisect_right(self._days, day.toordinal())

    def recency(self, as_of: date | datetime, unit: float = MONTH) -> Recency | None:
        """(x, t_x, T) at `as_of`, of purchases until its day, in units of `unit` days; None when there were none yet.

        A day counts as its beginning; a moment counts as its place in its day, by its own clock.
        """
        days, ordinal = self._days, as_of.toordinal()
        count = len(days) if days and days[-1] <= ordinal else bisect_right(days, ordinal)
        if not count:
            return None
        first = days[0]
        age = ordinal - first + (_into_the_day(as_of) if isinstance(as_of, datetime) else 0.0)
        return Recency(count - 1, (days[count - 1] - first) / unit, age / unit)


def _into_the_day(moment: datetime) -> float:
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    return seconds / _SECONDS_OF_A_DAY
