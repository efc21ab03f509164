"""What is wrong with a touchpoint: a place, a code, a sentence; never the value that was sent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

LIMIT_OF_ERRORS: Final = 50

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")

_MESSAGES: Final = {
    "missing": "is required",
    "unknown_field": "is not a field of this kind",
    "unknown_kind": "is not a kind of touchpoint",
    "wrong_type": "has the wrong JSON type",
    "wrong_format": "does not have the form that is asked for",
    "not_allowed": "is none of the values that are allowed",
    "too_large": "is longer than allowed",
    "too_short": "is shorter than allowed, or empty",
    "too_deep": "is nested too deep",
    "out_of_range": "is outside the range that is allowed",
    "text": "has a character that cannot be kept (NUL or half of a surrogate pair)",
    "time": "is not an instant in RFC 3339 with offset, of the years 1900 to 2999",
    "date": "is not a date of the form 2026-03-01, of the years 1900 to 2999",
    "time_ahead": "is more than five minutes ahead",
    "currency": "is not a currency of ISO 4217",
    "sum_mismatch": "does not equal the sum of its parts",
    "duplicate": "occurs twice",
    "conflict": "may not be given together with another field",
    "erased": "says erased, which no channel may say",
}

_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "literal_error": "not_allowed",
    "enum": "not_allowed",
    "string_unicode": "text",
    "string_too_long": "too_large",
    "too_long": "too_large",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_pattern_mismatch": "wrong_format",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "datetime_parsing": "time",
    "datetime_from_date_parsing": "time",
    "uuid_parsing": "wrong_format",
    "uuid_version": "wrong_format",
    "greater_than_equal": "out_of_range",
    "greater_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "int_parsing_size": "out_of_range",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault. `pointer` is a JSON pointer (RFC 6901) into the touchpoint, `""` the touchpoint itself."""

    pointer: str
    code: str
    message: str


class TouchpointInvalid(ValueError):
    """A touchpoint that cannot be taken. Neither it nor its errors repeat what was sent."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors: list[FieldError] = list(errors)[:LIMIT_OF_ERRORS]
        super().__init__("; ".join(f"{error.pointer or '/'} {error.message}" for error in self.errors[:5]))


def fault(code: str, *place: str | int, because: str = "") -> FieldError:
    """The error `code` at `place`; `because` replaces the sentence of the code and must hold nothing that was sent."""
    return FieldError(pointer_of(place), code, because or _MESSAGES[code])


def pointer_of(place: Iterable[str | int]) -> str:
    """The JSON pointer of `place`, ended before the first name that does not look like one: it may be personal."""
    pointer = ""
    for step in place:
        name = str(step)
        if isinstance(step, str) and _PLAIN_NAME.fullmatch(name) is None:
            break
        pointer += f"/{name}"
    return pointer


def faults_of(error: ValidationError) -> list[FieldError]:
    """The faults that pydantic found, in this module's words (its own may quote the input)."""
    found = error.errors(include_url=False, include_context=True, include_input=False)
    return [_fault_of(item["type"], item["loc"], item.get("ctx", {})) for item in found[:LIMIT_OF_ERRORS]]


def _fault_of(kind: str, place: tuple[str | int, ...], context: dict[str, object]) -> FieldError:
    code = _CODES.get(kind) or (kind if kind in _MESSAGES else "wrong_type")
    if code == "not_allowed" and "expected" in context:
        return fault(code, *place, because=f"must be {context['expected']}")
    return fault(code, *place)
