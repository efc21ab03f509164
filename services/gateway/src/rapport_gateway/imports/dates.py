"""Dates as people write them. What does not tell day from month is not guessed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from rapport_gateway.imports.findings import Findings

Order = Literal["ymd", "dmy", "mdy"]
SerialDates = Literal[1900, 1904]

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{2}")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_CLOCK = re.compile(
    r"(?P<day>.*\d.*?)[T\s]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(:(?P<second>\d{2})(\.\d+)?)?", re.DOTALL
)
_SERIALS: Final = range(10_000, 75_000)
"""The days from 1927 to 2105 in the count that begins with 1900; a smaller number may be a year."""
_BEGINNINGS: Final = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads the dates of one column as it was decided; without a decision, those that need none."""

    order: Order | None = None
    serials: SerialDates | None = None

    def day(self, text: str) -> date | None:
        """The day, or None for what is no date here."""
        return next((found for found in self._readings(text) if found is not None), None)

    def instant(self, text: str, zone: ZoneInfo) -> datetime | None:
        """The instant: RFC 3339, or a date, with a time or at midnight, in `zone`. None for what is neither."""
        try:
            written = datetime.fromisoformat(text)
        except ValueError:
            written = None
        if written is not None and written.tzinfo is not None:
            return written.astimezone(UTC)
        clock = _CLOCK.fullmatch(text)
        day = self.day(clock["day"] if clock else text)
        if day is None:
            return None
        hours = (int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)) if clock else (0, 0, 0)
        if hours[0] > 23 or hours[1] > 59 or hours[2] > 59:
            return None
        return datetime.combine(day, time(*hours), zone).astimezone(UTC)

    def _readings(self, text: str) -> Iterator[date | None]:
        for pattern in (_YEAR_FIRST, _COMPACT):
            found = pattern.fullmatch(text)
            yield _date(int(found[1]), int(found[2]), int(found[3])) if found else None
        found = _YEAR_LAST.fullmatch(text)
        if found and self.order in ("dmy", "mdy"):
            first, second, year = int(found[1]), int(found[2]), int(found[3])
            yield _date(year, second, first) if self.order == "dmy" else _date(year, first, second)
        if self.serials is not None and is_serial(text):
            yield _BEGINNINGS[self.serials] + timedelta(days=int(float(text)))


@dataclass(slots=True)
class DateEvidence:
    """Rows of one column by what their dates say of the order. In those `alike`, day and month are the same."""

    day_first: list[int] = field(default_factory=list)
    month_first: list[int] = field(default_factory=list)
    either: list[int] = field(default_factory=list)
    alike: list[int] = field(default_factory=list)
    serial: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, cells: Iterable[tuple[int, str]]) -> "DateEvidence":
        """The evidence in cells, each with its row's number."""
        evidence = cls()
        for row, text in cells:
            evidence._weigh(row, _day_text(text))
        return evidence

    def _weigh(self, row: int, text: str) -> None:
        found = _YEAR_LAST.fullmatch(text)
        if found is None:
            if is_serial(text):
                self.serial.append(row)
            return
        first, second = int(found[1]), int(found[2])
        if first > 12 >= second:
            self.day_first.append(row)
        elif second > 12 >= first:
            self.month_first.append(row)
        else:
            (self.alike if first == second else self.either).append(row)


def decided(
    reader: DateReader, cells: Sequence[tuple[int, str]], findings: Findings, column: str, number: int
) -> DateReader:
    """The reader of a column: as decided, else as its dates themselves show. Notes what has to be decided."""
    evidence = DateEvidence.of(cells)
    if evidence.serial and reader.serials is None:
        findings.add("excel_serial", "stops", column, number, evidence.serial)
    if reader.order is not None:
        return reader
    if evidence.day_first and evidence.month_first:
        findings.add("mixed_date_orders", "stops", column, number, sorted(evidence.day_first + evidence.month_first))
    elif evidence.day_first or evidence.month_first:
        findings.add("date_order", "informs", column, number, evidence.day_first or evidence.month_first)
        return replace(reader, order="dmy" if evidence.day_first else "mdy")
    elif evidence.either:
        findings.add("ambiguous_date_order", "stops", column, number, evidence.either)
    elif evidence.alike:
        return replace(reader, order="dmy")
    return reader


def is_serial(text: str) -> bool:
    """Whether it may be a spreadsheet's number of days."""
    return bool(_SERIAL.fullmatch(text)) and int(float(text)) in _SERIALS


def has_short_year(text: str) -> bool:
    """Whether the year has two digits, so that nobody knows the century."""
    return bool(_SHORT_YEAR.fullmatch(text))


def _day_text(text: str) -> str:
    clock = _CLOCK.fullmatch(text)
    return clock["day"] if clock else text


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
