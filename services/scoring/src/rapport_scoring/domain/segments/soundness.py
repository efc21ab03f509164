"""Finds conditions that hold of nobody, or of everybody, whatever is known of a customer."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count, pairwise
from math import floor
from typing import Any, Final, TypeAlias

from rapport_scoring.domain.segments.catalogue import Kind
from rapport_scoring.domain.segments.comparisons import Comparison, Operator
from rapport_scoring.domain.segments.expressions import Atom, Expression, atoms_of
from rapport_scoring.domain.segments.readings import Value
from rapport_scoring.domain.segments.subjects import Lasting, PresentReading, Sliding, Subject

STEPS: Final = 1_000
"""How many cases are looked at before a condition is taken to be sound."""

Goals: TypeAlias = tuple[tuple[Expression, bool], ...]
"""Expressions, and the truth that each is to have."""

Samples: TypeAlias = Mapping[Subject, frozenset[Value]]
"""By subject: values of which at least one stands for every value that its comparisons can tell apart."""


@dataclass(frozen=True, slots=True)
class Unsound:
    """A condition that says nothing, and where it stands in the policy."""

    place: str
    message: str


def unsound(expression: Expression) -> Unsound | None:
    """The innermost condition that holds of nobody or of everybody; None where none was found.

    Subjects are taken to be independent of each other: that three contacts in an hour are three in a day is not seen.
    """
    for part in () if isinstance(expression, Atom) else expression.parts:
        # what is written as one, such as `between`, is judged as one
        found = None if part.place == expression.place else unsound(part)
        if found is not None:
            return found
    for wanted, message in ((True, "It holds of nobody"), (False, "It holds of everybody")):
        if not _possible(expression, wanted):
            return Unsound(expression.place, f"{message}, whatever is known of a customer")
    return None


class _Undecided(Exception):
    """There are more cases than are looked at."""


def _possible(expression: Expression, wanted: bool) -> bool:
    asked: dict[Subject, list[Comparison]] = {}
    for atom in atoms_of(expression):
        asked.setdefault(atom.subject, []).append(atom.comparison)
    samples = {subject: _samples(subject, comparisons) for subject, comparisons in asked.items()}
    try:
        return _reachable(((expression, wanted),), samples, count(1))
    except _Undecided:
        return True


def _reachable(goals: Goals, samples: Samples, steps: Iterator[int]) -> bool:
    """Whether some values of the subjects reach all goals. Raises _Undecided."""
    if next(steps) > STEPS:
        raise _Undecided
    if not goals:
        return True
    (expression, wanted), rest = goals[0], goals[1:]
    if isinstance(expression, Atom):
        left = frozenset(v for v in samples[expression.subject] if expression.comparison.holds(v) is wanted)
        return bool(left) and _reachable(rest, {**samples, expression.subject: left}, steps)
    if expression.kind == "not":
        return _reachable(((expression.parts[0], not wanted), *rest), samples, steps)
    if (expression.kind == "all") is wanted:
        return _reachable((*((part, wanted) for part in expression.parts), *rest), samples, steps)
    return any(_reachable(((part, wanted), *rest), samples, steps) for part in expression.parts)


def _samples(subject: Subject, comparisons: Iterable[Comparison]) -> frozenset[Value]:
    operands: list[Any] = []
    for comparison in comparisons:
        operands += comparison.operand if comparison.operator is Operator.ONE_OF else [comparison.operand]
    known = sorted({operand for operand in operands if operand is not None})
    match subject:
        case Sliding("count"):
            return frozenset(n for o in known for n in range(max(0, floor(o) - 1), floor(o) + 3)) | {0}
        case Sliding(_, "seconds"):
            return frozenset(number for number in _around(known) if number >= 0) | {0}
        case Sliding():
            return _around(known) | {None}
        case Lasting():
            minute = timedelta(minutes=1)
            return frozenset(near for operand in known for near in (operand - minute, operand)) | {None, minute * 0}
        case PresentReading():
            return _of_reading(subject, known)


def _of_reading(subject: PresentReading, known: list[Any]) -> frozenset[Value]:
    kind, missing = subject.kind, subject.otherwise
    if kind is Kind.FLAG:
        return frozenset({True, False})
    if kind is Kind.NUMBER:
        return frozenset(number for number in _around(known) if missing is None or number >= 0) | {missing}
    return frozenset(known) | {f"{operand}/\0" for operand in known} | {"\0", None}


def _around(known: list[Any]) -> frozenset[Any]:
    """The numbers, one between each two, and one at either end."""
    between = {(Decimal(one) + Decimal(other)) / 2 for one, other in pairwise(known)}
    ends = (known[0] - 1, known[-1] + 1) if known else (0,)
    return frozenset({*known, *between, *ends})
