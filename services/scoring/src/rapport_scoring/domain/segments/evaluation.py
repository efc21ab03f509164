"""Membership of one customer: after a change only as far as the change reaches, and in full where that is not known."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from rapport_scoring.domain.segments.catalogue import FIELDS
from rapport_scoring.domain.segments.causes import Cause, causes_of
from rapport_scoring.domain.segments.former import NOTHING, Former, recall
from rapport_scoring.domain.segments.index import Measure, Moment, SegmentIndex
from rapport_scoring.domain.segments.kept import Kept, keep
from rapport_scoring.domain.segments.readings import CustomerReadings


@dataclass(frozen=True, slots=True)
class Change:
    """The segments of a customer, which it entered and left, the causes of each, and what to keep until next time.

    `kept.due` is early where a condition changes that does not decide: then evaluating anew moves nobody.
    """

    segments: frozenset[str]
    kept: Kept
    entered: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    causes: Mapping[str, tuple[Cause, ...]] = field(default_factory=dict)


def evaluate(index: SegmentIndex, readings: CustomerReadings, at: datetime) -> frozenset[str]:
    """The segments that a customer is in at an instant, in full."""
    return _members(index, Moment(readings, at))


def refresh(index: SegmentIndex, held: Set[str], kept: Kept | None, readings: CustomerReadings, at: datetime) -> Change:
    """What becomes at `at` of the segments that were held when `kept` was kept: what `evaluate` says.

    It costs as much as the change reaches, not as much as there are segments. Where nothing was kept, or under other
    policies, it evaluates in full. What is kept is the same either way.

    A cause says what was read before, unless the facts of its stream are not those of before and some later ones: then
    the causes are the conditions that may have flipped. A segment that is there no more is left without a cause.
    """
    now = Moment(readings, at)
    seen = keep(index, now)
    if kept is None or kept.policies != index.fingerprint:
        former, segments, due = NOTHING, _members(index, now), _earliest(index.timed, now)
    else:
        former = recall(kept, seen, now)
        measures = _affected(index, kept, seen, former)
        segments = _moved(index, frozenset(held), _candidates(measures, former, now), now)
        due = _due(index, kept, measures, former, now)
    entered, left = segments - held, frozenset(held) - segments
    moved = [index.roots[name] for name in sorted(entered | left) if name in index.roots]
    causes = {root.name: tuple(causes_of(index, root.expression, former, now)) for root in moved}
    return Change(segments, replace(seen, due=due), entered, left, causes)


def _members(index: SegmentIndex, moment: Moment) -> frozenset[str]:
    return frozenset(name for name, root in index.roots.items() if root.holds(moment))


def _affected(index: SegmentIndex, kept: Kept, seen: Kept, former: Former) -> dict[Measure, None]:
    """The measures whose value the change of readings may have changed, and all that time may have."""
    found = dict.fromkeys(index.timed) if _time_counts(kept, seen.at) else {}
    found |= {index.standing[name]: None for name in _differing(kept.values, seen.values)}
    found |= {index.lasting[name]: None for name in _differing(kept.since, seen.since)}
    for stream in former.lost:
        found |= dict.fromkeys(index.windows[stream])
    for stream, facts in former.added.items():
        for fact in facts:
            found |= dict.fromkeys(index.touched_by(fact, stream, _FIELDS[stream]))
    return found


_FIELDS: Final = {stream: sorted(fields) for stream, fields in FIELDS.items()}


def _time_counts(kept: Kept, at: datetime) -> bool:
    return at < kept.at or (kept.due is not None and at >= kept.due)


def _differing(old: Mapping[str, object], new: Mapping[str, object]) -> set[str]:
    return {name for name, _ in old.items() ^ new.items()}


def _candidates(measures: Iterable[Measure], former: Former, now: Moment) -> set[int]:
    """The conditions that flipped, and of what is not known as it was, all."""
    found = set[int]()
    for measure in measures:
        was = former.of(measure.subject)
        if was is None:
            found.update(number for _, number in measure.asked)
        else:
            found.update(measure.questions.flipped(measure.value(was), measure.value(now)))
    return found


def _moved(index: SegmentIndex, held: frozenset[str], candidates: Iterable[int], now: Moment) -> frozenset[str]:
    """The segments after those conditions flipped, or some of them.

    Only those outside are looked at for which one flipped the way that helps to enter, and of those inside the others.
    """
    in_reach, at_risk = set[str](), set[str]()
    for number in candidates:
        reach = index.reach[number]
        holds = reach.holds(now)
        in_reach |= reach.by_truth if holds else reach.by_falsehood
        at_risk |= reach.by_falsehood if holds else reach.by_truth
    entered = {name for name in in_reach - held if index.roots[name].holds(now)}
    left = {name for name in at_risk & held if not index.roots[name].holds(now)}
    return (held | entered) - left


def _earliest(measures: Iterable[Measure], moment: Moment) -> datetime | None:
    return min((flip for measure in measures if (flip := measure.next_flip(moment)) is not None), default=None)


def _due(
    index: SegmentIndex, kept: Kept, measures: Mapping[Measure, None], former: Former, now: Moment
) -> datetime | None:
    """The earliest flip of all: of those affected, and of the others no other than was known, if it was theirs."""
    if _time_counts(kept, now.at) or (kept.due is not None and _was_theirs(kept.due, measures, former)):
        return _earliest(index.timed, now)
    flip = _earliest(measures, now)
    return flip if kept.due is None else kept.due if flip is None else min(flip, kept.due)


def _was_theirs(due: datetime, measures: Iterable[Measure], former: Former) -> bool:
    """Whether the instant that was known may be a flip of one of these."""
    moments = [(measure, former.of(measure.subject)) for measure in measures]
    return any(was is None or measure.next_flip(was) == due for measure, was in moments)
