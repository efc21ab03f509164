"""Which profile is part of which customer."""

from collections.abc import Collection
from uuid import UUID

from rapport_shared.database import Connection


async def members(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The profiles of each customer, in order; none for one that was merged away."""
    rows = await connection.fetch(
        "SELECT customer_id, profile_id FROM membership WHERE customer_id = ANY($1) ORDER BY customer_id, profile_id",
        list(customer_ids),
    )
    found: dict[UUID, list[UUID]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        found[row["customer_id"]].append(row["profile_id"])
    return found


async def customers_of(connection: Connection, profile_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile that is known."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id FROM membership WHERE profile_id = ANY($1)", list(profile_ids)
    )
    return {row["profile_id"]: row["customer_id"] for row in rows}
