"""The query parameters of lists in pages."""

from typing import Annotated

from fastapi import Query

MAX_LIMIT = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows of a page.")]
PageCursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]
