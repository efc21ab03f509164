"""Lengths of time as policies write them: `30 minutes`, `12 hours`, `60 days`, `2 weeks`."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

LONGEST: Final = timedelta(days=1827)
"""Five years."""

_FORM: Final = re.compile(r"([0-9]{1,7}) (minute|hour|day|week)s?")
_UNITS: Final[Mapping[str, timedelta]] = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
}


def duration_of(text: Any) -> timedelta:
    """What `60 days` means; a day is 24 hours. Raises PydanticCustomError for what is none, for 0 and above 5 years."""
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if isinstance(text, timedelta):
        length = text
    elif found:
        length = int(found[1]) * _UNITS[found[2]]
    else:
        raise PydanticCustomError("duration", "Write a number and minutes, hours, days or weeks, such as `60 days`")
    if not timedelta(0) < length <= LONGEST:
        raise PydanticCustomError("duration_range", "A length of time is at least a minute and at most five years")
    return length


def text_of(length: timedelta) -> str:
    """The form that `duration_of` reads, in the largest unit that leaves no rest."""
    unit, one = next(
        ((unit, one) for unit, one in _UNITS.items() if not length % one), ("minute", timedelta(minutes=1))
    )
    count = length // one
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


Duration = Annotated[timedelta, BeforeValidator(duration_of), PlainSerializer(text_of, return_type=str)]
