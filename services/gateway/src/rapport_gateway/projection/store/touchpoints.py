"""What the facts say of touchpoints: recorded, quarantined, or not seen yet."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_shared.contracts.touchpoints import DOCUMENT_KINDS
from rapport_shared.database import Reading, Row

QUARANTINED: Final = "interaction.quarantined"
MENDED: Final = "interaction.quarantine_mended"
DISMISSED: Final = "interaction.quarantine_dismissed"

# The condition on the type is that of the index `fact_quarantine`.
_UNSETTLED: Final = (
    "NOT EXISTS (SELECT FROM fact settled WHERE settled.subject = fact.subject "
    f"AND settled.type LIKE 'interaction.quarantine%' AND settled.type IN ('{MENDED}', '{DISMISSED}'))"
)
_COUNT_QUARANTINED: Final = (
    f"SELECT count(*) FROM fact WHERE type LIKE 'interaction.quarantine%' AND type = '{QUARANTINED}' AND {_UNSETTLED}"
)
_OF_DOCUMENTS: Final = """
SELECT EXISTS (
    SELECT FROM fact named LEFT JOIN fact ended
        ON named.type = 'interaction.retracted' AND ended.event_id = (named.data::jsonb ->> 'event_id')::uuid
    WHERE named.event_id = ANY($1) AND coalesce(ended.kind, named.kind) = ANY($2)
)
"""
_RECORDED: Final = """
SELECT event_id, profile_id, kind, occurred_at, data FROM fact
WHERE type = 'interaction.recorded' AND profile_id IS NOT NULL
AND (event_id = ANY($1) OR touchpoint_id = ANY($1))
AND NOT EXISTS (SELECT FROM retraction WHERE retraction.event_id = fact.event_id)
"""
# Each EXISTS is in a LATERAL with a LIMIT, so that it stays a lookup by key and never becomes a scan of the facts.
_UNRECORDED: Final = """
SELECT count(*) AS among,
       count(*) FILTER (WHERE found IS NULL) AS missing,
       min(accepted_at) FILTER (WHERE found IS NULL) AS oldest
FROM (SELECT touchpoint_id, accepted_at FROM accepted_touchpoint ORDER BY accepted_at DESC LIMIT $1) lately
LEFT JOIN LATERAL (
    (SELECT true AS found FROM fact WHERE fact.event_id = lately.touchpoint_id LIMIT 1)
    UNION ALL
    (SELECT true FROM fact WHERE fact.touchpoint_id = lately.touchpoint_id LIMIT 1)
    LIMIT 1
) fact ON true
"""
# Each lookup is in a LATERAL, so that it stays a lookup by key and never becomes a scan of the facts.
_OUTCOMES: Final = """
SELECT asked.id, fact.type, fact.profile_id, fact.customer_id,
       CASE WHEN fact.type = 'interaction.quarantined' THEN fact.data END AS data
FROM unnest($1::uuid[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT f.type, f.profile_id, m.customer_id, f.data, 0 AS place FROM fact f
    LEFT JOIN membership m USING (profile_id) WHERE f.event_id = asked.id
    UNION ALL
    SELECT f.type, f.profile_id, NULL, f.data, 1 FROM fact f
    WHERE f.touchpoint_id = asked.id AND f.type = 'interaction.quarantined'
    ORDER BY place LIMIT 1
) fact
"""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Of the latest `among` accepted touchpoints, those that the view has not seen, and when the oldest came."""

    among: int
    missing: int
    oldest: datetime | None


async def known_events(view: Reading, event_ids: Collection[UUID]) -> set[UUID]:
    """Those of the events that are in the view."""
    rows = await view.fetch("SELECT event_id FROM fact WHERE event_id = ANY($1)", list(event_ids))
    return {row["event_id"] for row in rows}


async def naming(view: Reading, touchpoint_ids: Collection[UUID]) -> list[Row]:
    """Facts that name touchpoints without being their first recording."""
    return await view.fetch(
        "SELECT touchpoint_id, type, subject, data FROM fact WHERE touchpoint_id = ANY($1)", list(touchpoint_ids)
    )


async def history(view: Reading, touchpoint_id: UUID) -> list[Row]:
    """All facts of a touchpoint, the latest recorded first, each with whether it was retracted."""
    return await view.fetch(
        "SELECT event_id, type, subject, profile_id, interaction_id, recorded_at, data, "
        "EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = fact.event_id) AS retracted "
        "FROM fact WHERE event_id = $1 OR touchpoint_id = $1 ORDER BY recorded_at DESC",
        touchpoint_id,
    )


async def conflicts(view: Reading, touchpoint_id: UUID) -> list[datetime]:
    """When other bodies came under the id of a touchpoint that are in quarantine still."""
    rows = await view.fetch(
        "SELECT recorded_at FROM fact WHERE type = 'interaction.quarantined' "
        f"AND data::jsonb ->> 'conflict_of' = $1::text AND {_UNSETTLED} ORDER BY recorded_at",
        str(touchpoint_id),
    )
    return [row["recorded_at"] for row in rows]


async def count_quarantined(view: Reading) -> int:
    """How many touchpoints are in quarantine."""
    count: int = (await view.fetch(_COUNT_QUARANTINED))[0][0]
    return count


async def are_of_documents(view: Reading, event_ids: Collection[UUID]) -> bool:
    """Whether one of the events records or retracts a commerce document."""
    found: bool = (await view.fetch(_OF_DOCUMENTS, list(event_ids), sorted(DOCUMENT_KINDS)))[0][0]
    return found


async def recorded(view: Reading, ids: Collection[UUID]) -> list[Row]:
    """The recordings by events or touchpoints that belong to a profile and were not retracted."""
    return await view.fetch(_RECORDED, list(ids))


async def unrecorded(view: Reading, limit: int) -> Unrecorded:
    """How many of the latest accepted touchpoints the view has not seen; looks at `limit` of them."""
    row = (await view.fetch(_UNRECORDED, limit))[0]
    return Unrecorded(row["among"], row["missing"], row["oldest"])


async def outcomes(view: Reading, touchpoint_ids: Sequence[UUID]) -> list[Row]:
    """What the view knows of touchpoints: of each the recording, else the quarantine; of those it has seen."""
    return await view.fetch(_OUTCOMES, list(touchpoint_ids))
