"""All relations of a customer in pages, as the live run of the view knows them."""

from functools import partial
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import relations
from rapport_gateway.view.facts import optional_instant
from rapport_shared.contracts.customer import ACYCLIC_RELATIONS
from rapport_shared.database import Row


async def page_of(
    view: LiveView, customer_id: UUID, type_: str | None, direction: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of a customer's relations. Raises a 422 for a cursor that is not of this list."""
    async with view.live.connection() as connection:
        page = await relations.BY_LINE.page(
            cursor,
            limit,
            partial(relations.page, connection, customer_id, type_, direction),
            lambda row: (row["direction"], row["type"], row["customer_id"]),
        )
    return {"relations": [_line(customer_id, row) for row in page.items], "next_cursor": page.next_cursor}


def _line(own: UUID, row: Row) -> dict[str, Any]:
    name = orjson.loads(row["identity"])["display_name"] if row["identity"] else None
    return {
        "direction": row["direction"],
        "type": row["type"],
        "customer_id": str(row["customer_id"]),
        "display_name": name if isinstance(name, str) else None,
        "stated_at": optional_instant(row["stated_at"]),
        "manual": row["manual"],
        "cyclic": row["customer_id"] == own or (row["mutual"] and row["type"] in ACYCLIC_RELATIONS),
    }
