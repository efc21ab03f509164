"""Server-sent events of one customer: a snapshot, then deltas; `Last-Event-ID` resumes.

A stream may end, but never sends a wrong state. A delta carries each section that changed since the client's last
event. The section is complete: a client replaces its copy.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from rapport_gateway.access.audience import Audience, sections_of
from rapport_gateway.projection.hub import Follower
from rapport_gateway.projection.store import views as rows
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.reads.customers import Views
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.callers import Caller
from rapport_shared.errors import Problem

CHECKED_SECONDS: Final = 2.0
"""How often a stream asks whether its caller may still read it, when nothing else happens."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A client that follows a customer. `authenticate` returns the caller with its present rights, or raises a 401."""

    customer_id: UUID
    authenticate: Callable[[], Awaitable[Caller]]
    last_event_id: str | None
    heartbeat_seconds: float


async def stream(views: Views, audience: Audience, subscriber: Subscriber) -> AsyncIterator[bytes]:
    """The events of a customer's stream. It ends when the customer is merged away or the client loses access.

    The last event gives the reason: `moved` names the customer to follow, `ended` is the problem that a read would get.
    """
    try:
        async for event in _events(views, audience, subscriber):
            yield event
    except Problem as problem:
        yield _ended(problem)


async def _events(views: Views, audience: Audience, subscriber: Subscriber) -> AsyncIterator[bytes]:
    customer_id = subscriber.customer_id
    async with views.hub.follow(customer_id) as follower:
        # first the view, then what changed: an event may tell of more than is in it, never of less
        caller = await subscriber.authenticate()
        view = await audience.customer(customer_id, caller)
        resumed = await _missed(views, customer_id, subscriber.last_event_id)
        if view.moved_to is not None:
            yield _moved(views, view)
            return
        if resumed is None:
            yield _event(views, "snapshot", view, SECTIONS)
        elif resumed:
            yield _event(views, "delta", view, resumed)
        sent, quiet_since = view.seq, time.monotonic()
        while True:
            changed = await _changed_within(follower, min(CHECKED_SECONDS, subscriber.heartbeat_seconds))
            caller = await subscriber.authenticate()
            if not changed:
                if time.monotonic() - quiet_since >= subscriber.heartbeat_seconds:
                    quiet_since = time.monotonic()
                    yield b": alive\n\n"
                continue
            resync, follower.resync = follower.resync, False
            known, sections = views.hub.seq, follower.take()
            view = await audience.customer(customer_id, caller)
            if view.seq > known:
                sections |= await _changed(views, customer_id, known)
            if view.moved_to is not None:
                yield _moved(views, view)
                return
            if resync:
                yield _event(views, "snapshot", view, SECTIONS)
            elif view.seq > sent and not sections_of(caller).isdisjoint(sections):
                yield _event(views, "delta", view, sections)
            sent, quiet_since = view.seq, time.monotonic()


async def _changed_within(follower: Follower, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await follower.event.wait()
    except TimeoutError:
        return False
    return True


async def _missed(views: Views, customer_id: UUID, last_event_id: str | None) -> set[str] | None:
    """Sections that changed since an event of this run; None when a snapshot is needed instead."""
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


# Not FastAPI's `EventSourceResponse`: its heartbeat has a fixed pace, and that of a stream is a setting.
def _event(views: Views, name: str, view: StoredView, sections: Collection[str]) -> bytes:
    body = views.document(view, sections).decode()
    return f"event: {name}\nid: {views.run}.{view.seq}\ndata: {body}\n\n".encode()


def _moved(views: Views, view: StoredView) -> bytes:
    return (f'event: moved\nid: {views.run}.{view.seq}\ndata: {{"customer_id":"{view.moved_to}"}}\n\n').encode()


def _ended(problem: Problem) -> bytes:
    return b"event: ended\ndata: " + orjson.dumps(problem.document()) + b"\n\n"
