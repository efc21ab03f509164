"""Normal forms of names and birth dates."""

import re
from datetime import date

from rapport_shared.normalisation.forms import NormalForm, fold, form

_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])")
_DATE = re.compile(r"([0-9]{4})(?:[-/.年] ?)([0-9]{1,2})(?:[-/.月] ?)([0-9]{1,2})日?|([0-9]{4})([0-9]{2})([0-9]{2})")


def normalise_name(value: str) -> NormalForm:
    """One width, white space collapsed, none between Chinese characters. Case stays, for it is part of the name."""
    return form(value, _BETWEEN_HAN.sub("", fold(value)))


def normalise_birth_date(value: str) -> NormalForm:
    """`1985-03-01` from the forms that put the year first; what is no date is kept folded and flagged `unparsed`.

    A form with the day or month first is not guessed at.
    """
    folded = fold(value)
    found = _DATE.fullmatch(folded)
    if found is None:
        return form(value, folded, "unparsed")
    try:
        day = date(*(int(part) for part in found.groups() if part is not None))
    except ValueError:
        return form(value, folded, "unparsed")
    return form(value, day.isoformat())
