"""The local stack as the figures see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from deploy.local.stack import Stack
from rapport_gateway.projection.store.runs import Run, live_run
from tests.benchmarks.http_load import Server, connections, request
from tests.benchmarks.touchpoints import Touchpoints

__all__ = ["StackUnderTest"]

BATCH = 100
QUIET_SECONDS = 0.5
PATIENCE_SECONDS = 120


@dataclass(slots=True)
class StackUnderTest:
    """A running stack, what was reported to it, and how long to measure: `quick` is enough to see that it works.

    `second_port` is where a second process of the interaction service listens when it is started.
    """

    stack: Stack
    quick: bool
    touchpoints: Touchpoints
    second_port: int

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.stack.addresses.kafka

    @property
    def gateway(self) -> Server:
        """The gateway's API."""
        pid = self.stack.supervisor.pid("gateway")
        assert pid is not None, "the gateway is down"
        return Server(self.stack.gateway, pid)

    def database(self, service: str) -> str:
        """The DSN of a service's database."""
        return self.stack.addresses.databases[service]

    def report(self, body: bytes) -> bytes:
        """A request that reports the touchpoints of a body."""
        return request("POST", f"{self.stack.gateway}/v1/touchpoints", self.stack.key, body)

    async def run(self) -> Run:
        """The live run of the view."""
        async with self.connection("gateway") as connection:
            return await live_run(connection)

    async def view_schema(self) -> str:
        """The schema of the live run."""
        return (await self.run()).schema

    @asynccontextmanager
    async def connection(self, service: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A connection to a service's database."""
        connection = await asyncpg.connect(self.database(service))
        try:
            yield connection
        finally:
            await connection.close()

    async def fill(self, count: int) -> None:
        """Reports touchpoints until `count` were made, and waits until all that follows of them is done."""
        lacking = count - self.touchpoints.made
        ids: list[UUID] = []
        async with connections(self.stack.gateway, 1) as (connection,):
            while lacking > 0:
                ((batch, body),) = self.touchpoints.bodies(1, min(BATCH, lacking))
                await connection.exchange(self.report(body), b"202")
                ids += batch
                lacking -= len(batch)
        await self.seen(ids)
        await self.quiet()

    async def seen(self, ids: Collection[UUID]) -> None:
        """Returns when the view has all these touchpoints."""
        missing = list(ids)
        schema = await self.view_schema()
        async with self.connection("gateway") as connection, asyncio.timeout(PATIENCE_SECONDS):
            while missing:
                rows = await connection.fetch(
                    f"SELECT id FROM unnest($1::uuid[]) AS asked (id) LEFT JOIN {schema}.fact ON event_id = id "
                    "WHERE event_id IS NULL",
                    missing,
                )
                missing = [row["id"] for row in rows]
                await asyncio.sleep(0.05)

    async def quiet(self) -> None:
        """Returns when the view has not changed for a while: nothing is on its way any more."""
        before, after = -1, (await self.run()).seq
        async with asyncio.timeout(PATIENCE_SECONDS):
            while before != after:
                await asyncio.sleep(QUIET_SECONDS)
                before, after = after, (await self.run()).seq
