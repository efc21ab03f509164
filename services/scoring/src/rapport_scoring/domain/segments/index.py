"""Segments compiled: each distinct condition once, and which of them a change can flip."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from rapport_scoring.domain.segments.comparisons import Comparison, Questions
from rapport_scoring.domain.segments.expressions import Expression
from rapport_scoring.domain.segments.readings import CustomerReadings, Happened, Value
from rapport_scoring.domain.segments.subjects import Lasting, Selection, Sliding, Standing, Subject


class Moment:
    """A customer at an instant. Every figure and every condition is computed at most once in it."""

    __slots__ = ("at", "facts", "figures", "readings", "truths")

    def __init__(
        self, readings: CustomerReadings, at: datetime, facts: dict[int, Sequence[Happened]] | None = None
    ) -> None:
        """`facts` are those selected already, by the number of the selection."""
        self.readings, self.at = readings, at
        self.facts: dict[int, Sequence[Happened]] = {} if facts is None else facts
        self.figures: dict[int, Value] = {}
        self.truths: dict[int, bool] = {}

    def later(self, at: datetime) -> "Moment":
        """The same customer at another instant."""
        return Moment(self.readings, at, self.facts)


Holds: TypeAlias = Callable[[Moment], bool]
"""A compiled condition."""


@dataclass(slots=True, eq=False)
class Measure:
    """A subject that conditions ask about, and what they ask. `segments` are those that it can move."""

    number: int
    subject: Subject
    selection: int
    questions: Questions = field(default_factory=lambda: Questions(()))
    asked: list[tuple[Comparison, int]] = field(default_factory=list)
    segments: frozenset[str] = frozenset()

    def settle(self, segments_of: Mapping[int, Iterable[str]]) -> None:
        """Makes it ready once all is asked, given the segments in which each question stands."""
        self.questions = Questions(self.asked)
        self.segments = frozenset(name for _, number in self.asked for name in segments_of[number])

    def facts(self, moment: Moment) -> Sequence[Happened]:
        """The facts of a window, whatever their instant."""
        assert isinstance(self.subject, Sliding)
        found = moment.facts.get(self.selection)
        if found is None:
            found = moment.facts[self.selection] = self.subject.selection.of(moment.readings)
        return found

    def value(self, moment: Moment) -> Value:
        """What the subject is."""
        if self.number not in moment.figures:
            moment.figures[self.number] = self.value_at(moment, moment.at)
        return moment.figures[self.number]

    def value_at(self, moment: Moment, at: datetime) -> Value:
        """What the subject is to the same customer at another instant."""
        match self.subject:
            case Standing():
                return self.subject.value(moment.readings)
            case Lasting():
                return self.subject.value(moment.readings, at)
            case Sliding():
                return self.subject.value(self.facts(moment), at)

    def next_flip(self, moment: Moment) -> datetime | None:
        """The first later instant at which time alone changes the answer to one of the questions."""
        now = self.value(moment)
        for turn in self._turns(moment):
            if self.questions.flipped(now, self.value_at(moment, turn)):
                return turn
        return None

    def _turns(self, moment: Moment) -> Sequence[datetime]:
        match self.subject:
            case Standing():
                return ()
            case Lasting():
                return self.subject.turns(moment.readings, moment.at, self.questions.operands)
            case Sliding():
                return self.subject.turns(self.facts(moment), moment.at)


@dataclass(frozen=True, slots=True)
class Root:
    """A segment: its condition as it is written, and compiled."""

    name: str
    expression: Expression
    holds: Holds


@dataclass(frozen=True, slots=True, eq=False)
class SegmentIndex:
    """All segments, compiled once. Immutable once made; shared by all customers.

    `timed` are the measures that time alone can change, `by_fact` those of windows by a key that their facts share.
    `condition` gives the compiled form of any expression of a segment.
    """

    roots: Mapping[str, Root]
    standing: Mapping[str, Measure]
    lasting: Mapping[str, Measure]
    timed: tuple[Measure, ...]
    by_fact: Mapping[tuple[str, str, str], tuple[Measure, ...]]
    segments_of: Mapping[int, tuple[str, ...]]
    conditions: Mapping[int, Holds]
    measures: Mapping[Subject, Measure]

    def condition(self, expression: Expression) -> Holds:
        """The compiled form of a part of a segment of this index. Raises KeyError for any other."""
        return self.conditions[id(expression)]

    def touched_by(self, fact: Happened, stream: str, fields: Sequence[str]) -> Iterator[Measure]:
        """The windows that a fact of the stream can be in."""
        yield from self.by_fact.get((stream, "", ""), ())
        for name in fields:
            value = getattr(fact, name)
            for one in value if isinstance(value, frozenset) else (value,):
                for measure in self.by_fact.get((stream, name, one), ()):
                    assert isinstance(measure.subject, Sliding)
                    if measure.subject.selection.takes(fact):
                        yield measure


class Numbers:
    """Gives equal things the same number."""

    def __init__(self) -> None:
        """None are numbered yet."""
        self._numbers: dict[object, int] = {}

    def of(self, thing: Selection | tuple[object, ...]) -> int:
        """Its number."""
        return self._numbers.setdefault(thing, len(self._numbers))
