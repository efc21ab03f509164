"""Notifies streams and `after` about changes of the view. Each replica listens to PostgreSQL for new changes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from rapport_gateway.projection.store.runs import CHANNEL, Run, live_run
from rapport_gateway.projection.store.views import changes
from rapport_shared.database import Database
from rapport_shared.outages import OUTAGE_ERRORS, Outage

_log = logging.getLogger("rapport.hub")

POLL_SECONDS = 1.0
FORMER_RUN_SECONDS = 40.0


@dataclass(slots=True, eq=False)
class Follower:
    """The changes that a stream has not sent yet: the sections of its customer that changed since it last took them."""

    customer_id: UUID
    sections: set[str] = field(default_factory=set)
    event: asyncio.Event = field(default_factory=asyncio.Event)
    resync: bool = False

    async def changed(self, seconds: float) -> None:
        """Waits until a section of the customer changes, at most `seconds`; takes and returns the changed sections."""
        try:
            async with asyncio.timeout(seconds):
                await self.event.wait()
        except TimeoutError:
            return
        self.take()

    def take(self) -> set[str]:
        """Takes the changed sections; a slow client gets its missed deltas as one."""
        taken, self.sections = self.sections, set()
        self.event.clear()
        return taken


class Hub:
    """Knows the live run, and tells followers and waiters of its changes."""

    def __init__(self, database: Database, open_run: Callable[[Run], Database]) -> None:
        self._database = database
        self._open_run = open_run
        self._followers: dict[UUID, set[Follower]] = {}
        self._moved = asyncio.Event()
        self._seq = 0
        self.run: Run | None = None
        self.view: Database | None = None

    @property
    def seq(self) -> int:
        """The last change of which all followers have been notified; no await is between the two."""
        return self._seq

    async def watch(self) -> None:
        """Follows the live run for ever; keeps what it knows while the database is away."""
        outage = Outage("hub")
        while True:
            try:
                await self._listen()
            except OUTAGE_ERRORS as error:
                await outage.wait(error)

    @asynccontextmanager
    async def follow(self, customer_id: UUID) -> AsyncIterator[Follower]:
        """A follower of one customer, for as long as the body runs."""
        follower = Follower(customer_id)
        self._followers.setdefault(customer_id, set()).add(follower)
        try:
            yield follower
        finally:
            followers = self._followers[customer_id]
            followers.discard(follower)
            if not followers:
                del self._followers[customer_id]

    async def moved(self, seconds: float) -> None:
        """Waits until the view has a new change, at most `seconds`."""
        event = self._moved
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._database.dsn, timeout=5)
        news = asyncio.Event()
        try:
            await connection.add_listener(CHANNEL, lambda *_: news.set())
            while True:
                await self._look(connection)
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await news.wait()
                except TimeoutError:
                    pass
                news.clear()
        finally:
            connection.terminate()

    async def _look(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        run = await live_run(connection)
        if self.run is None or run.run != self.run.run:
            await self._enter(run)
        moved = self.run is None or run.turn != self.run.turn
        self.run = run
        if run.seq > self._seq:
            changed = await changes(connection, run.schema, self._seq, run.seq)
            self._seq = run.seq
            for customer_id, sections in changed:
                for follower in self._followers.get(customer_id, ()):
                    follower.sections |= sections
                    follower.event.set()
        if moved:
            waiting, self._moved = self._moved, asyncio.Event()
            waiting.set()

    async def _enter(self, run: Run) -> None:
        former = self.view
        view = self._open_run(run)
        await view.__aenter__()
        self.view, self._seq = view, run.seq
        if former is not None:
            # reads that are under way in the former run's tables end by themselves: a statement has 30 s
            asyncio.get_running_loop().call_later(FORMER_RUN_SECONDS, former.pool.terminate)
        for followers in self._followers.values():
            for follower in followers:
                follower.resync = True
                follower.event.set()
