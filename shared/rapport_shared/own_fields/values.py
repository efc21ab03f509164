"""The values of own fields: one test a type. Nothing here repeats a value."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from rapport_shared.contracts.touchpoints.fields import Day, Instant
from rapport_shared.contracts.touchpoints.soundness import is_encodable

T = TypeVar("T")

Value: TypeAlias = Any
"""A JSON value."""

Boundary: TypeAlias = Any
"""An integer, a `Decimal`, a date or an instant, of one field always the same; None for no limit."""

LARGEST_INTEGER: Final = 2**53 - 1
"""Beyond it JavaScript and spreadsheets round."""

_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_DAY: Final[TypeAdapter[date]] = TypeAdapter(Day)
_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)


@dataclass(frozen=True, slots=True)
class Limits:
    """What values of a field must keep to, parsed once."""

    length: int = 200
    minimum: Boundary = None
    maximum: Boundary = None
    options: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value, in the words of a problem; empty words for those of the code."""

    code: str
    because: str = ""


def value_fault(type_: str, limits: Limits, value: Value) -> Fault | None:
    """What is wrong with `value` as one of a field of `type_`; None for a sound one."""
    return _TESTS[type_](limits, value)


def lookup_key(name: str, value: Value) -> str | None:
    """What finds the things with this value of a field, whatever its case and spaces; None for a value that has none.

    It is kept beside the value alone: no secret is in it.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = " ".join(str(value).split()).casefold()
    return hashlib.sha256(f"attributes.{name}:{text}".encode()).hexdigest()


def boundary(type_: str, limit: int | str | None) -> Boundary:
    """A limit as values of `type_` compare with it. Raises `ValueError` for one that is no such value."""
    if limit is None:
        return None
    read = _READERS.get(type_)
    if read is None:
        raise ValueError(f"minimum and maximum are no limits of the type {type_}")
    found = read(limit)
    if found is None:
        raise ValueError(f"a limit must be a value of the type {type_}")
    return found


def _integer(value: Value) -> int | None:
    return value if type(value) is int and abs(value) <= LARGEST_INTEGER else None


def _decimal(value: Value) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def _day(value: Value) -> date | None:
    return _parsed(_DAY, value)


def _instant(value: Value) -> datetime | None:
    return _parsed(_INSTANT, value)


def _parsed(adapter: TypeAdapter[T], value: Value) -> T | None:
    if not isinstance(value, str):
        return None
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


_READERS: Final[dict[str, Callable[[Value], Boundary]]] = {
    "integer": _integer,
    "decimal": _decimal,
    "date": _day,
    "instant": _instant,
}
_FORMS: Final = {
    "integer": Fault("wrong_type", "must be an integer"),
    "decimal": Fault("wrong_format", 'must be a decimal number as a string, such as "12.50"'),
    "date": Fault("date"),
    "instant": Fault("time"),
}


def _ordered(type_: str) -> Callable[[Limits, Value], Fault | None]:
    read, form = _READERS[type_], _FORMS[type_]

    def test(limits: Limits, value: Value) -> Fault | None:
        found: Any = read(value)
        if found is None:
            return form
        if limits.minimum is not None and found < limits.minimum:
            return Fault("out_of_range", "is below the minimum")
        if limits.maximum is not None and found > limits.maximum:
            return Fault("out_of_range", "is above the maximum")
        return None

    return test


def _text(limits: Limits, value: Value) -> Fault | None:
    if not isinstance(value, str):
        return Fault("wrong_type", "must be a text")
    if "\0" in value or not (value.isascii() or is_encodable(value)):
        return Fault("text")
    if not value.strip():
        return Fault("too_short")
    return Fault("too_large", f"may have {limits.length} characters") if len(value) > limits.length else None


def _boolean(limits: Limits, value: Value) -> Fault | None:
    return None if isinstance(value, bool) else Fault("wrong_type", "must be true or false")


def _option(limits: Limits, value: Value) -> Fault | None:
    if not isinstance(value, str):
        return Fault("wrong_type", "must be the code of an option")
    return None if value in limits.options else Fault("not_allowed", "is none of the options")


def _options(limits: Limits, value: Value) -> Fault | None:
    if not isinstance(value, list):
        return Fault("wrong_type", "must be a list of codes of options")
    if not value:
        return Fault("too_short")
    wrong = next((fault for item in value if (fault := _option(limits, item)) is not None), None)
    return wrong or (Fault("duplicate") if len(set(value)) < len(value) else None)


_TESTS: Final[dict[str, Callable[[Limits, Value], Fault | None]]] = {
    "text": _text,
    "boolean": _boolean,
    "option": _option,
    "options": _options,
    **{type_: _ordered(type_) for type_ in _READERS},
}
