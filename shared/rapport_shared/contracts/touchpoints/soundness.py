"""Whether a document can be kept at all: JSON types alone, not too deep, text that PostgreSQL takes."""

import math
from typing import Any

from rapport_shared.contracts.touchpoints.errors import FieldError, fault
from rapport_shared.contracts.touchpoints.fields import MAX_DEPTH

_INTEGERS = range(-(2**63), 2**63)


class Unsound(Exception):
    """A part of a document that cannot be kept; `path` is gathered from the inside out."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.path: list[str | int] = []


def soundness_fault(document: object) -> FieldError | None:
    """The first part of `document` that cannot be kept, or None. Its cost is one visit of every value."""
    try:
        _visit(document, MAX_DEPTH)
    except Unsound as flaw:
        return fault(flaw.code, *reversed(flaw.path))
    return None


def _visit(value: Any, depth: int) -> None:
    kind = value.__class__
    if kind is str:
        if "\0" in value or not (value.isascii() or is_encodable(value)):
            raise Unsound("text")
    elif kind is dict:
        _visit_members(value, depth - 1)
    elif kind is list:
        _visit_items(value, depth - 1)
    elif kind is int:
        if value not in _INTEGERS:
            raise Unsound("out_of_range")
    elif kind is float:
        if not math.isfinite(value):
            raise Unsound("out_of_range")
    elif not (value is None or kind is bool):
        raise Unsound("wrong_type")


def _visit_members(members: dict[Any, Any], depth: int) -> None:
    if depth < 0:
        raise Unsound("too_deep")
    for name, value in members.items():
        if name.__class__ is not str:
            raise Unsound("wrong_type")
        try:
            if not name.isascii() or "\0" in name:
                _visit(name, depth)
            _visit(value, depth)
        except Unsound as flaw:
            flaw.path.append(name)
            raise


def _visit_items(items: list[Any], depth: int) -> None:
    if depth < 0:
        raise Unsound("too_deep")
    for index, value in enumerate(items):
        try:
            _visit(value, depth)
        except Unsound as flaw:
            flaw.path.append(index)
            raise


def is_encodable(text: str) -> bool:
    """Whether a text has no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
