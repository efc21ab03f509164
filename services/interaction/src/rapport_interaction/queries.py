"""What the interaction service answers."""

import json
from datetime import datetime
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
from rapport_interaction.store import Listed, Position, Selection
from rapport_shared.database import Database, Row
from rapport_shared.errors import VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.web.pages import decode_cursor, encode_cursor


async def quarantine_page(database: Database, selection: Selection, cursor: str | None, limit: int) -> QuarantinePage:
    """Quarantined touchpoints, the latest first. Raises a 422 for a cursor that is not of this list."""
    after = position(cursor) if cursor else None
    async with database.connection() as connection:
        rows = await store.quarantine_page(connection, selection, after, limit + 1)
    shown = [QuarantinedTouchpoint(**_plain(row)) for row in rows[:limit]]
    last = shown[-1] if len(rows) > limit else None
    return QuarantinePage(quarantined=shown, next_cursor=place(last.received_at, last.quarantine_id) if last else None)


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
    after = position(cursor) if cursor else None
    async with database.connection() as connection:
        rows = await store.anonymous_page(connection, listed, after, limit + 1)
        event_ids = [row["event_id"] for row in rows[:limit]] if with_bodies else []
        said = await store.logged_recordings(connection, event_ids)
    bodies = {event_id: recording.data.touchpoint for event_id, recording in said.items()}
    shown = [AnonymousEntry(**dict(row), touchpoint=bodies.get(row["event_id"])) for row in rows[:limit]]
    last = shown[-1] if len(rows) > limit else None
    return AnonymousPage(interactions=shown, next_cursor=place(last.occurred_at, last.touchpoint_id) if last else None)


def place(at: datetime, id_: UUID) -> str:
    """The cursor of a row that stands at an instant."""
    return encode_cursor(at.isoformat(), str(id_))


def position(cursor: str) -> Position:
    """Where a page goes on. Raises a 422 for a cursor that is not of these lists."""
    try:
        at, id_ = decode_cursor(cursor, 2)
        return datetime.fromisoformat(at), UUID(id_)
    except (TypeError, ValueError, AttributeError):
        problem = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
        raise Problem(VALIDATION, "The cursor is not valid.", errors=[problem]) from None


def _plain(row: Row) -> dict[str, Any]:
    return {**dict(row), "errors": json.loads(row["errors"])}


def _shown(body: bytes) -> dict[str, Any]:
    try:
        return {"body": json.loads(body)}
    except (ValueError, RecursionError):
        return {"body_text": body.decode(errors="replace")}
