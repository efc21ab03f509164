"""The events of customers' scores, and what of them the view shows."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from rapport_gateway.projection.store.facts import as_fact
from rapport_gateway.projection.store.tables import OF_SCORE
from rapport_gateway.view.facts import Fact
from rapport_shared.database import Connection

_SHOWN: Final = f"""
SELECT coalesce((SELECT sequence FROM fact WHERE subject = $1::text AND {OF_SCORE}
                 ORDER BY occurred_at DESC, event_id DESC LIMIT 1), 0) AS newest,
       moved_to IS NOT NULL AS moved, coalesce((commerce::jsonb -> 'settling')::boolean, true) AS settling
FROM customer_view WHERE customer_id = $1::uuid
"""
_DECIDED: Final = (
    f"SELECT * FROM fact WHERE subject = $1 AND {OF_SCORE} AND type = ANY($2) "
    "AND ($3::text IS NULL OR data::jsonb ->> 'segment' = $3) ORDER BY occurred_at DESC, event_id DESC LIMIT $4"
)


class ShownScore(NamedTuple):
    """The sequence of the newest event of a customer's score, and the state of the customer's row."""

    newest: int
    moved: bool
    settling: bool


async def shown(connection: Connection, customer_id: UUID) -> ShownScore | None:
    """What the view shows of a customer's score; None for a customer without a row."""
    row = await connection.fetchrow(_SHOWN, str(customer_id))
    return None if row is None else ShownScore(*row)


async def decided(
    connection: Connection, customer_id: UUID, types: Sequence[str], segment: str | None, limit: int
) -> list[Fact]:
    """The latest decisions about a customer of some types of events, of one segment where it is named."""
    rows = await connection.fetch(_DECIDED, str(customer_id), list(types), segment, limit)
    return [as_fact(row) for row in rows]
