"""The limit of freshness and of its cost: topic → transaction with outbox → relay → topic → transaction.

Two processes that consist of the messaging layer alone, paced as the product is. The first consumes a topic and queues
each message again in its outbox, as the interaction service does; the second keeps what arrives, as the view does.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import uvloop
from aiokafka.admin import NewTopic

from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import Topic
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Connection, Database
from rapport_shared.messaging import outbox, topics
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.leadership import hold_role
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.pace import urgent_pace
from rapport_shared.messaging.records import Record
from rapport_shared.messaging.relay import Relay
from rapport_shared.messaging.tables import DEAD_LETTER_DECISIONS, MESSAGING_TABLES
from rapport_shared.settings import ServiceSettings
from rapport_shared.telemetry import Metrics
from tests.support.infrastructure import Databases

__all__ = ["CHANNEL", "BareChain", "bare_chain", "message"]

CHANNEL = "chain"
PARTITIONS = 3
BATCH_SIZE = int(ServiceSettings.model_fields["batch_size"].default)
PACE = urgent_pace(ServiceSettings.model_fields["rest_ms"].default / 1000)
TABLES = (
    f"{MESSAGING_TABLES}{DEAD_LETTER_DECISIONS}; CREATE TABLE fact (event_id uuid PRIMARY KEY, value bytea NOT NULL)"
)


def _topic(name: str) -> Topic:
    return Topic(name, "gateway", (), "none", "a benchmark's own")


FIRST, SECOND = _topic("benchmark.chain.first"), _topic("benchmark.chain.second")


@dataclass(frozen=True, slots=True)
class BareChain:
    """A running chain: the database in which what has arrived is found as a `fact`, and its processes."""

    database: str
    pids: tuple[int, ...]


def message(event_id: UUID, value: bytes) -> Message:
    """A message at the beginning of the chain."""
    identity = str(event_id).encode()
    return Message(FIRST.name, identity, (("ce_id", identity), ("ce_type", b"benchmark")), value)


@asynccontextmanager
async def bare_chain(kafka: str, postgres: str) -> AsyncIterator[BareChain]:
    """Runs the chain on topics and databases of its own."""
    async with topics.administration(kafka) as client:
        missing = {FIRST.name, SECOND.name} - set(await client.list_topics())
        await client.create_topics([NewTopic(name, PARTITIONS, 1) for name in sorted(missing)])
    databases = Databases(postgres)
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(databases.fresh()) for _ in ("first", "second")]
        for dsn in made:
            async with Database(dsn, size=1, application="chain") as database, database.connection() as connection:
                await connection.execute(TABLES)
        started = [
            await stack.enter_async_context(_process(part, kafka, dsn))
            for part, dsn in zip(("first", "second"), made, strict=True)
        ]
        yield BareChain(made[1], tuple(process.pid for process in started))


@asynccontextmanager
async def _process(part: str, kafka: str, dsn: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.chain", part, kafka, dsn, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


def _read(record: Record) -> Record:
    return record


async def _queue(connection: Connection, records: Sequence[Record]) -> None:
    further = [
        Message(SECOND.name, record.key or b"", tuple((n, v.encode()) for n, v in record.headers.items()), record.value)
        for record in records
    ]
    await outbox.queue(connection, further)


async def _keep(connection: Connection, records: Sequence[Record]) -> None:
    await connection.execute(
        "INSERT INTO fact SELECT * FROM unnest($1::uuid[], $2::bytea[]) ON CONFLICT DO NOTHING",
        [UUID(record.event_id) for record in records],
        [record.value for record in records],
    )


async def _run(part: str, kafka: str, dsn: str) -> None:
    async with Database(dsn, size=5, application="chain") as database:
        metrics, signal = Metrics(), OutboxSignal()

        async def notify_relay() -> None:
            signal.notify()

        async def announce() -> None:
            async with database.connection() as connection:
                await connection.execute("SELECT pg_notify($1, '')", CHANNEL)

        if part == "first":
            subscription = Subscription("chain", (FIRST,), _read, _queue, notify_relay, urgent=True)
        else:
            subscription = Subscription("chain", (SECOND,), _read, _keep, announce, urgent=True)
        consumer = CursorConsumer("gateway", database, kafka, subscription, metrics, system_clock, BATCH_SIZE, PACE)
        roles: list[Callable[[], Awaitable[None]]] = [consumer.run]
        if part == "first":
            relay = Relay("gateway", database, kafka, signal, metrics)
            roles.append(lambda: hold_role(database, "relay", relay.run, metrics))
        await asyncio.gather(*(role() for role in roles))


if __name__ == "__main__":
    uvloop.run(_run(*sys.argv[1:]))
