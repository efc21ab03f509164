"""From POST to visible in the view, at fixed rates: an open loop, so that what waits to be sent counts as delay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from rapport_gateway.hub import CHANNEL
from tests.benchmarks.bare import PARTITIONS, TOPIC, bare_application
from tests.benchmarks.figures import Figure, percentile, seconds_of, size
from tests.benchmarks.http_load import keep_to_schedule, request
from tests.benchmarks.stack_under_test import StackUnderTest
from tests.benchmarks.usage import processor_shares

__all__ = ["measure"]

SECONDS = 10.0
LIMIT_SECONDS = 4.0
GIVE_UP_SECONDS = 5.0
LOOKED_FOR_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Rate:
    """Touchpoints per second, in requests of `batch`, over so many connections."""

    touchpoints: int
    batch: int
    connections: int

    @property
    def name(self) -> str:
        """The figures' name."""
        return f"freshness_{self.touchpoints}"


RATES = (Rate(500, 1, 64), Rate(1000, 1, 64), Rate(2000, 100, 8))
SHARES_OF = 1000


@dataclass(slots=True)
class Sightings:
    """What is reported and not yet seen, by the moment it was due; and how long the rest took to be seen."""

    missing: dict[UUID, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    def expect(self, ids: Iterable[UUID], moment: float) -> None:
        """These were due to be reported then."""
        self.missing.update(dict.fromkeys(ids, moment))

    def see(self, ids: Iterable[UUID]) -> None:
        """These are visible now."""
        now = time.perf_counter()
        self.latencies += [now - self.missing.pop(one) for one in ids if one in self.missing]

    def hopeless(self) -> bool:
        """Whether something is missing for so long that the rate cannot be sustained."""
        oldest = next(iter(self.missing.values()), None)
        return oldest is not None and time.perf_counter() - oldest > GIVE_UP_SECONDS

    async def complete(self) -> None:
        """Waits until all is seen, or it is hopeless: then what is missing counts as seen now."""
        while self.missing and not self.hopeless():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        self.see(list(self.missing))


Observer = Callable[[Sightings], AbstractAsyncContextManager[None]]


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`freshness_<rate>_p50/p99`; limit: POST at the bare application until a bare consumer has the message.

    A rate that is not sustained is given up once something is missing for 5 s: its p99 is above that.
    `cpu_<process>` is each process's share of a core at 1,000 a second.
    """
    await stack.fill(stack.touchpoints.people)
    figures: list[Figure] = []
    shares: list[Figure] = []
    async with bare_application(stack) as bare:
        for rate in RATES:
            limit = await _latencies(
                stack,
                rate,
                LIMIT_SECONDS,
                f"{bare}/touchpoints",
                lambda body: request("POST", f"{bare}/touchpoints", body=body),
                lambda sightings: _reading_bare_topic(stack.kafka, sightings),
            )
            with processor_shares(stack) as spent:
                reached = await _latencies(
                    stack,
                    rate,
                    SECONDS,
                    stack.stack.gateway,
                    stack.report,
                    lambda sightings: _looking_at_view(stack, sightings),
                )
            await stack.quiet()
            figures += [
                seconds_of(f"{rate.name}_p{p}", percentile(reached, p), percentile(limit, p), "ms") for p in (50, 99)
            ]
            if rate.touchpoints == SHARES_OF:
                shares = [size(f"cpu_{name}", 100 * share, "% of a core") for name, share in sorted(spent.items())]
    return [*figures, *shares]


async def _latencies(
    stack: StackUnderTest,
    rate: Rate,
    seconds: float,
    url: str,
    as_request: Callable[[bytes], bytes],
    observer: Observer,
) -> list[float]:
    count = int(rate.touchpoints * (1.0 if stack.quick else seconds)) // rate.batch
    bodies = stack.touchpoints.bodies(count, rate.batch)
    messages = [as_request(body) for _, body in bodies]
    sightings = Sightings()
    async with observer(sightings):
        await keep_to_schedule(
            url,
            messages,
            rate.touchpoints / rate.batch,
            concurrency=rate.connections,
            expected=b"202",
            planned=lambda number, moment: sightings.expect(bodies[number][0], moment),
            hopeless=sightings.hopeless,
        )
        await sightings.complete()
    return sightings.latencies


@asynccontextmanager
async def _looking_at_view(stack: StackUnderTest, sightings: Sightings) -> AsyncIterator[None]:
    """Looks for what is missing whenever the projector says that the view has changed, as the streams do."""
    news = asyncio.Event()
    schema = await stack.view_schema()
    async with stack.connection("gateway") as connection:
        await connection.add_listener(CHANNEL, lambda *_: news.set())
        find = await connection.prepare(f"SELECT event_id FROM {schema}.fact WHERE event_id = ANY($1)")

        async def look() -> None:
            await news.wait()
            news.clear()
            oldest = list(islice(sightings.missing, LOOKED_FOR_AT_ONCE))
            sightings.see([row["event_id"] for row in await find.fetch(oldest)])

        async with _repeating(look):
            yield


@asynccontextmanager
async def _reading_bare_topic(kafka: str, sightings: Sightings) -> AsyncIterator[None]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False, fetch_max_wait_ms=100)
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)

        async def look() -> None:
            found = await consumer.getmany(timeout_ms=200)
            sightings.see([UUID(record.headers[0][1].decode()) for records in found.values() for record in records])

        async with _repeating(look):
            yield
    finally:
        await consumer.stop()


@asynccontextmanager
async def _repeating(look: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await look()

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(repeat())
        yield
        looking.cancel()
