"""Thresholds with hysteresis over measured figures, and how several of them make one condition."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from rapport_scoring.domain.dynamics.trigger_policy import Above, Below
from rapport_scoring.domain.ledger.lines import beyond, exact


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure that a trigger looks at, None where it is unknown, and (the newest of) the events it rests on."""

    name: str
    value: Fraction | None
    unit: str
    events: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Crossing:
    """How a condition stands: entered, cleared, or neither (between its thresholds, or unknown)."""

    entered: bool
    cleared: bool
    inputs: tuple[Measured, ...]


def above(measured: Measured, band: Above) -> Crossing:
    """Entered above `enter`, cleared at `clear` or less."""
    value = measured.value
    if value is None:
        return Crossing(False, False, (measured,))
    return Crossing(beyond(value, exact(band.enter)), not beyond(value, exact(band.clear)), (measured,))


def below(measured: Measured, band: Below) -> Crossing:
    """Entered below `enter`, cleared at `clear` or more."""
    value = measured.value
    if value is None:
        return Crossing(False, False, (measured,))
    return Crossing(beyond(exact(band.enter), value), not beyond(exact(band.clear), value), (measured,))


def flag(measured: Measured) -> Crossing:
    """Entered while the figure is not 0, cleared while it is."""
    return Crossing(bool(measured.value), measured.value is not None and not measured.value, (measured,))


def all_of(*crossings: Crossing) -> Crossing:
    """Entered when all are, cleared when any is."""
    return Crossing(
        all(each.entered for each in crossings), any(each.cleared for each in crossings), _inputs(crossings)
    )


def any_of(*crossings: Crossing) -> Crossing:
    """Entered when any is, cleared when all are."""
    return Crossing(
        any(each.entered for each in crossings), all(each.cleared for each in crossings), _inputs(crossings)
    )


def first_true(holds: Callable[[date], bool], after: date, until: date, stride_days: int) -> date | None:
    """The first day in (`after`, `until`] on which `holds`; None if none.

    Looks at every `stride_days`-th day and bisects the stride in which it first holds, hence exact where it never
    holds for fewer than `stride_days` days on end before `until`; 1 looks at every day.
    """
    low = after
    for high in strides(after, until, stride_days):
        if holds(high):
            return _bisect(holds, low, high)
        low = high
    return None


def strides(after: date, until: date, stride_days: int) -> Iterator[date]:
    """Every `stride_days`-th day in (`after`, `until`], and `until`."""
    for offset in range(stride_days, (until - after).days, stride_days):
        yield after + timedelta(days=offset)
    if after < until:
        yield until


def _bisect(holds: Callable[[date], bool], low: date, high: date) -> date:
    """The first day in (low, high] that holds, where all before it do not and `high` does."""
    while (high - low).days > 1:
        middle = low + (high - low) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _inputs(crossings: tuple[Crossing, ...]) -> tuple[Measured, ...]:
    # Of one name there is one figure at an instant, and hashing what is measured is dear.
    found: dict[str, Measured] = {}
    for each in crossings:
        for measured in each.inputs:
            found.setdefault(measured.name, measured)
    return tuple(found.values())
