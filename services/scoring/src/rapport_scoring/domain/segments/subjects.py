"""What a condition asks about: a reading as it stands, an age, or a figure of facts in a sliding window."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, zip_longest
from math import isfinite
from operator import attrgetter
from typing import Any, Final, TypeAlias

from rapport_scoring.domain.segments.catalogue import SEVERAL, Kind, default_of, kind_of
from rapport_scoring.domain.segments.readings import AT, Happened, Readings, Value


@dataclass(frozen=True, slots=True)
class PresentReading:
    """A reading as it stands; time alone never changes it."""

    name: str
    kind: Kind
    otherwise: Value
    """What it is where nobody stated it, or stated what is not of its kind, as a number that is not finite."""

    @property
    def reading(self) -> str:
        """How a cause calls it."""
        return self.name

    def reader(self) -> Callable[[Readings], Value]:
        """Reads it."""
        name, otherwise, fits = self.name, self.otherwise, _IS[self.kind]

        def read(readings: Readings) -> Value:
            value = readings.values.get(name)
            return otherwise if value is None or not fits(value) else value

        return read


@dataclass(frozen=True, slots=True)
class Lasting:
    """For how long something has been so; unknown until it began."""

    name: str

    @property
    def reading(self) -> str:
        """How a cause calls it."""
        return f"age:{self.name}"

    def value(self, readings: Readings, at: datetime) -> Value:
        """The time from its beginning to `at`."""
        since = readings.since.get(self.name)
        return None if since is None or since > at else at - since

    def turns(self, readings: Readings, at: datetime, operands: Iterable[timedelta]) -> list[datetime]:
        """The instants after `at`, in order, when it may pass one of the operands."""
        since = readings.since.get(self.name)
        if since is None:
            return []
        return sorted({turn for turn in (since, *(since + operand for operand in operands)) if turn > at})


@dataclass(frozen=True, slots=True)
class Selection:
    """Facts of one stream that have in every field one of its values."""

    stream: str
    where: tuple[tuple[str, frozenset[str]], ...] = ()

    def chooser(self) -> Callable[[Happened], bool] | None:
        """What says whether a fact of the stream is among them; None where all are."""
        tests = [_test(name, values) for name, values in self.where]
        if len(tests) > 1:
            return lambda fact: all(test(fact) for test in tests)
        return tests[0] if tests else None

    @property
    def key(self) -> tuple[str, str, frozenset[str]]:
        """A stream, a field and its values that each fact has; the field is empty where any fact is taken."""
        name, values = self.where[0] if self.where else ("", frozenset({""}))
        return self.stream, name, values


@dataclass(frozen=True, slots=True)
class Sliding:
    """A figure of the selected facts at instants in (at − within, at], of all up to `at` without `within`."""

    figure: str
    field: str
    selection: Selection
    within: timedelta | None = None

    @property
    def reading(self) -> str:
        """How a cause calls it: `contacts:phone`, `purchases.revenue`, `answers.score:nps`."""
        name = f"{self.selection.stream}.{self.field}" if self.field else self.selection.stream
        return ":".join((name, *("|".join(sorted(values)) for _, values in self.selection.where)))

    def value(self, facts: Sequence[Happened], at: datetime) -> Value:
        """The figure, given the selected facts."""
        end = len(facts)
        if facts and facts[-1].at > at:
            end = bisect_right(facts, at, key=AT)
        start = 0 if self.within is None else bisect_right(facts, at - self.within, 0, end, key=AT)
        if self.figure == "count":
            return end - start
        amounts: list[Any] = [getattr(fact, self.field) for fact in facts[start:end]]
        if self.figure == "sum":
            return None if None in amounts else sum(amounts)
        return None if not amounts else min(amounts) if self.figure == "min" else max(amounts)

    def falls_to(self, count: int, facts: Sequence[Happened]) -> datetime | None:
        """When a count of facts, none of which is still to come, has fallen to a lesser one; None for never."""
        return None if self.within is None else facts[len(facts) - count - 1].at + self.within

    def leaving(self, facts: Sequence[Happened], at: datetime) -> Iterator[tuple[datetime, Value]]:
        """Each instant after `at` when facts leave the window, and the figure of those that stay.

        It takes time in proportion to the facts in it, none of which may be still to come.
        """
        if self.within is None:
            return
        inside = facts[bisect_right(facts, at - self.within, key=AT) :]
        amounts = (getattr(fact, self.field) for fact in reversed(inside))
        figures = [0 if self.figure == "sum" else None, *accumulate(amounts, _TOGETHER[self.figure])]
        for number, (fact, following) in enumerate(zip_longest(inside, inside[1:]), 1):
            if following is None or following.at != fact.at:
                yield fact.at + self.within, figures[len(inside) - number]

    def turns(self, facts: Sequence[Happened], at: datetime) -> list[datetime]:
        """The instants after `at`, in order, when a fact enters the window or leaves it."""
        entering = {fact.at for fact in facts[bisect_right(facts, at, key=AT) :]}
        if self.within is None:
            return sorted(entering)
        leaving = facts[bisect_right(facts, at - self.within, key=AT) :]
        return sorted(entering | {fact.at + self.within for fact in leaving})


Subject: TypeAlias = PresentReading | Lasting | Sliding


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


_TOGETHER: Final[Mapping[str, Callable[[Any, Any], Any]]] = {"sum": _sum, "min": min, "max": max}

_IS: Final[Mapping[Kind, Callable[[object], bool]]] = {
    Kind.NUMBER: lambda value: (
        isfinite(value) if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)
    ),
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.PATH: lambda value: isinstance(value, str),
    Kind.FLAG: lambda value: isinstance(value, bool),
}


def present_reading(name: str) -> PresentReading:
    """The reading of that name. Raises ValueError for a name that is none."""
    kind = kind_of(name)
    if kind is None:
        raise ValueError(f"there is no reading {name}")
    return PresentReading(name, kind, default_of(name))


def _test(name: str, values: frozenset[str]) -> Callable[[Happened], bool]:
    value = attrgetter(name)
    if name in SEVERAL:
        return lambda fact: not values.isdisjoint(value(fact))
    return lambda fact: value(fact) in values
