"""The facts that are entries of a customer's timeline, in pages."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_gateway.projection.store.facts import as_fact
from rapport_gateway.projection.store.tables import OF_SCORE
from rapport_gateway.view.facts import Fact
from rapport_gateway.view.timeline import OF_CUSTOMER, OF_PROFILE
from rapport_shared.database import Connection
from rapport_shared.pages import Keyset

BY_OCCURRENCE: Final[Keyset[tuple[datetime, UUID]]] = Keyset(datetime, UUID)
"""The order of a timeline: the newest first."""

_OF_PROFILES = f"""
SELECT f.* FROM membership m JOIN LATERAL (
    SELECT * FROM fact WHERE fact.profile_id = m.profile_id AND type = ANY($2)
    AND ($3::text IS NULL OR kind = $3 OR type = $3) AND ($4::text IS NULL OR channel = $4)
    AND ($5::timestamptz IS NULL OR occurred_at >= $5) AND ($6::timestamptz IS NULL OR occurred_at < $6)
    AND {BY_OCCURRENCE.behind("occurred_at, event_id", 7)}
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = fact.event_id)
    AND NOT EXISTS (SELECT 1 FROM fact later WHERE later.interaction_id = fact.interaction_id
        AND later.type = 'interaction.recorded'
        AND (later.occurred_at, later.event_id) > (fact.occurred_at, fact.event_id)
        AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = later.event_id))
    ORDER BY occurred_at DESC, event_id DESC LIMIT $9
) f ON true WHERE m.customer_id = $1 ORDER BY f.occurred_at DESC, f.event_id DESC LIMIT $9
"""
_OF_SCORE = f"""
SELECT * FROM fact WHERE subject = $1::uuid::text AND {OF_SCORE} AND type = ANY($10)
AND ($3::text IS NULL OR type = $3) AND $4::text IS NULL
AND (type <> 'customer.stage_changed' OR data::jsonb ->> 'before' IS NOT NULL)
AND ($5::timestamptz IS NULL OR occurred_at >= $5) AND ($6::timestamptz IS NULL OR occurred_at < $6)
AND {BY_OCCURRENCE.behind("occurred_at, event_id", 7)}
ORDER BY occurred_at DESC, event_id DESC LIMIT $9
"""
_TIMELINE = f"""
SELECT * FROM (({_OF_PROFILES}) UNION ALL ({_OF_SCORE})) entries ORDER BY occurred_at DESC, event_id DESC LIMIT $9
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: of these types, of one kind (of touchpoint, or type of event), of one channel, of a period."""

    types: Collection[str]
    kind: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def entries(
    connection: Connection, customer_id: UUID, wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[Fact]:
    """Entries of a customer behind one, of each conversation the latest that counts; the newest first."""
    rows = await connection.fetch(
        _TIMELINE,
        customer_id,
        [one for one in OF_PROFILE if one in wanted.types],
        wanted.kind,
        wanted.channel,
        wanted.since,
        wanted.until,
        *BY_OCCURRENCE.parameters(after),
        limit,
        [one for one in OF_CUSTOMER if one in wanted.types],
    )
    return [as_fact(row) for row in rows]
