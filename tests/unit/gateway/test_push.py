"""A stream tells of every section that changed, also of one that changes while it is being told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
import pytest

from rapport_gateway.access.audience import Audience
from rapport_gateway.access.visibility import Visibility
from rapport_gateway.live.streams import Subscriber, stream
from rapport_gateway.projection.hub import Follower
from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.reads.customers import Views
from rapport_shared.callers import Caller
from rapport_shared.errors import UNAUTHENTICATED, Problem

CUSTOMER = uuid4()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = Caller("key", scopes=frozenset({"*"}))


@dataclass
class World:
    """One customer whose view changes at chosen reads; it is its own hub, database and reads."""

    changes: list[tuple[int, str]] = field(default_factory=list)
    during_reads: list[str] = field(default_factory=list)
    seq: int = 0
    run: int = 1
    follower: Follower = field(default_factory=lambda: Follower(CUSTOMER))

    @property
    def hub(self) -> "World":
        return self

    @property
    def live(self) -> "World":
        return self

    @asynccontextmanager
    async def follow(self, customer_id: UUID) -> AsyncIterator[Follower]:
        yield self.follower

    def change(self, section: str) -> None:
        self.changes.append((len(self.changes) + 1, section))

    def tell(self) -> None:
        """The hub hears of all changes."""
        self.follower.sections |= {section for seq, section in self.changes if seq > self.seq}
        self.seq = len(self.changes)
        self.follower.event.set()

    async def known(self, customer_id: UUID) -> StoredView:
        """The view; a change that is due at this read is committed just before it."""
        if self.during_reads and (section := self.during_reads.pop(0)):
            self.change(section)
        return StoredView(CUSTOMER, len(self.changes), len(self.changes), NOON, None, {})

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["World"]:
        yield self

    async def fetchval(self, query: str) -> int:
        return 1

    async def fetch(self, query: str, customer_id: UUID, after: int) -> list[dict[str, Any]]:
        return [{"sections": [section]} for seq, section in self.changes if seq > after]

    def document(self, view: StoredView, sections: set[str]) -> bytes:
        return orjson.dumps({"seq": view.seq, "sections": sorted(sections)})


def followed(
    world: World, last_event_id: str | None = None, caller: Caller = EVERYTHING, heartbeat: float = 5
) -> AsyncIterator[bytes]:
    async def authenticate() -> Caller:
        return caller

    audience = Audience(Visibility(cast(LiveView, world)))
    return stream(cast(Views, world), audience, Subscriber(CUSTOMER, authenticate, last_event_id, heartbeat))


def read(event: bytes) -> tuple[str, int, list[str]]:
    name, _, data = event.decode().strip().split("\n")
    told = orjson.loads(data.removeprefix("data: "))
    return name.removeprefix("event: "), told["seq"], told["sections"]


@pytest.mark.parametrize("during", ["", "value"])
async def test_a_stream_that_resumes_tells_of_all_up_to_its_id(during: str) -> None:
    world = World(during_reads=[during])
    world.change("identity")
    world.change("interactions")
    events = followed(world, "1.1")
    expected = ["interactions", "value"] if during else ["interactions"]
    assert read(await anext(events)) == ("delta", len(world.changes), expected)


async def test_a_section_that_changes_while_another_is_told_is_told_with_it() -> None:
    world = World(during_reads=["", "value"])
    world.change("identity")
    world.tell()
    events = followed(world)
    assert read(await anext(events))[0] == "snapshot"
    world.follower.take()
    world.change("interactions")
    world.tell()
    assert read(await anext(events)) == ("delta", 3, ["interactions", "value"])
    world.tell()
    world.change("tickets")
    world.tell()
    assert read(await anext(events)) == ("delta", 4, ["tickets", "value"])


async def test_a_caller_that_may_not_read_a_section_is_not_told_of_it() -> None:
    world = World()
    world.change("identity")
    world.tell()
    events = followed(world, caller=Caller("key", scopes=frozenset({"customers:read"})), heartbeat=0.01)
    assert read(await anext(events))[0] == "snapshot"
    world.follower.take()
    world.change("value")
    world.tell()
    assert await anext(events) == b": alive\n\n"


async def test_a_stream_ends_with_the_reason_when_its_caller_is_revoked() -> None:
    world, revoked = World(), False

    async def authenticate() -> Caller:
        if revoked:
            raise Problem(UNAUTHENTICATED, "The key or token is not in force.")
        return EVERYTHING

    world.change("identity")
    audience = Audience(Visibility(cast(LiveView, world)))
    events = stream(cast(Views, world), audience, Subscriber(CUSTOMER, authenticate, None, 0.01))
    assert read(await anext(events))[0] == "snapshot"
    assert await anext(events) == b": alive\n\n"
    revoked = True
    last = [event async for event in events][-1]
    assert last.startswith(b"event: ended\n")
    assert orjson.loads(last.partition(b"data: ")[2])["status"] == 401
