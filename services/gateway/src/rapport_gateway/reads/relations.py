"""All relations of a customer in pages, as the live run of the view knows them."""

from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import relations
from rapport_gateway.view.facts import optional_instant
from rapport_shared.contracts.customer import ACYCLIC_RELATIONS
from rapport_shared.database import Row
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.pages import decode_cursor, encode_cursor


async def page_of(
    view: LiveView, customer_id: UUID, type_: str | None, direction: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of a customer's relations. Raises a 422 for a cursor that is not of this list."""
    after = _position(cursor) if cursor else None
    async with view.live.connection() as connection:
        rows = await relations.page(connection, customer_id, type_, direction, after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "relations": [_line(customer_id, row) for row in rows[:limit]],
        "next_cursor": encode_cursor(last["direction"], last["type"], str(last["customer_id"])) if last else None,
    }


def _position(cursor: str) -> tuple[str, str, UUID]:
    direction, type_, customer_id = decode_cursor(cursor, 3)
    try:
        return str(direction), str(type_), UUID(customer_id)
    except (ValueError, TypeError, AttributeError):
        place = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
        raise Problem(VALIDATION, "The cursor is not valid.", errors=[place]) from None


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
