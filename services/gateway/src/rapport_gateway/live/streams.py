"""Server-sent events of one customer: a snapshot, then deltas; `Last-Event-ID` resumes. A push may give up, never lie.

A delta carries every section that changed since the client's last event, whole: a client replaces what it has.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID

from rapport_gateway.access.audience import Audience, sections_of
from rapport_gateway.projection.store import views as rows
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.reads.customers import Views
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.callers import Caller


async def stream(
    views: Views, audience: Audience, caller: Caller, customer_id: UUID, last_event_id: str | None, heartbeat: float
) -> AsyncIterator[bytes]:
    """The events of a customer's stream, until it is merged away or the client goes."""
    readable = sections_of(caller)
    async with views.hub.follow(customer_id) as follower:
        # first the view, then what changed: an event may tell of more than is in it, never of less
        view = await audience.customer(customer_id, caller)
        resumed = await _missed(views, customer_id, last_event_id)
        if view.moved_to is not None:
            yield _moved(views, view)
            return
        if resumed is None:
            yield _event(views, "snapshot", view, SECTIONS)
        elif resumed:
            yield _event(views, "delta", view, resumed)
        sent = view.seq
        while True:
            try:
                async with asyncio.timeout(heartbeat):
                    await follower.event.wait()
            except TimeoutError:
                yield b": alive\n\n"
                continue
            resync, follower.resync = follower.resync, False
            told, sections = views.hub.seq, follower.take()
            view = await audience.customer(customer_id, caller)
            if view.seq > told:
                sections |= await _changed(views, customer_id, told)
            if view.moved_to is not None:
                yield _moved(views, view)
                return
            if resync:
                yield _event(views, "snapshot", view, SECTIONS)
            elif view.seq > sent and not readable.isdisjoint(sections):
                yield _event(views, "delta", view, sections)
            sent = view.seq


async def _missed(views: Views, customer_id: UUID, last_event_id: str | None) -> set[str] | None:
    """Sections that changed since an event of this run that is still kept; None where a snapshot is due."""
    run, _, seq = (last_event_id or "").partition(".")
    if run != str(views.run) or not seq.isascii() or not seq.isdigit():
        return None
    async with views.live.connection() as connection:
        oldest = await rows.oldest_change(connection)
    if oldest is None or int(seq) < oldest - 1:
        return None
    return await _changed(views, customer_id, int(seq))


async def _changed(views: Views, customer_id: UUID, after: int) -> set[str]:
    """The sections of a customer that changed after a change of the run."""
    async with views.live.connection() as connection:
        return await rows.changed_sections(connection, customer_id, after)


def _event(views: Views, name: str, view: StoredView, sections: Collection[str]) -> bytes:
    body = views.document(view, sections).decode()
    return f"event: {name}\nid: {views.run}.{view.seq}\ndata: {body}\n\n".encode()


def _moved(views: Views, view: StoredView) -> bytes:
    return (f'event: moved\nid: {views.run}.{view.seq}\ndata: {{"customer_id":"{view.moved_to}"}}\n\n').encode()
