"""Lists in pages: a page goes on after the sort key of the last row, which an opaque cursor carries."""

import base64
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar
from uuid import UUID

from rapport_shared.errors import VALIDATION, FieldProblem, Problem

Item = TypeVar("Item")
Key = TypeVar("Key", bound=tuple[Any, ...])

_SQL_TYPES: Final[dict[type, str]] = {
    datetime: "timestamptz",
    UUID: "uuid",
    str: "text",
    int: "bigint",
    float: "float8",
}
_LARGEST: Final = 2**63


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The rows of a page, and the cursor of the next page; None after the last."""

    items: list[Item]
    next_cursor: str | None


class Keyset(Generic[Key]):
    """The sort key of a list, by the types of its parts. No two rows of the list have the same key."""

    def __init__(self, *types: type) -> None:
        self._types = types

    async def page(
        self,
        cursor: str | None,
        limit: int,
        fetch: Callable[[Key | None, int], Awaitable[Sequence[Item]]],
        key: Callable[[Item], Key],
    ) -> Page[Item]:
        """The page at `cursor`. `fetch` answers so many rows, in order, behind a key, or from the beginning.

        Raises a 422 for a cursor that is not of this list.
        """
        rows = await fetch(self.position(cursor), limit + 1)
        more = len(rows) > limit
        return Page(list(rows[:limit]), self.cursor(key(rows[limit - 1])) if more else None)

    def cursor(self, key: Key) -> str:
        """The opaque cursor of the page behind `key`."""
        parts = [_text(part) for part in key]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")

    def position(self, cursor: str | None) -> Key | None:
        """The key that a cursor carries; None without a cursor. Raises a 422 for one that is not of this list."""
        if cursor is None:
            return None
        try:
            parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            listed = _checked(list, parts)
            found: Any = tuple(_part(type_, part) for type_, part in zip(self._types, listed, strict=True))
        except (ValueError, RecursionError):
            place = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
            raise Problem(VALIDATION, "The cursor is not valid.", errors=[place]) from None
        key: Key = found
        return key

    def behind(self, columns: str, first: int, comparison: Literal["<", ">"] = "<") -> str:
        """The SQL condition of rows behind the key in the parameters from `$first` on, or of all rows if it is NULL.

        `columns` are the parts of the key, separated by commas; `<` is for a list in descending order.
        """
        typed = ", ".join(f"${first + place}::{_SQL_TYPES[type_]}" for place, type_ in enumerate(self._types))
        return f"(${first}::{_SQL_TYPES[self._types[0]]} IS NULL OR ({columns}) {comparison} ({typed}))"

    def parameters(self, key: Key | None) -> tuple[Any, ...]:
        """The parameters of `behind`."""
        return (None,) * len(self._types) if key is None else key


def _text(part: Any) -> Any:
    if isinstance(part, datetime):
        return part.isoformat()
    return str(part) if isinstance(part, UUID) else part


def _part(type_: type, part: Any) -> Any:
    """A part of a key out of a cursor. Raises ValueError for one that PostgreSQL would not take."""
    if type_ is datetime:
        instant = datetime.fromisoformat(_checked(str, part))
        if instant.tzinfo is None:
            raise ValueError("no offset")
        return instant
    if type_ is UUID:
        return UUID(_checked(str, part))
    found = _checked(type_, part)
    if isinstance(found, str) and "\x00" in found:
        raise ValueError("NUL")
    if isinstance(found, int | float) and not (math.isfinite(found) and -_LARGEST <= found < _LARGEST):
        raise ValueError("out of range")
    return found


def _checked(type_: type, part: Any) -> Any:
    if type(part) is not type_:
        raise ValueError("of another type")
    return part
