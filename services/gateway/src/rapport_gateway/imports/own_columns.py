"""Columns of the deployment's own fields: the names by which they are known, and how a cell becomes a value.

What a cell cannot be stays as it is written: the check that every touchpoint meets then says what is wrong with it.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from rapport_gateway.imports.dates import DateReader
from rapport_gateway.imports.sheets import NumberText
from rapport_shared.own_fields import OwnField, OwnRules
from rapport_shared.own_fields.declarations import PROFILE_KIND

YES: Final = frozenset({"yes", "y", "true", "1", "x", "是", "有", "✓", "√"})
NO: Final = frozenset({"no", "n", "false", "0", "否", "无"})
OWN_DATES: Final = frozenset({"date", "instant"})
_WHOLE: Final = re.compile(r"([+-]?\d{1,16})(\.0+)?")
_DECIMAL: Final = re.compile(r"([+-]?)0*(\d{1,15})(\.\d{1,6})?0*")
_BETWEEN: Final = re.compile(r"\s*[;；、|]\s*")


def own_columns(rules: OwnRules) -> Mapping[str, OwnField]:
    """The own fields that a row of a sheet may state: those of the profile that it reports."""
    return {name: rule.field for name, rule in rules.touchpoints(PROFILE_KIND).rules.items()}


def names_of(name: str, field: OwnField) -> Iterator[str]:
    """The headers by which a field is known: its name, its labels, and its labels with its name."""
    yield name
    for label in (field.labels.en, field.labels.zh):
        yield label
        yield f"{label} ({name})"


def headers_of(fields: Mapping[str, OwnField], language: Literal["en", "zh"], taken: frozenset[str]) -> Iterator[str]:
    """A header for each field in a language, with the field's name if the label means another column too."""
    labels = [getattr(field.labels, language) for field in fields.values()]
    for name, label in zip(fields, labels, strict=True):
        yield f"{label} ({name})" if label in taken or labels.count(label) > 1 else label


def as_value(field: OwnField, text: str, dates: DateReader, zone: ZoneInfo, separator: str | None) -> Any:
    """A cell as a value of a field; options by code or by label."""
    match field.type:
        case "integer":
            whole = _WHOLE.fullmatch(text)
            return int(whole[1]) if whole else text
        case "decimal":
            return _decimal(text)
        case "boolean":
            word = text.casefold()
            return word in YES if word in YES | NO else text
        case "date":
            day = dates.day(text)
            return day.isoformat() if day else text
        case "instant":
            instant = dates.instant(text, zone)
            return instant.astimezone(UTC).isoformat() if instant else text
        case "option":
            return _code(field, _plain(text))
        case "options":
            parts = text.split(separator) if separator else _BETWEEN.split(text)
            return [_code(field, part.strip()) for part in parts if part.strip()]
        case _:
            return _plain(text)


def _plain(text: str) -> str:
    """A cell that a spreadsheet made a number of, as somebody typed it."""
    whole = _WHOLE.fullmatch(text) if isinstance(text, NumberText) else None
    return whole[1] if whole else str(text)


def _decimal(text: str) -> str:
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return text
    fraction = (found[3] or "").rstrip("0").rstrip(".")
    return f"{'-' if found[1] == '-' else ''}{found[2]}{fraction}"


def _code(field: OwnField, text: str) -> str:
    options = field.options or {}
    if text in options:
        return text
    word = text.casefold()
    return next((code for code, labels in options.items() if word in _words(code, labels)), text)


def _words(code: str, labels: Any) -> set[str]:
    return {code.casefold(), labels.en.casefold(), labels.zh.casefold()}
