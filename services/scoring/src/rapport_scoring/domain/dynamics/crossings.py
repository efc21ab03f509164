"""Thresholds with hysteresis on measured figures, and conditions that combine them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from rapport_scoring.domain.dynamics.trigger_policy import Above, Below
from rapport_scoring.domain.ledger.lines import beyond, exact


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure that a trigger compares, None if unknown, and the newest events that it comes from."""

    name: str
    value: Fraction | None
    unit: str
    events: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Crossing:
    """The state of a condition: entered, cleared, or neither (between its thresholds, or unknown)."""

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
    """Entered when all conditions are entered, cleared when any is cleared."""
    return Crossing(
        all(each.entered for each in crossings), any(each.cleared for each in crossings), _inputs(crossings)
    )


def any_of(*crossings: Crossing) -> Crossing:
    """Entered when any condition is entered, cleared when all are cleared."""
    return Crossing(
        any(each.entered for each in crossings), all(each.cleared for each in crossings), _inputs(crossings)
    )


def first_true(holds: Callable[[date], bool], after: date, until: date, stride_days: int) -> date | None:
    """The first day in (`after`, `until`] on which `holds`; None if none.

    Checks every `stride_days`-th day and bisects the first stride at whose end it holds. The result is exact if each
    period in which it holds before `until` lasts at least `stride_days` days; 1 checks every day.
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
    """The first day in (low, high] on which it holds, given that it holds on `high` and stays true once it is true."""
    while (high - low).days > 1:
        middle = low + (high - low) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _inputs(crossings: tuple[Crossing, ...]) -> tuple[Measured, ...]:
    # A name has one figure at an instant, and hashing a Measured is expensive.
    found: dict[str, Measured] = {}
    for each in crossings:
        for measured in each.inputs:
            found.setdefault(measured.name, measured)
    return tuple(found.values())
