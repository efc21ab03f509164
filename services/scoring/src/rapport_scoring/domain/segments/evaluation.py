"""Membership of one customer: in full, and after a change only as far as the change reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from rapport_scoring.domain.segments.catalogue import FIELDS, PERSONAL
from rapport_scoring.domain.segments.durations import text_of
from rapport_scoring.domain.segments.expressions import Atom, Expression
from rapport_scoring.domain.segments.index import Measure, Moment, SegmentIndex
from rapport_scoring.domain.segments.readings import CustomerReadings, Happened, Value
from rapport_scoring.domain.segments.subjects import Standing

WINDOW: Final = "window"
"""The reading of a cause that is time alone."""


@dataclass(frozen=True, slots=True)
class Memberships:
    """The segments of a customer at an instant. Before `due`, time alone changes none of them; None is never.

    `due` is early where a condition changes that does not decide: then evaluating anew finds no change, and a later
    `due`.
    """

    at: datetime
    segments: frozenset[str]
    due: datetime | None


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


@dataclass(frozen=True, slots=True)
class Change:
    """What a change did: the segments entered and left, the causes of each, and the memberships after it."""

    after: Memberships
    entered: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    causes: Mapping[str, tuple[Cause, ...]] = field(default_factory=dict)


def evaluate(index: SegmentIndex, readings: CustomerReadings, at: datetime) -> frozenset[str]:
    """The segments that a customer is in at an instant, in full."""
    return _members(index, Moment(readings, at))


def begin(index: SegmentIndex, readings: CustomerReadings, at: datetime) -> Memberships:
    """The memberships from which `reevaluate` goes on: of a newcomer, or after the policies changed."""
    moment = Moment(readings, at)
    return Memberships(at, _members(index, moment), _earliest(index.timed, moment))


def reevaluate(
    index: SegmentIndex, before: Memberships, old: CustomerReadings, new: CustomerReadings, at: datetime
) -> Change:
    """What becomes of memberships, which were of `old` at their instant, with `new` at `at`: what `evaluate` says.

    `before` is what `begin` or this function answered for the same index and `old`. It costs as much as what changed
    can flip, not as much as there are segments.
    """
    was, now = Moment(old, before.at), Moment(new, at)
    measures = _affected(index, before, was, now)
    flipped = {n for m in measures for n in m.questions.flipped(m.value(was), m.value(now))}
    touched = {name for number in flipped for name in index.segments_of[number]}
    inside = {name for name in touched if index.roots[name].holds(now)}
    entered, left = frozenset(inside - before.segments), frozenset(touched - inside) & before.segments
    after = Memberships(at, (before.segments | entered) - left, _due(measures, before, now))
    causes = {name: tuple(_causes(index, index.roots[name].expression, was, now)) for name in sorted(entered | left)}
    return Change(after, entered, left, causes)


def _members(index: SegmentIndex, moment: Moment) -> frozenset[str]:
    return frozenset(name for name, root in index.roots.items() if root.holds(moment))


def _affected(index: SegmentIndex, before: Memberships, was: Moment, now: Moment) -> dict[Measure, None]:
    """The measures whose value the change of readings may have changed, and all that time may have."""
    old, new = was.readings, now.readings
    found = dict.fromkeys(index.timed) if _time_counts(before, now.at) else {}
    found |= {index.standing[name]: None for name in _differing(old.values, new.values) if name in index.standing}
    found |= {index.lasting[name]: None for name in _differing(old.since, new.since) if name in index.lasting}
    for stream, fields in _FIELDS.items():
        for fact in _changed(old.facts(stream), new.facts(stream)):
            found |= dict.fromkeys(index.touched_by(fact, stream, fields))
    return found


_FIELDS: Final = {stream: sorted(fields) for stream, fields in FIELDS.items()}


def _time_counts(before: Memberships, at: datetime) -> bool:
    return at < before.at or (before.due is not None and at >= before.due)


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> set[str]:
    return set() if old is new else {name for name, _ in old.items() ^ new.items()}


def _changed(old: tuple[Happened, ...], new: tuple[Happened, ...]) -> tuple[Happened, ...]:
    """The facts in which two histories may differ: none besides one that came last, mostly."""
    if old is new or old == new:
        return ()
    if new[: len(old)] == old:
        return new[len(old) :]
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    end = next((n for n in range(shorter - start) if old[-1 - n] != new[-1 - n]), shorter - start)
    return old[start : len(old) - end] + new[start : len(new) - end]


def _earliest(measures: Iterable[Measure], moment: Moment) -> datetime | None:
    return min((flip for measure in measures if (flip := measure.next_flip(moment)) is not None), default=None)


def _due(measures: Iterable[Measure], before: Memberships, now: Moment) -> datetime | None:
    """The earliest flip of the measures that are affected; the others flip no earlier than was known."""
    flip = _earliest(measures, now)
    if _time_counts(before, now.at) or before.due is None:
        return flip
    return before.due if flip is None else min(flip, before.due)


def _causes(index: SegmentIndex, expression: Expression, was: Moment, now: Moment) -> Iterable[Cause]:
    """The causes of the flip of an expression: of its parts, those that flipped the way that flips it."""
    if isinstance(expression, Atom):
        yield _cause(index, expression, was, now)
        return
    wanted = index.condition(expression)(now) is not (expression.kind == "not")
    for part in expression.parts:
        holds = index.condition(part)
        if holds(now) is wanted and holds(was) is not wanted:
            yield from _causes(index, part, was, now)


def _cause(index: SegmentIndex, atom: Atom, was: Moment, now: Moment) -> Cause:
    measure, holds = index.measures[atom.subject], atom.comparison.holds
    before, after = measure.value(was), measure.value(now)
    alone = not isinstance(atom.subject, Standing) and holds(measure.value_at(was, now.at)) is holds(after)
    return Cause(atom.place, WINDOW if alone else atom.subject.reading, _told(atom, before), _told(atom, after))


def _told(atom: Atom, value: Value) -> str | None:
    if value is None or atom.subject.reading in PERSONAL:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_of(value) if isinstance(value, timedelta) else str(value)
