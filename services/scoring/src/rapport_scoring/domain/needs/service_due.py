"""When an asset's next service is due: by date, or by the mileage that its history leads one to expect."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_scoring.domain.facts import AssetEvent


class ServiceInterval(BaseModel):
    """An asset is due after so many calendar months or so much mileage since its last service, whichever is first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    months: Annotated[int, Field(ge=1, le=600)] | None = None
    mileage: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.months is None and self.mileage is None:
            raise ValueError("an interval needs months or mileage")
        return self


@dataclass(frozen=True, slots=True)
class ServiceDue:
    """An asset, the day its service is due, and what that rests on: the last service and mileage as known."""

    asset: str
    due_on: date
    by: str
    since: date
    last_mileage: int | None
    events: tuple[UUID, ...]


def service_due(
    asset: str, events: Iterable[AssetEvent], interval: ServiceInterval, history_days: int
) -> ServiceDue | None:
    """When the asset of these events is due; None where nothing tells.

    Counted from its last service, else from when it was first delivered or handed over. Its mileage is extrapolated
    from readings that lie at least `history_days` ≥ 1 apart. Events come in any order, with repeats.
    """
    known = sorted({each.event_id: each for each in events}.values(), key=lambda each: (each.day, each.event_id))
    if not known:
        return None
    base = next((each for each in reversed(known) if each.happened == "serviced"), known[0])
    readings = [(each.day, each.mileage) for each in known if each.mileage is not None]
    found: list[tuple[date, str]] = []
    if interval.months is not None:
        found.append((months_later(base.day, interval.months), "date"))
    reached = mileage_day(readings, base, interval.mileage, history_days)
    if reached is not None:
        found.append((reached, "mileage"))
    if not found:
        return None
    due_on, by = min(found)
    mileage = readings[-1][1] if readings else None
    return ServiceDue(asset, due_on, by, base.day, mileage, tuple(each.event_id for each in reversed(known))[:20])


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the last of that month where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def mileage_day(
    readings: Sequence[tuple[date, int]], base: AssetEvent, interval: int | None, history_days: int
) -> date | None:
    """The day on which mileage reaches that of `base` + `interval`, on the straight line through the first and last of
    `readings` (ascending); the day of the last reading if it is there already. None where the readings do not tell."""
    if interval is None or not readings or base.mileage is None:
        return None
    (first_day, first), (last_day, last) = readings[0], readings[-1]
    missing = base.mileage + interval - last
    if missing <= 0:
        return last_day
    days, driven = (last_day - first_day).days, last - first
    if days < history_days or driven <= 0:
        return None
    ahead = -(-Fraction(missing * days, driven) // 1)
    return last_day + timedelta(days=ahead) if ahead <= 36_500 else None
