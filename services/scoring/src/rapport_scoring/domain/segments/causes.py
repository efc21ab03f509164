"""Why a customer moved: the conditions that flipped, and what they read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rapport_scoring.domain.segments.catalogue import PERSONAL
from rapport_scoring.domain.segments.durations import text_of
from rapport_scoring.domain.segments.expressions import Atom, Expression
from rapport_scoring.domain.segments.former import Former
from rapport_scoring.domain.segments.index import Measure, Moment, SegmentIndex
from rapport_scoring.domain.segments.readings import Readings, Value
from rapport_scoring.domain.segments.subjects import Lasting, PresentReading, Sliding

WINDOW: Final = "window"
"""The reading of a cause that is time alone."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A condition that flipped and thereby moved the customer: its place in the policy, and what it reads.

    `reading` is `window` where time alone flipped it. `before` and `after` are what was read, None where it was
    unknown, or is personal.
    """

    condition: str
    reading: str
    before: str | None = None
    after: str | None = None


def causes_of(index: SegmentIndex, expression: Expression, was: Former, now: Moment) -> Iterator[Cause]:
    """The causes of the flip of an expression: of its parts, those that flipped the way that flips it.

    Where none is known to have flipped, those that may have: all that make it what it is, and were not known so.
    """
    if isinstance(expression, Atom):
        yield _cause(index.measure(expression), expression, was, now)
        return
    wanted = index.condition(expression)(now) is not (expression.kind == "not")
    parts = [part for part in expression.parts if index.condition(part)(now) is wanted]
    truths = [was.truth(index, part) for part in parts]
    sought = None if (not wanted) not in truths else not wanted
    for part, truth in zip(parts, truths, strict=True):
        if truth is sought:
            yield from causes_of(index, part, was, now)


def _cause(measure: Measure, atom: Atom, former: Former, now: Moment) -> Cause:
    was, after = former.of(atom.subject), _told(atom, measure.value(now))
    if was is None:
        return Cause(atom.place, atom.subject.reading, None, after)
    reading = WINDOW if _by_time_alone(measure, atom, was, now) else atom.subject.reading
    return Cause(atom.place, reading, _told(atom, measure.value(was)), after)


def _by_time_alone(measure: Measure, atom: Atom, was: Moment, now: Moment) -> bool:
    """Whether it would have flipped had nothing happened since. A fact that comes into its time is no time alone."""
    if isinstance(atom.subject, PresentReading) or was.at == now.at:
        return False
    if _begins_between(measure, was.readings, was.at, now.at):
        return False
    holds = atom.comparison.holds
    return holds(measure.value_at(was, now.at)) is holds(measure.value(now))


def _begins_between(measure: Measure, readings: Readings, since: datetime, at: datetime) -> bool:
    """Whether a fact that the measure reads, or what has an age, is of the time between."""
    match measure.subject:
        case Sliding(selection=selection):
            takes = measure.takes
            facts = [fact for fact in readings.facts(selection.stream) if since < fact.at <= at]
            return bool(facts) if takes is None else any(takes(fact) for fact in facts)
        case Lasting(name):
            began = readings.since.get(name)
            return began is not None and since < began <= at
        case _:
            return False


def _told(atom: Atom, value: Value) -> str | None:
    if value is None or atom.subject.reading in PERSONAL:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_of(value) if isinstance(value, timedelta) else str(value)
