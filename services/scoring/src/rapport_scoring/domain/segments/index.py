"""Segments compiled: each distinct condition once, and which of them a change can flip."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rapport_scoring.domain.segments.comparisons import Comparison, Questions
from rapport_scoring.domain.segments.expressions import Atom, Expression
from rapport_scoring.domain.segments.readings import Happened, Readings, Value
from rapport_scoring.domain.segments.subjects import Lasting, PresentReading, Selection, Sliding, Subject


class Moment:
    """A customer at an instant. Every figure and every condition is computed at most once in it."""

    __slots__ = ("at", "facts", "figures", "readings", "truths")

    def __init__(self, readings: Readings, at: datetime, facts: dict[int, Sequence[Happened]] | None = None) -> None:
        """`facts` are those selected already, by the number of the selection."""
        self.readings, self.at = readings, at
        self.facts: dict[int, Sequence[Happened]] = {} if facts is None else facts
        self.figures: dict[int, Value] = {}
        self.truths: dict[int, bool] = {}


Holds: TypeAlias = Callable[[Moment], bool]
"""A compiled condition."""


@dataclass(slots=True, eq=False)
class Measure:
    """A subject that conditions ask about, and what they ask.

    `selection` numbers the facts of a window, `takes` chooses them, where not all of the stream are.
    """

    number: int
    subject: Subject
    selection: int
    takes: Callable[[Happened], bool] | None
    questions: Questions = field(default_factory=lambda: Questions(()))
    asked: list[tuple[Comparison, int]] = field(default_factory=list)
    usual: Value = field(init=False, default=None)
    """What the subject is where nothing was stated of it."""
    value_at: Callable[[Moment, datetime], Value] = field(init=False)
    """What the subject is to the customer of a moment at another instant."""

    def __post_init__(self) -> None:
        """Chooses once how the subject is read."""
        subject, facts = self.subject, self.facts
        match subject:
            case PresentReading():
                self.usual, read = subject.otherwise, subject.reader()
                self.value_at = lambda moment, at: read(moment.readings)
            case Lasting():
                self.value_at = lambda moment, at: subject.value(moment.readings, at)
            case Sliding():
                self.value_at = lambda moment, at: subject.value(facts(moment), at)

    def settle(self) -> None:
        """Makes it ready once all is asked."""
        self.questions = Questions(self.asked)

    def facts(self, moment: Moment) -> Sequence[Happened]:
        """The facts of a window, whatever their instant."""
        found = moment.facts.get(self.selection)
        if found is None:
            assert isinstance(self.subject, Sliding)
            facts = moment.readings.facts(self.subject.selection.stream)
            found = facts if self.takes is None else [fact for fact in facts if self.takes(fact)]
            moment.facts[self.selection] = found
        return found

    def value(self, moment: Moment) -> Value:
        """What the subject is."""
        figures = moment.figures
        if self.number in figures:
            return figures[self.number]
        value = figures[self.number] = self.value_at(moment, moment.at)
        return value

    def next_flip(self, moment: Moment) -> datetime | None:
        """The first later instant at which time alone changes the answer to one of the questions."""
        if isinstance(self.subject, Sliding):
            facts = self.facts(moment)
            if not facts or facts[-1].at <= moment.at:
                return self._next_loss(self.subject, facts, moment)
        now = self.value(moment)
        for turn in self._turns(moment):
            if self.questions.flipped(now, self.value_at(moment, turn)):
                return turn
        return None

    def _next_loss(self, window: Sliding, facts: Sequence[Happened], moment: Moment) -> datetime | None:
        """The same of a window that facts can only leave."""
        now = self.value(moment)
        if window.figure == "count" and isinstance(now, int):
            below = self.questions.next_below(now)
            return None if below is None else window.falls_to(below, facts)
        left = window.leaving(facts, moment.at)
        return next((instant for instant, value in left if self.questions.flipped(now, value)), None)

    def _turns(self, moment: Moment) -> Sequence[datetime]:
        match self.subject:
            case PresentReading():
                return ()
            case Lasting():
                return self.subject.turns(moment.readings, moment.at, self.questions.operands)
            case Sliding():
                return self.subject.turns(self.facts(moment), moment.at)


@dataclass(frozen=True, slots=True)
class Reach:
    """A condition, and the segments in which it stands: those that it helps to enter when it becomes true, and those
    that it helps to enter when it becomes false. A segment may be in both.
    """

    holds: Holds
    by_truth: frozenset[str]
    by_falsehood: frozenset[str]


@dataclass(frozen=True, slots=True)
class Root:
    """A segment: its condition as it is written, and compiled."""

    name: str
    expression: Expression
    holds: Holds


@dataclass(frozen=True, slots=True, eq=False)
class SegmentIndex:
    """All segments, compiled once. Immutable once made; shared by all customers.

    `fingerprint` is the same for the same policies, in every process. `timed` are the measures that time alone can
    change, `windows` those of each stream, `by_fact` the same by a key that their facts share.
    `reach` is of each distinct condition that is no group, by its number in `Questions`; `conditions` and `read_by`
    are by the identity of an expression, for equality of expressions is dear.
    """

    fingerprint: str
    roots: Mapping[str, Root]
    standing: Mapping[str, Measure]
    lasting: Mapping[str, Measure]
    timed: tuple[Measure, ...]
    windows: Mapping[str, tuple[Measure, ...]]
    by_fact: Mapping[tuple[str, str, str], tuple[Measure, ...]]
    reach: Mapping[int, Reach]
    conditions: Mapping[int, Holds]
    read_by: Mapping[int, Measure]

    def condition(self, expression: Expression) -> Holds:
        """The compiled form of a part of a segment of this index. Raises KeyError for any other."""
        return self.conditions[id(expression)]

    def measure(self, atom: Atom) -> Measure:
        """What a condition of a segment of this index reads. Raises KeyError for any other."""
        return self.read_by[id(atom)]

    def touched_by(self, fact: Happened, stream: str, fields: Sequence[str]) -> Iterator[Measure]:
        """The windows that a fact of the stream can be in."""
        yield from self.by_fact.get((stream, "", ""), ())
        for name in fields:
            value = getattr(fact, name)
            for one in value if isinstance(value, frozenset) else (value,):
                for measure in self.by_fact.get((stream, name, one), ()):
                    if measure.takes is None or measure.takes(fact):
                        yield measure


class Numbers:
    """Gives equal things the same number."""

    def __init__(self) -> None:
        """None are numbered yet."""
        self._numbers: dict[object, int] = {}

    def of(self, thing: Selection | tuple[object, ...]) -> int:
        """Its number."""
        return self._numbers.setdefault(thing, len(self._numbers))
