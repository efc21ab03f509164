"""When time alone moves a customer."""

import heapq
from datetime import datetime
from typing import Final

from rapport_scoring.domain.segments.index import Measure, Moment, SegmentIndex
from rapport_scoring.domain.segments.readings import CustomerReadings

PATIENCE: Final = 200
"""How many conditions may flip without moving anybody before the next flip is answered as it is."""


def next_change(index: SegmentIndex, readings: CustomerReadings, at: datetime) -> datetime | None:
    """The first instant after `at` at which time alone moves the customer into a segment, or out of one.

    None is never. After so many flips as `PATIENCE` says that moved nobody it is the instant of the next, which may
    move nobody either; before the instant, in any case, nothing changes.
    """
    present = Moment(readings, at)
    ahead: list[tuple[datetime, int, Measure]] = []
    for measure in index.timed:
        _push(ahead, measure, present)
    for _ in range(PATIENCE):
        if not ahead:
            return None
        then = present.later(ahead[0][0])
        flipping = _pop(ahead, then.at)
        names = {name for measure in flipping for name in measure.segments}
        if any(index.roots[name].holds(then) is not index.roots[name].holds(present) for name in names):
            return then.at
        for measure in flipping:
            _push(ahead, measure, then)
    return ahead[0][0] if ahead else None


def _push(ahead: list[tuple[datetime, int, Measure]], measure: Measure, moment: Moment) -> None:
    flip = measure.next_flip(moment)
    if flip is not None:
        heapq.heappush(ahead, (flip, measure.number, measure))


def _pop(ahead: list[tuple[datetime, int, Measure]], instant: datetime) -> list[Measure]:
    """Takes all that flip at the instant, which is the first."""
    found = []
    while ahead and ahead[0][0] == instant:
        found.append(heapq.heappop(ahead)[2])
    return found
