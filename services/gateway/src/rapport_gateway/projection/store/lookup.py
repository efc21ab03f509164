"""How customers are found: by identifiers, source records, own fields, assets and names."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from rapport_shared.database import Reading, Row
from rapport_shared.units import lies_in_sql

_BY_KEYS: Final = """
SELECT DISTINCT ON (customer_id) customer_id, reason, rank FROM (
    SELECT customer_id, 'record' AS reason, 0 AS rank FROM membership WHERE profile_id = ANY($2)
    UNION ALL
    SELECT m.customer_id, 'routed', 1 FROM route r JOIN membership m USING (profile_id) WHERE r.identifier_key = ANY($1)
    UNION ALL
    SELECT m.customer_id, 'holds', 2 FROM held_identifier h JOIN membership m USING (profile_id)
    WHERE h.identifier_key = ANY($1)
) found ORDER BY customer_id, rank
"""
_BY_ATTRIBUTE: Final = """
SELECT DISTINCT customer_id FROM (SELECT profile_id FROM held_identifier WHERE identifier_key = $1 LIMIT $2) holders
JOIN membership USING (profile_id)
"""
_BY_ASSETS: Final = """
SELECT DISTINCT m.customer_id FROM asset_key a JOIN membership m ON m.profile_id = a.holder WHERE a.asset_key = ANY($1)
"""
_BY_TEXT: Final = f"""
SELECT customer_id FROM customer_view WHERE search_text LIKE '%' || $1 || '%' AND moved_to IS NULL
AND ($4 = '' OR units = '{{}}' OR EXISTS (SELECT FROM unnest(units) AS own (unit) WHERE {lies_in_sql("unit", "$4")}))
ORDER BY public.similarity(search_text, $2) DESC, customer_id LIMIT $3
"""
_ROUTED: Final = """
SELECT identifier_key, customer_id FROM route JOIN membership USING (profile_id) WHERE identifier_key = ANY($1)
"""
_HOLDERS: Final = """
SELECT identifier_key, min(customer_id::text)::uuid AS customer_id
FROM held_identifier JOIN membership USING (profile_id)
WHERE identifier_key = ANY($1) GROUP BY identifier_key
"""


async def by_keys(view: Reading, keys: Sequence[str], records: Sequence[UUID]) -> list[Row]:
    """Customers by identifier keys or the profiles of source records, each with the best `reason` and its `rank`."""
    return await view.fetch(_BY_KEYS, list(keys), list(records))


async def by_attribute(view: Reading, key: str, limit: int) -> list[UUID]:
    """Customers with a stated value of an own field, from at most `limit` profiles."""
    return [row["customer_id"] for row in await view.fetch(_BY_ATTRIBUTE, key, limit)]


async def by_assets(view: Reading, keys: Sequence[str]) -> list[UUID]:
    """Customers that hold an asset which one of the keys finds."""
    return [row["customer_id"] for row in await view.fetch(_BY_ASSETS, list(keys))]


async def by_text(view: Reading, text: str, unit: str, limit: int) -> list[UUID]:
    """Customers whose name contains `text`, the most similar first: of `unit` or of none, all where it is empty."""
    pattern = text.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return [row["customer_id"] for row in await view.fetch(_BY_TEXT, pattern, text.casefold(), limit, unit)]


async def routed_customers(view: Reading, keys: Sequence[str]) -> dict[str, UUID]:
    """The customers that touches by identifier keys go to."""
    return {row["identifier_key"]: row["customer_id"] for row in await view.fetch(_ROUTED, list(keys))}


async def holding_customers(view: Reading, keys: Sequence[str]) -> dict[str, UUID]:
    """A customer that holds each identifier key, the same at every call."""
    return {row["identifier_key"]: row["customer_id"] for row in await view.fetch(_HOLDERS, list(keys))}


async def routed_profiles(view: Reading, keys: Collection[str]) -> dict[str, UUID | None]:
    """The profiles that touches by identifier keys go to, None where they go to nobody; of keys that have a route."""
    rows = await view.fetch("SELECT identifier_key, profile_id FROM route WHERE identifier_key = ANY($1)", list(keys))
    return {row["identifier_key"]: row["profile_id"] for row in rows}


async def blocked_keys(view: Reading, keys: Sequence[str]) -> set[str]:
    """Those of the identifier keys that are blocked."""
    rows = await view.fetch(
        "SELECT identifier_key FROM route WHERE identifier_key = ANY($1) AND target = 'blocked'", list(keys)
    )
    return {row["identifier_key"] for row in rows}
