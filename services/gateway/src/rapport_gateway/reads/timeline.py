"""Pages of a customer's timeline."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import timeline
from rapport_gateway.projection.store.timeline import Wanted
from rapport_gateway.view.timeline import entry
from rapport_shared.web.pages import decode_cursor, encode_cursor


async def page(view: LiveView, customer_id: UUID, wanted: Wanted, cursor: str | None, limit: int) -> dict[str, Any]:
    """Entries, newest first, one for each conversation. Raises a 422 for a cursor that is none of this list's."""
    if cursor is not None:
        at, event_id = decode_cursor(cursor, 2)
        wanted = replace(wanted, before=(datetime.fromisoformat(at), UUID(event_id)))
    async with view.live.connection() as connection:
        found = await timeline.entries(connection, customer_id, wanted, limit + 1)
    shown = found[:limit]
    more = len(found) > limit
    return {
        "entries": [entry(fact) for fact in shown],
        "next_cursor": encode_cursor(shown[-1].occurred_at.isoformat(), str(shown[-1].event_id)) if more else None,
    }
