"""What the view keeps of the changes of customers' owners, and of what an owner looks after."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.store.facts import as_fact
from rapport_gateway.view.facts import Fact
from rapport_shared.database import Connection
from rapport_shared.units import lies_in_sql


async def of_customer(connection: Connection, customer_id: UUID) -> list[tuple[dict[str, Any], datetime]]:
    """The hand-overs that the profiles of a customer report, each with the moment; the oldest first."""
    rows = await connection.fetch(
        "SELECT f.data, f.recorded_at FROM membership m JOIN fact f USING (profile_id) "
        "WHERE m.customer_id = $1 AND f.type = 'customer.profile_changed' AND f.data LIKE '%\"hand_over\":{%' "
        "ORDER BY f.recorded_at, f.event_id",
        customer_id,
    )
    return [(orjson.loads(row["data"])["hand_over"], row["recorded_at"]) for row in rows]


async def facts_at(connection: Connection, profile_ids: Sequence[UUID], customer_id: UUID, at: datetime) -> list[Fact]:
    """The tickets, promises and score of a customer by what had been recorded until `at`."""
    rows = await connection.fetch(
        "SELECT f.* FROM fact f WHERE f.profile_id = ANY($1) AND f.recorded_at <= $2 AND (f.type LIKE 'ticket.%' "
        "OR f.type = 'interaction.recorded' AND f.data LIKE '%\"promises\"%' AND NOT EXISTS ("
        "  SELECT FROM fact e WHERE e.interaction_id = f.interaction_id AND e.type = 'interaction.retracted' "
        "  AND e.recorded_at <= $2 AND e.data::jsonb ->> 'event_id' = f.event_id::text)) "
        "UNION ALL (SELECT * FROM fact WHERE type = 'score.updated' AND subject = $3 AND recorded_at <= $2 "
        "ORDER BY recorded_at DESC LIMIT 1)",
        list(profile_ids),
        at,
        str(customer_id),
    )
    return [as_fact(row) for row in rows]


async def looked_after(connection: Connection, owner: str, unit: str) -> list[tuple[UUID, UUID]]:
    """The customers of an owner, those of a unit or all where it is empty, each with one of its profiles."""
    rows = await connection.fetch(
        "SELECT v.customer_id, m.profile_id FROM customer_view v JOIN membership m USING (customer_id) "
        "WHERE v.moved_to IS NULL AND v.identity::jsonb ->> 'owner' = $1 AND ($2 = '' OR EXISTS ("
        f"  SELECT FROM unnest(v.units) AS own (unit) WHERE {lies_in_sql('unit', '$2')}))",
        owner,
        unit,
    )
    return [(row["customer_id"], row["profile_id"]) for row in rows]
