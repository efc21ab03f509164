"""All relations of a customer in pages, as the live run of the view knows them."""

from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.view.facts import optional_instant
from rapport_shared.contracts.customer import ACYCLIC_RELATIONS
from rapport_shared.database import Database, Row
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.pages import decode_cursor, encode_cursor

_PAGE = """
WITH outgoing AS (
    SELECT r.type, coalesce(m.customer_id, r.to_profile) AS customer_id, max(r.stated_at) AS stated_at,
           bool_or(r.manual) AS manual
    FROM membership own JOIN relation r USING (profile_id) LEFT JOIN membership m ON m.profile_id = r.to_profile
    WHERE own.customer_id = $1 GROUP BY 1, 2
), incoming AS (
    SELECT r.type, m.customer_id, max(r.stated_at) AS stated_at, bool_or(r.manual) AS manual
    FROM membership own JOIN relation r ON r.to_profile = own.profile_id
    JOIN membership m ON m.profile_id = r.profile_id
    WHERE own.customer_id = $1 GROUP BY 1, 2
), lines AS (
    SELECT 'outgoing' AS direction, * FROM outgoing
    UNION ALL SELECT 'incoming', * FROM incoming WHERE customer_id <> $1
)
SELECT l.*, v.identity, EXISTS (SELECT FROM outgoing o JOIN incoming i USING (type, customer_id)
                                WHERE o.type = l.type AND o.customer_id = l.customer_id) AS mutual
FROM lines l LEFT JOIN customer_view v ON v.customer_id = l.customer_id
WHERE ($2::text IS NULL OR l.type = $2) AND ($3::text IS NULL OR direction = $3)
AND ($4::text IS NULL OR (direction, l.type, l.customer_id) > ($4, $5, $6::uuid))
ORDER BY direction, l.type, l.customer_id LIMIT $7
"""


async def page_of(
    database: Database, customer_id: UUID, type_: str | None, direction: str | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of a customer's relations. Raises a 422 for a cursor that is not of this list."""
    after = _position(cursor) if cursor else (None, None, None)
    rows = await database.fetch(_PAGE, customer_id, type_, direction, *after, limit + 1)
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
