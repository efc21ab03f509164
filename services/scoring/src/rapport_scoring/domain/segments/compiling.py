"""Compiles segments: equal conditions and equal subjects become one, whichever segments they stand in."""

from collections.abc import Mapping
from typing import Final

from rapport_scoring.domain.segments.catalogue import MEMBER
from rapport_scoring.domain.segments.expressions import Atom, Expression, Group, atoms_of
from rapport_scoring.domain.segments.index import Holds, Measure, Moment, Numbers, Reach, Root, SegmentIndex
from rapport_scoring.domain.segments.policy import SegmentPolicy
from rapport_scoring.domain.segments.subjects import Lasting, Sliding, Standing, Subject


class SegmentError(ValueError):
    """Segments that do not fit together. `segment` and `place` name the condition."""

    def __init__(self, segment: str, place: str, message: str) -> None:
        """In words."""
        super().__init__(f"segment {segment}, {place}: {message}")
        self.segment, self.place, self.message = segment, place, message


def compile_segments(policies: Mapping[str, SegmentPolicy]) -> SegmentIndex:
    """The index of all segments, by name; those without a condition have no members.

    Raises SegmentError where one asks for the age of a segment that does not exist or, in a circle, of itself.
    """
    expressions = {name: policy.expression() for name, policy in sorted(policies.items())}
    present = {name: expression for name, expression in expressions.items() if expression is not None}
    _check_references(present, frozenset(policies))
    return _Compiler().compile(present)


class _Compiler:
    def __init__(self) -> None:
        self.measures: dict[Subject, Measure] = {}
        self.selections, self.numbers = Numbers(), Numbers()
        self.compiled: dict[int, Holds] = {}
        self.conditions: dict[int, Holds] = {}
        self.read_by: dict[int, Measure] = {}
        self.reach: dict[tuple[int, bool], set[str]] = {}

    def compile(self, expressions: Mapping[str, Expression]) -> SegmentIndex:
        roots = {}
        for name, expression in expressions.items():
            roots[name] = Root(name, expression, self.compiled[self.condition(expression)])
            self.note(name, expression)
        reach = {number: self.reach_of(number) for measure in self.measures.values() for _, number in measure.asked}
        for measure in self.measures.values():
            measure.settle(reach)
        return SegmentIndex(
            roots=roots,
            standing={s.name: m for s, m in self.measures.items() if isinstance(s, Standing)},
            lasting={s.name: m for s, m in self.measures.items() if isinstance(s, Lasting)},
            timed=tuple(m for s, m in self.measures.items() if not isinstance(s, Standing)),
            by_fact=self.by_fact(),
            reach=reach,
            conditions=self.conditions,
            read_by=self.read_by,
        )

    def condition(self, expression: Expression) -> int:
        """Compiles a condition and its parts; answers its number."""
        if isinstance(expression, Atom):
            measure = self.read_by[id(expression)] = self.measure(expression.subject)
            number = self.numbers.of((measure.number, expression.comparison))
            if number not in self.compiled:
                measure.asked.append((expression.comparison, number))
                self.compiled[number] = _atom(number, measure, expression)
        else:
            # what time does not change is cheap to read, and often decides
            ordered = sorted(expression.parts, key=_is_timed)
            parts = tuple(dict.fromkeys(self.condition(part) for part in ordered))
            number = self.numbers.of((expression.kind, frozenset(parts)))
            if number not in self.compiled:
                self.compiled[number] = _group(number, expression, tuple(self.compiled[part] for part in parts))
        self.conditions[id(expression)] = self.compiled[number]
        return number

    def measure(self, subject: Subject) -> Measure:
        found = self.measures.get(subject)
        if found is None:
            selection, takes = -1, None
            if isinstance(subject, Sliding):
                selection, takes = self.selections.of(subject.selection), subject.selection.chooser()
            found = self.measures[subject] = Measure(len(self.measures), subject, selection, takes)
        return found

    def note(self, name: str, expression: Expression, helps: bool = True) -> None:
        """Keeps which conditions can move the segment, and which truth of each helps to enter it."""
        if isinstance(expression, Atom):
            number = self.numbers.of((self.read_by[id(expression)].number, expression.comparison))
            self.reach.setdefault((number, helps), set()).add(name)
        else:
            for part in expression.parts:
                self.note(name, part, helps is not (expression.kind == "not"))

    def reach_of(self, number: int) -> Reach:
        by_truth, by_falsehood = (frozenset(self.reach.get((number, truth), ())) for truth in (True, False))
        return Reach(self.compiled[number], by_truth, by_falsehood)

    def by_fact(self) -> dict[tuple[str, str, str], tuple[Measure, ...]]:
        found: dict[tuple[str, str, str], tuple[Measure, ...]] = {}
        for subject, measure in self.measures.items():
            if isinstance(subject, Sliding):
                stream, name, values = subject.selection.key
                for value in values:
                    found[stream, name, value] = (*found.get((stream, name, value), ()), measure)
        return found


def _is_timed(expression: Expression) -> bool:
    return any(not isinstance(atom.subject, Standing) for atom in atoms_of(expression))


def _atom(number: int, measure: Measure, atom: Atom) -> Holds:
    value, asked = measure.value, atom.comparison.compiled()

    def holds(moment: Moment) -> bool:
        truth = moment.truths.get(number)
        if truth is None:
            truth = moment.truths[number] = asked(value(moment))
        return truth

    return holds


def _group(number: int, group: Group, parts: tuple[Holds, ...]) -> Holds:
    decides, otherwise = _DECIDES[group.kind]

    def holds(moment: Moment) -> bool:
        truth = moment.truths.get(number)
        if truth is not None:
            return truth
        truth = otherwise
        for part in parts:
            if part(moment) is decides:
                truth = not otherwise
                break
        moment.truths[number] = truth
        return truth

    return holds


_DECIDES: Final[Mapping[str, tuple[bool, bool]]] = {"all": (False, True), "any": (True, False), "not": (True, True)}
"""By kind: the truth of a part that decides, and what the group is where no part decides."""


def _check_references(expressions: Mapping[str, Expression], names: frozenset[str]) -> None:
    asks = {name: _references(expression) for name, expression in expressions.items()}
    for name, references in asks.items():
        for reference, place in references.items():
            if reference not in names:
                raise SegmentError(name, place, f"There is no segment {reference}")
            if name in _reached(reference, asks):
                raise SegmentError(name, place, "It depends on its own age")


def _references(expression: Expression) -> dict[str, str]:
    """The segments whose age is asked for, and where."""
    subjects = {atom.subject: atom.place for atom in atoms_of(expression)}
    return {
        subject.name.removeprefix(MEMBER): place
        for subject, place in subjects.items()
        if isinstance(subject, Lasting) and subject.name.startswith(MEMBER)
    }


def _reached(name: str, asks: Mapping[str, Mapping[str, str]]) -> set[str]:
    """A segment and all that it depends on."""
    found, ahead = {name}, [name]
    while ahead:
        new = set(asks.get(ahead.pop(), ())) - found
        found |= new
        ahead += new
    return found
