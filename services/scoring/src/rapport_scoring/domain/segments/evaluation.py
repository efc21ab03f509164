"""Membership of one customer: in full, and after a change only as far as the change reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rapport_scoring.domain.segments.catalogue import FIELDS
from rapport_scoring.domain.segments.causes import Cause, causes_of, reasons_of
from rapport_scoring.domain.segments.index import Measure, Moment, SegmentIndex
from rapport_scoring.domain.segments.readings import CustomerReadings, Happened


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
    entered, left = _moved(index, before, flipped, now)
    segments = (before.segments | entered) - left if entered or left else before.segments
    after = Memberships(at, segments, _due(measures, before, now))
    causes = {name: tuple(causes_of(index, index.roots[name].expression, was, now)) for name in sorted(entered | left)}
    return Change(after, entered, left, causes)


def compare(
    index: SegmentIndex, held: frozenset[str], since: datetime, readings: CustomerReadings, at: datetime
) -> Change:
    """What becomes of segments that were held at `since`, where the readings of then are not kept, or the policies
    are others: evaluated in full.

    A cause is a condition that flips between the two instants by these readings, such as a window with a fact of the
    time between; where none does, each condition that makes it so, with nothing for `before`.
    """
    was, now = Moment(readings, since), Moment(readings, at)
    after = Memberships(at, _members(index, now), _earliest(index.timed, now))
    entered, left = after.segments - held, held - after.segments
    moved = [index.roots[name] for name in sorted(entered | left) if name in index.roots]
    causes = {root.name: tuple(causes_of(index, root.expression, was, now)) for root in moved}
    causes = {root.name: causes[root.name] or tuple(reasons_of(index, root.expression, now)) for root in moved}
    return Change(after, entered, left, causes)


def _moved(
    index: SegmentIndex, before: Memberships, flipped: Iterable[int], now: Moment
) -> tuple[frozenset[str], frozenset[str]]:
    """The segments entered and left, given the conditions that flipped.

    Only those outside are looked at for which one flipped the way that helps to enter, and of those inside the others.
    """
    in_reach, at_risk = set[str](), set[str]()
    for number in flipped:
        reach = index.reach[number]
        holds = reach.holds(now)
        in_reach |= reach.by_truth if holds else reach.by_falsehood
        at_risk |= reach.by_falsehood if holds else reach.by_truth
    entered = frozenset(name for name in in_reach - before.segments if index.roots[name].holds(now))
    return entered, frozenset(name for name in at_risk & before.segments if not index.roots[name].holds(now))


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
