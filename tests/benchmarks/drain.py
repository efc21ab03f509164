"""Events per second into the view when a backlog is drained: the projector as the gateway runs it, without its API."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.store.runs import CHANNEL, live_run
from rapport_gateway.view.facts import Fact
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import EVENT_TOPICS
from rapport_shared.database import Database
from rapport_shared.messaging.consumer import BatchProcessor, Subscription
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.cursors import begin_cursors
from rapport_shared.messaging.pace import urgent_pace
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_shared.settings import ServiceSettings
from rapport_shared.telemetry import Metrics
from tests.benchmarks.figures import Figure, rate
from tests.benchmarks.stack_under_test import StackUnderTest
from tests.support.infrastructure import Databases

__all__ = ["measure"]

BACKLOG_TOUCHPOINTS = 15_000
MOST_EVENTS = 20_000
ROUNDS = 3
BATCH_SIZE = int(ServiceSettings.model_fields["batch_size"].default)
PACE = urgent_pace(ServiceSettings.model_fields["rest_ms"].default / 1000)

Batch = list[Record]


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`drain`; limit: the same transactions over the same batches, kept in memory since they were drained."""
    await stack.fill(2_000 if stack.quick else BACKLOG_TOUCHPOINTS)
    begins, held = await _backlog(stack.kafka)
    events = min(held, MOST_EVENTS)
    databases = Databases(stack.stack.infrastructure.postgres)
    count, drained, replayed = 0, 0.0, 0.0
    try:
        for _ in range(1 if stack.quick else ROUNDS):
            async with _fresh_view(databases) as (subscription, tables):
                seconds, batches = await _drain(subscription, tables, stack.kafka, events)
                count += sum(map(len, batches))
                drained += seconds
            async with _fresh_view(databases) as (subscription, tables):
                replayed += await _replay(subscription, tables, begins, batches)
    finally:
        await databases.drop_templates()
    return [rate("drain", count / drained, count / replayed, "events/s")]


async def _backlog(kafka: str) -> tuple[dict[Partition, int], int]:
    """Where the event topics begin, and how many records they hold."""
    async with BatchReader(kafka, "benchmark-backlog", max_records=1) as reader:
        bounds = await reader.bounds(await reader.partitions([topic.name for topic in EVENT_TOPICS]))
    return {partition: begin for partition, (begin, _) in bounds.items()}, sum(e - b for b, e in bounds.values())


@asynccontextmanager
async def _fresh_view(databases: Databases) -> AsyncIterator[tuple[Subscription[Fact], Database]]:
    """A projector's subscription over an empty view, with the database it works in."""
    template = await databases.template("view", lambda dsn: asyncio.to_thread(migrate, "rapport_gateway", dsn))
    async with databases.fresh(template) as dsn:
        async with Database(dsn, size=1, application="benchmark") as database, database.connection() as connection:
            run = await live_run(connection)
        async with Database(dsn, size=10, application="benchmark", search_path=f"{run.schema}, public") as tables:

            async def announce() -> None:
                async with tables.connection() as connection:
                    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)

            yield Projector(run, tables, system_clock, announce).subscription(), tables


async def _drain(
    subscription: Subscription[Fact], tables: Database, kafka: str, events: int
) -> tuple[float, list[Batch]]:
    """Seconds from the first record until so many are committed, and the batches in which they came."""
    batches: list[Batch] = [[]]
    done = asyncio.Event()
    began = 0.0

    def decode(record: Record) -> Fact | None:
        nonlocal began
        began = began or time.perf_counter()
        batches[-1].append(record)
        return subscription.decode(record)

    async def committed() -> None:
        await subscription.committed()
        if sum(map(len, batches)) >= events:
            done.set()
        batches.append([])

    watched = dataclasses.replace(subscription, decode=decode, committed=committed)
    consumer = CursorConsumer("gateway", tables, kafka, watched, Metrics(), system_clock, BATCH_SIZE, PACE)
    running = asyncio.create_task(consumer.run())
    try:
        waiting = asyncio.create_task(done.wait())
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        ended = time.perf_counter()
        assert not running.done(), f"the consumer ended: {running.exception()}"
    finally:
        running.cancel()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return ended - began, [batch for batch in batches if batch]


async def _replay(
    subscription: Subscription[Fact], tables: Database, begins: dict[Partition, int], batches: list[Batch]
) -> float:
    await begin_cursors(tables, subscription.consumer, begins)
    processor = BatchProcessor("gateway", tables, subscription, Metrics(), system_clock, dict(begins))
    began = time.perf_counter()
    for batch in batches:
        await processor.process(batch)
    return time.perf_counter() - began
