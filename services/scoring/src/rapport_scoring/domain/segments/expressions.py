"""A condition as it is computed: atoms, each with its place in the policy, under `all`, `any` and `not`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, TypeAlias

from rapport_scoring.domain.segments.comparisons import Comparison, Operator
from rapport_scoring.domain.segments.conditions import Absent, Age, All, AnyOf, Condition, Not, Read, Window
from rapport_scoring.domain.segments.subjects import Lasting, Selection, Sliding, Subject, present_reading


@dataclass(frozen=True, slots=True)
class Atom:
    """One question about one subject."""

    place: str
    subject: Subject
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Group:
    """Parts, of which all hold, or any; `not` has one part."""

    place: str
    kind: Literal["all", "any", "not"]
    parts: tuple["Expression", ...]


Expression: TypeAlias = Atom | Group

WHEN: Final = "/when"


def expression_of(condition: Condition, place: str = WHEN) -> Expression:
    """The condition at a place of a policy."""
    match condition:
        case All():
            return Group(place, "all", _each(condition.all, f"{place}/all"))
        case AnyOf():
            return Group(place, "any", _each(condition.any, f"{place}/any"))
        case Not():
            return Group(place, "not", (expression_of(condition.not_, f"{place}/not"),))
        case Read():
            return _together(place, present_reading(condition.reading), _comparisons(condition))
        case Age():
            return _together(place, Lasting(condition.age), _comparisons(condition))
        case Window():
            figure, stream, field = condition.figure
            subject = Sliding(figure, field, _selection(stream, condition.where), condition.within)
            return _together(place, subject, _comparisons(condition))
        case Absent():
            return _absence(place, condition)


def atoms_of(expression: Expression) -> Iterator[Atom]:
    """Its atoms, as they stand in the policy."""
    if isinstance(expression, Atom):
        yield expression
    else:
        for part in expression.parts:
            yield from atoms_of(part)


def _each(conditions: tuple[Condition, ...], place: str) -> tuple[Expression, ...]:
    return tuple(expression_of(condition, f"{place}/{number}") for number, condition in enumerate(conditions))


def _together(place: str, subject: Subject, comparisons: list[Comparison]) -> Expression:
    atoms = tuple(Atom(place, subject, comparison) for comparison in comparisons)
    return atoms[0] if len(atoms) == 1 else Group(place, "all", atoms)


def _comparisons(condition: Read | Age | Window) -> list[Comparison]:
    found = []
    for name in type(condition).model_fields:
        written: Any = getattr(condition, name)
        if written is not None and name in _COMPARISONS:
            found += _COMPARISONS[name](written)
    return found


_COMPARISONS: Final[Mapping[str, Any]] = {
    "is_": lambda written: [Comparison(Operator.ONE_OF, frozenset({written}))],
    "in_": lambda written: [Comparison(Operator.ONE_OF, frozenset(written))],
    "under": lambda written: [Comparison(Operator.UNDER, written)],
    "at_least": lambda written: [Comparison(Operator.AT_LEAST, written)],
    "at_most": lambda written: [Comparison(Operator.AT_MOST, written)],
    "more_than": lambda written: [Comparison(Operator.MORE_THAN, written)],
    "less_than": lambda written: [Comparison(Operator.LESS_THAN, written)],
    "between": lambda written: [
        Comparison(Operator.AT_LEAST, written[0]),
        Comparison(Operator.AT_MOST, written[1]),
    ],
    "exists": lambda written: [Comparison(Operator.EXISTS)],
    "missing": lambda written: [Comparison(Operator.MISSING)],
}


def _selection(stream: str, where: Mapping[str, tuple[str, ...]]) -> Selection:
    return Selection(stream, tuple((name, frozenset(where[name])) for name in sorted(where)))


def _absence(place: str, condition: Absent) -> Expression:
    selection = _selection(condition.absent, condition.where)
    none = Atom(place, _count(selection, condition.for_), Comparison(Operator.AT_MOST, 0))
    if condition.among == "everybody":
        return none
    if condition.among == "ever":
        applies = Atom(place, _count(selection, None), Comparison(Operator.AT_LEAST, 1))
    else:
        applies = Atom(place, Lasting("customer"), Comparison(Operator.AT_LEAST, condition.for_))
    return Group(place, "all", (none, applies))


def _count(selection: Selection, within: timedelta | None) -> Sliding:
    return Sliding("count", "", selection, within)
