"""The types of single fields, with their limits."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StringConstraints
from pydantic_core import PydanticCustomError

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii
from rapport_shared.contracts.touchpoints.currency import MINOR_DIGITS

MAX_TEXT_BYTES: Final = 64 * 1024
MAX_TOUCHPOINT_BYTES: Final = 256 * 1024
MAX_BATCH: Final = 500
MAX_BATCH_BYTES: Final = 5 * 1024 * 1024
MAX_DEPTH: Final = 16
MAX_AMOUNT: Final = 10**15
"""In minor units. A sum over a full document stays inside both PostgreSQL's bigint and JavaScript's integers."""

_YEARS = range(1900, 3000)


def _short_enough(text: str) -> str:
    if len(text) > MAX_TEXT_BYTES // 4 and len(text.encode()) > MAX_TEXT_BYTES:
        raise PydanticCustomError("too_large", "too large")
    return text


def _instant_form(value: Any) -> Any:
    # Without this a number would be taken for seconds since 1970, and a date for its midnight.
    if isinstance(value, str):
        if len(value) >= 20 and value[10] in "Tt" and value[:4].isdigit():
            return value
    elif isinstance(value, datetime):
        return value
    raise PydanticCustomError("time", "not an instant")


def _known_instant(value: datetime) -> datetime:
    if value.tzinfo is None or value.year not in _YEARS:
        raise PydanticCustomError("time", "not an instant of these times")
    return value


def _day_form(value: Any) -> Any:
    if (isinstance(value, str) and len(value) == 10 and value[:4].isdigit()) or type(value) is date:
        return value
    raise PydanticCustomError("date", "not a date")


def _known_day(value: date) -> date:
    if value.year not in _YEARS:
        raise PydanticCustomError("date", "not a date of these times")
    return value


def _known_currency(code: str) -> str:
    if code not in MINOR_DIGITS:
        raise PydanticCustomError("currency", "not a currency")
    return code


def _canonical_quantity(text: str) -> str:
    whole, point, fraction = text.partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    return f"{whole}{point}{fraction}" if fraction else whole


Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_BYTES), AfterValidator(_short_enough)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"\S")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"\S")]
Number = Code
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
UnitPath = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^/\s\x00]+(/[^/\s\x00]+)*$")]
ChannelName = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z][a-z0-9_\-]*$")]
Instant = Annotated[datetime, BeforeValidator(_instant_form), AfterValidator(_known_instant)]
Day = Annotated[date, BeforeValidator(_day_form), AfterValidator(_known_day)]
Currency = Annotated[str, StringConstraints(min_length=3, max_length=3), AfterValidator(_known_currency)]
Quantity = Annotated[
    str,
    StringConstraints(max_length=19, pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$"),
    AfterValidator(_canonical_quantity),
]
Minor = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT)]
Rounding = Annotated[int, Field(strict=True, ge=-10_000, le=10_000)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=30 * 86_400)]
Revision = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Flag = StrictBool


class Money(Contract):
    """A sum ≥ 0 in integer minor units of its currency."""

    amount: Minor
    currency: Currency


class SourceRecord(Contract):
    """A record of another system. It names one profile exactly."""

    system: Code
    record: Reference


PersonalText = Pii[Text]
PersonalLine = Pii[Line]
