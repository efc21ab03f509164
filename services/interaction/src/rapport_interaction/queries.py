"""What the interaction service answers."""

import json
from datetime import datetime
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.schemas import QuarantinedTouchpoint, QuarantinePage
from rapport_shared.database import Database, Row
from rapport_shared.web.pages import decode_cursor, encode_cursor


async def quarantine_page(database: Database, cursor: str | None, limit: int) -> QuarantinePage:
    """Quarantined touchpoints, the latest first. Raises a 422 for a cursor that is not of this list."""
    after = _position(cursor) if cursor else None
    async with database.connection() as connection:
        rows = await store.quarantine_page(connection, after, limit + 1)
    shown = [_quarantined(row) for row in rows[:limit]]
    last = shown[-1] if len(rows) > limit else None
    next_cursor = encode_cursor(last.received_at.isoformat(), str(last.quarantine_id)) if last else None
    return QuarantinePage(quarantined=shown, next_cursor=next_cursor)


def _position(cursor: str) -> tuple[datetime, UUID]:
    received_at, quarantine_id = decode_cursor(cursor, 2)
    return datetime.fromisoformat(received_at), UUID(quarantine_id)


def _quarantined(row: Row) -> QuarantinedTouchpoint:
    return QuarantinedTouchpoint(**{**dict(row), "errors": json.loads(row["errors"])})
