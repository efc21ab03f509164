"""The clock. Callers pass it in; no other module of Rapport reads the wall clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Answers the present instant, aware and in UTC."""


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


def next_recorded(now: datetime, last: datetime | None) -> datetime:
    """The record time of an aggregate's next event: later than its last, whatever the clock did.

    Call it while the aggregate is locked; it makes record times strictly increasing per aggregate.
    """
    if last is None or now > last:
        return now
    return last + timedelta(microseconds=1)
