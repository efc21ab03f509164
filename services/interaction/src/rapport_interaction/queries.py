"""What the interaction service answers."""

import json
from functools import partial
from typing import Any
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.schemas import (
    AnonymousEntry,
    AnonymousPage,
    QuarantinedTouchpoint,
    QuarantineEntry,
    QuarantinePage,
)
from rapport_interaction.store import Listed, Selection
from rapport_shared.database import Database, Row
from rapport_shared.errors import not_found


async def quarantine_page(database: Database, selection: Selection, cursor: str | None, limit: int) -> QuarantinePage:
    """Quarantined touchpoints, the latest first. Raises a 422 for a cursor that is not of this list."""
    async with database.connection() as connection:
        page = await store.BY_INSTANT.page(
            cursor,
            limit,
            partial(store.quarantine_page, connection, selection),
            lambda row: (row["received_at"], row["quarantine_id"]),
        )
    shown = [QuarantinedTouchpoint(**_plain(row)) for row in page.items]
    return QuarantinePage(quarantined=shown, next_cursor=page.next_cursor)


async def quarantine_entry(database: Database, quarantine_id: UUID, *, with_body: bool) -> QuarantineEntry:
    """One quarantined touchpoint. Raises a 404."""
    async with database.connection() as connection:
        row = await store.quarantine_entry(connection, quarantine_id)
    if row is None:
        raise not_found("quarantined touchpoint")
    known = _plain(row)
    body = known.pop("body")
    return QuarantineEntry(**known, body_kept=body is not None, **(_shown(body) if with_body and body else {}))


async def anonymous_page(
    database: Database, listed: Listed, cursor: str | None, limit: int, *, with_bodies: bool
) -> AnonymousPage:
    """Anonymous touchpoints, the latest first. Raises a 422 for a cursor that is not of this list."""
    async with database.connection() as connection:
        page = await store.BY_INSTANT.page(
            cursor,
            limit,
            partial(store.anonymous_page, connection, listed),
            lambda row: (row["occurred_at"], row["touchpoint_id"]),
        )
        event_ids = [row["event_id"] for row in page.items] if with_bodies else []
        said = await store.logged_recordings(connection, event_ids)
    bodies = {event_id: recording.data.touchpoint for event_id, recording in said.items()}
    shown = [AnonymousEntry(**dict(row), touchpoint=bodies.get(row["event_id"])) for row in page.items]
    return AnonymousPage(interactions=shown, next_cursor=page.next_cursor)


def _plain(row: Row) -> dict[str, Any]:
    return {**dict(row), "errors": json.loads(row["errors"])}


def _shown(body: bytes) -> dict[str, Any]:
    try:
        return {"body": json.loads(body)}
    except (ValueError, RecursionError):
        return {"body_text": body.decode(errors="replace")}
