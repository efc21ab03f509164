"""Pages of a customer's timeline."""

from functools import partial
from typing import Any
from uuid import UUID

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import timeline
from rapport_gateway.projection.store.timeline import Wanted
from rapport_gateway.view.timeline import entry


async def page(view: LiveView, customer_id: UUID, wanted: Wanted, cursor: str | None, limit: int) -> dict[str, Any]:
    """Entries, newest first, one for each conversation. Raises a 422 for a cursor that is none of this list's."""
    async with view.live.connection() as connection:
        found = await timeline.BY_OCCURRENCE.page(
            cursor,
            limit,
            partial(timeline.entries, connection, customer_id, wanted),
            lambda fact: (fact.occurred_at, fact.event_id),
        )
    return {"entries": [entry(fact) for fact in found.items], "next_cursor": found.next_cursor}
