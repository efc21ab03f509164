"""Keyset pages: a cursor is the sort key of the last row, opaque to callers."""

import base64
import json
from typing import Annotated, Any

from fastapi import Query

from rapport_shared.errors import VALIDATION, FieldProblem, Problem

MAX_LIMIT = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows of a page.")]
PageCursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def encode_cursor(*sort_key: Any) -> str:
    """An opaque cursor of a row's sort key (strings and numbers)."""
    return base64.urlsafe_b64encode(json.dumps(sort_key).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, parts: int) -> list[Any]:
    """The sort key in `cursor`. Raises a 422 for one that this API did not make."""
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        key = None
    if not isinstance(key, list) or len(key) != parts:
        place = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
        raise Problem(VALIDATION, "The cursor is not valid.", errors=[place])
    return key
