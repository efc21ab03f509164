"""How long a consumer rests between two batches."""

from collections.abc import Callable
from dataclasses import dataclass

FULL_REST_LOAD = 0.5
"""From this load on a consumer takes its longest rest."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The shortest and the longest rest after a batch, in seconds.

    The rest grows in proportion to the consumer's load, and reaches `longest` when the consumer is busy half of its
    time. A batch has a fixed cost, so rests make batches larger and records cheaper. A consumer that waits for records
    has no load: it takes the first of them at once, whatever its pace.
    """

    shortest: float
    longest: float

    def rest(self, busy: float, idle: float) -> float:
        """The rest after a batch that took `busy` seconds and came after `idle` seconds without work."""
        load = busy / (busy + idle) if busy > 0 else 0.0
        return self.shortest + (self.longest - self.shortest) * min(1.0, load / FULL_REST_LOAD)


class Pacer:
    """Measures the load of one consumer, by a clock that only runs forward, and says how long the consumer rests."""

    def __init__(self, pace: Pace, time: Callable[[], float]) -> None:
        self._pace = pace
        self._time = time
        self._began = self._ended = time()

    def begin(self) -> None:
        """Notes that work begins; the time since the last work was idle."""
        self._began = self._time()

    def rest(self) -> float:
        """Notes that the work has ended; returns how long to rest."""
        idle, self._ended = self._began - self._ended, self._time()
        return self._pace.rest(self._ended - self._began, idle)


def urgent_pace(longest: float) -> Pace:
    """The pace of a consumer whose result a user waits for."""
    return Pace(0.0, longest)


def background_pace(longest: float) -> Pace:
    """The pace of a consumer in the background: it rests at least half of `longest`."""
    return Pace(longest / 2, longest)
