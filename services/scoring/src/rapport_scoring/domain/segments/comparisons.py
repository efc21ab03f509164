"""One question about one value, and the questions that a change of the value answers anew."""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil, floor
from typing import Any, Final

from rapport_scoring.domain.segments.readings import Value
from rapport_shared.units import lies_in


class Operator(StrEnum):
    """What is asked of a value."""

    ONE_OF = "one_of"
    UNDER = "under"
    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    AT_MOST = "at_most"
    LESS_THAN = "less_than"
    EXISTS = "exists"
    MISSING = "missing"


LOWER: Final = frozenset({Operator.AT_LEAST, Operator.MORE_THAN})
UPPER: Final = frozenset({Operator.AT_MOST, Operator.LESS_THAN})


@dataclass(frozen=True, slots=True)
class Comparison:
    """A question. `operand` is a frozenset for ONE_OF, a path for UNDER, nothing for EXISTS and MISSING."""

    operator: Operator
    operand: Any = None

    def holds(self, value: Value) -> bool:
        """Of an unknown value nothing holds but that it is missing."""
        return self.compiled()(value)

    def compiled(self) -> Callable[[Any], bool]:
        """`holds`, to be asked often."""
        return _COMPILED[self.operator](self.operand)


_COMPILED: Final[Mapping[Operator, Callable[[Any], Callable[[Any], bool]]]] = {
    Operator.ONE_OF: lambda operand: lambda value: value is not None and value in operand,
    Operator.UNDER: lambda operand: lambda value: value is not None and lies_in(value, operand),
    Operator.AT_LEAST: lambda operand: lambda value: value is not None and value >= operand,
    Operator.MORE_THAN: lambda operand: lambda value: value is not None and value > operand,
    Operator.AT_MOST: lambda operand: lambda value: value is not None and value <= operand,
    Operator.LESS_THAN: lambda operand: lambda value: value is not None and value < operand,
    Operator.EXISTS: lambda operand: lambda value: value is not None,
    Operator.MISSING: lambda operand: lambda value: value is None,
}


class Questions:
    """All questions about one value, each with a number: equality by hash, thresholds in order.

    A threshold x is kept as (x, 0) or (x, 1) such that of a value v exactly the lower bounds up to (v, 0) hold, and
    the upper bounds after it.
    """

    __slots__ = (
        "_lower",
        "_lower_keys",
        "_one_of",
        "_presence",
        "_steps",
        "_under",
        "_upper",
        "_upper_keys",
        "operands",
    )

    def __init__(self, questions: Iterable[tuple[Comparison, int]]) -> None:
        """Takes them all at once."""
        asked = list(questions)
        self._lower, self._lower_keys = _ordered(asked, LOWER, Operator.MORE_THAN)
        self._upper, self._upper_keys = _ordered(asked, UPPER, Operator.AT_MOST)
        self._one_of: dict[Hashable, set[int]] = {}
        self._under: dict[str, set[int]] = {}
        self._presence = [number for comparison, number in asked if comparison.operand is None]
        for comparison, number in asked:
            if comparison.operator is Operator.ONE_OF:
                for value in comparison.operand:
                    self._one_of.setdefault(value, set()).add(number)
            elif comparison.operator is Operator.UNDER:
                self._under.setdefault(comparison.operand, set()).add(number)
        # of both kinds of bound, (x, 0) parts what is below x from the rest, (x, 1) what is x or below
        bounds = {key for key in (*self._lower_keys, *self._upper_keys) if not isinstance(key[0], timedelta)}
        self._steps = sorted({step for x, past in bounds if (step := floor(x) + 1 if past else ceil(x)) > 0})
        self.operands = sorted({key[0] for key in (*self._lower_keys, *self._upper_keys)})

    def flipped(self, before: Value, after: Value) -> list[int]:
        """The numbers of exactly those questions that have another answer of `after` than of `before`.

        A number may stand twice. It costs as much as there are flips, besides a search among the thresholds.
        """
        if before == after:
            return []
        found = self._presence[:] if before is None or after is None else []
        if self._lower:
            found += _between(self._lower, _place(self._lower_keys, before, 0), _place(self._lower_keys, after, 0))
        if self._upper:
            end = len(self._upper)
            found += _between(self._upper, _place(self._upper_keys, before, end), _place(self._upper_keys, after, end))
        if self._one_of:
            found += self._one_of.get(before, _NONE) ^ self._one_of.get(after, _NONE)
        if self._under:
            found += set(self._above(before)) ^ set(self._above(after))
        return found

    def next_below(self, count: int) -> int | None:
        """The greatest count below `count`, and not below 0, of which a threshold has another answer."""
        place = bisect_right(self._steps, count)
        return self._steps[place - 1] - 1 if place else None

    def _above(self, path: Value) -> Iterator[int]:
        steps = path.split("/") if isinstance(path, str) else []
        for length in range(1, len(steps) + 1):
            yield from self._under.get("/".join(steps[:length]), ())


_NONE: Final[set[int]] = set()


def _ordered(
    asked: list[tuple[Comparison, int]], operators: frozenset[Operator], after: Operator
) -> tuple[list[int], list[tuple[Any, int]]]:
    bounds = [
        ((comparison.operand, int(comparison.operator is after)), number)
        for comparison, number in asked
        if comparison.operator in operators
    ]
    bounds.sort()
    return [number for _, number in bounds], [key for key, _ in bounds]


def _place(keys: list[tuple[Any, int]], value: Value, unknown: int) -> int:
    return unknown if value is None else bisect_right(keys, (value, 0))


def _between(numbers: list[int], one: int, other: int) -> list[int]:
    return numbers[one:other] if one <= other else numbers[other:one]
