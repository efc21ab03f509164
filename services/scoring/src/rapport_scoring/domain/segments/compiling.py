"""Compiles segments: equal conditions and equal subjects become one, whichever segments they stand in."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from rapport_scoring.domain.segments.expressions import Atom, Expression, Group, atoms_of
from rapport_scoring.domain.segments.index import Holds, Measure, Moment, Numbers, Reach, Root, SegmentIndex
from rapport_scoring.domain.segments.policy import SegmentPolicy
from rapport_scoring.domain.segments.subjects import Lasting, PresentReading, Sliding, Subject

MEANING: Final = 1
"""To be raised when the same words come to mean something else, so that every customer is evaluated in full."""


def compile_segments(policies: Mapping[str, SegmentPolicy]) -> SegmentIndex:
    """The index of all segments, by name; those without a condition have no members."""
    expressions = {name: policy.expression() for name, policy in sorted(policies.items())}
    present = {name: expression for name, expression in expressions.items() if expression is not None}
    return _Compiler().compile(present, _fingerprint({name: policies[name] for name in present}))


def _fingerprint(policies: Mapping[str, SegmentPolicy]) -> str:
    digest = blake2b(str(MEANING).encode(), digest_size=12)
    for name, policy in policies.items():
        digest.update(f"\0{name}\0{policy.model_dump_json(include={'when'})}".encode())
    return digest.hexdigest()


class _Compiler:
    def __init__(self) -> None:
        self.measures: dict[Subject, Measure] = {}
        self.selections, self.numbers = Numbers(), Numbers()
        self.compiled: dict[int, Holds] = {}
        self.conditions: dict[int, Holds] = {}
        self.read_by: dict[int, Measure] = {}
        self.reach: dict[tuple[int, bool], set[str]] = {}

    def compile(self, expressions: Mapping[str, Expression], fingerprint: str) -> SegmentIndex:
        roots = {}
        for name, expression in expressions.items():
            roots[name] = Root(name, expression, self.compiled[self.condition(expression)])
            self.note(name, expression)
        reach = {number: self.reach_of(number) for measure in self.measures.values() for _, number in measure.asked}
        for measure in self.measures.values():
            measure.settle()
        return SegmentIndex(
            fingerprint=fingerprint,
            roots=roots,
            standing={s.name: m for s, m in self.measures.items() if isinstance(s, PresentReading)},
            lasting={s.name: m for s, m in self.measures.items() if isinstance(s, Lasting)},
            timed=tuple(m for s, m in self.measures.items() if not isinstance(s, PresentReading)),
            windows=self.windows(),
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

    def windows(self) -> dict[str, tuple[Measure, ...]]:
        found: dict[str, tuple[Measure, ...]] = {}
        for subject, measure in self.measures.items():
            if isinstance(subject, Sliding):
                stream = subject.selection.stream
                found[stream] = (*found.get(stream, ()), measure)
        return found

    def by_fact(self) -> dict[tuple[str, str, str], tuple[Measure, ...]]:
        found: dict[tuple[str, str, str], tuple[Measure, ...]] = {}
        for subject, measure in self.measures.items():
            if isinstance(subject, Sliding):
                stream, name, values = subject.selection.key
                for value in values:
                    found[stream, name, value] = (*found.get((stream, name, value), ()), measure)
        return found


def _is_timed(expression: Expression) -> bool:
    return any(not isinstance(atom.subject, PresentReading) for atom in atoms_of(expression))


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
