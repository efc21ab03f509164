"""From POST to visible in the view, at fixed rates: an open loop, so that what waits to be sent counts as delay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import asyncpg

from rapport_gateway.projection.store.runs import CHANNEL as VIEW_CHANGED
from rapport_shared.messaging.kafka import idempotent_producer
from tests.benchmarks.chain import CHANNEL as CHAIN_CHANGED
from tests.benchmarks.chain import BareChain, bare_chain, message
from tests.benchmarks.figures import Figure, milliseconds, percentile, seconds_of, size
from tests.benchmarks.figures import rate as rate_figure
from tests.benchmarks.http_load import keep_to_schedule, schedule
from tests.benchmarks.stack_under_test import StackUnderTest
from tests.benchmarks.usage import SERVERS, processor_seconds

__all__ = ["measure", "measure_floor"]

SECONDS = 10.0
LIMIT_SECONDS = 4.0
FLOOR_SECONDS = 60.0
FLOOR_P99_SECONDS = 0.3
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


RATES = (Rate(100, 1, 64), Rate(300, 1, 64), Rate(500, 1, 64), Rate(1000, 1, 64), Rate(2000, 100, 8))
COUNTED = (300, 500, 1000)
"""The rates at which processor time is told by process."""
FLOOR = Rate(1000, 1, 64)


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


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`freshness_<rate>_p50/p99`; limit: the bare chain at the same rate in the same run, `bare_chain_<rate>_p99`.

    A rate that is not sustained is given up once something is missing for 5 s: its p99 is above that.
    `cpu_per_touchpoint_<rate>_<process>` and their sum: processor time from the first request until all is quiet.
    """
    await stack.fill(stack.touchpoints.people)
    figures: list[Figure] = []
    async with bare_chain(stack.kafka, stack.stack.infrastructure.postgres) as chain:
        await _through_chain(stack, chain, RATES[0], 1.0)  # its first records find cold processes
        for rate in RATES:
            seconds = 1.0 if stack.quick else SECONDS
            limit, limit_cost = await _through_chain(stack, chain, rate, 1.0 if stack.quick else LIMIT_SECONDS)
            reached, cost = await _through_stack(stack, rate, seconds)
            figures += [
                seconds_of(f"{rate.name}_p{p}", percentile(reached, p), percentile(limit, p), "ms") for p in (50, 99)
            ]
            figures.append(seconds_of(f"bare_chain_{rate.touchpoints}_p99", percentile(limit, 99), None, "ms"))
            if rate.touchpoints in COUNTED:
                figures += _costs(rate, cost, limit_cost)
    return figures


async def measure_floor(stack: StackUnderTest) -> list[Figure]:
    """`floor`, `floor_p99`: single touchpoints for a minute. `floor` is how many a second became visible, from the
    first request until the last was seen, or was given up; limit: the rate at which they were sent."""
    await stack.fill(stack.touchpoints.people)
    began = time.perf_counter()
    reached, _ = await _through_stack(stack, FLOOR, 3.0 if stack.quick else FLOOR_SECONDS, settle=False)
    per_second = len(reached) / (time.perf_counter() - began)
    await stack.quiet()
    return [
        rate_figure("floor", per_second, FLOOR.touchpoints, "touchpoints/s"),
        seconds_of("floor_p99", percentile(reached, 99), FLOOR_P99_SECONDS, "ms"),
    ]


Costs = Mapping[str, float]
"""Milliseconds of processor time for each touchpoint, by process."""


def _costs(rate: Rate, cost: Costs, limit: Costs) -> list[Figure]:
    name = f"cpu_per_touchpoint_{rate.touchpoints}"
    by_process = [size(f"{name}_{process}", spent, "ms") for process, spent in sorted(cost.items())]
    return [*by_process, milliseconds(name, sum(cost.values()), sum(limit.values()))]


async def _through_stack(
    stack: StackUnderTest, rate: Rate, seconds: float, *, settle: bool = True
) -> tuple[list[float], Costs]:
    bodies = stack.touchpoints.bodies(int(rate.touchpoints * seconds) // rate.batch, rate.batch)
    messages = [stack.report(body) for _, body in bodies]
    sightings = Sightings()
    with processor_seconds(stack) as spent:
        schema = await stack.view_schema()
        async with _looking(stack.database("gateway"), schema, VIEW_CHANGED, sightings):
            await keep_to_schedule(
                stack.stack.gateway,
                messages,
                rate.touchpoints / rate.batch,
                concurrency=rate.connections,
                expected=b"202",
                planned=lambda number, moment: sightings.expect(bodies[number][0], moment),
                hopeless=sightings.hopeless,
            )
            await sightings.complete()
        if settle:
            await stack.quiet()
    return sightings.latencies, _per_touchpoint(spent, len(sightings.latencies))


async def _through_chain(
    stack: StackUnderTest, chain: BareChain, rate: Rate, seconds: float
) -> tuple[list[float], Costs]:
    """The same touchpoints, sent to the first topic of the chain as the gateway sends them, seen at its end."""
    bodies = stack.touchpoints.bodies(int(rate.touchpoints * seconds))
    sightings = Sightings()
    with processor_seconds(stack, {"chain": chain.pids}) as spent:
        async with (
            _looking(chain.database, "public", CHAIN_CHANGED, sightings),
            idempotent_producer(stack.kafka, "benchmark-chain") as producer,
        ):
            begin = time.perf_counter() + 0.1
            for number, moment in enumerate(schedule(begin, rate.touchpoints / rate.batch, len(bodies) // rate.batch)):
                await asyncio.sleep(max(0.0, moment - time.perf_counter()))
                together = bodies[number * rate.batch : (number + 1) * rate.batch]
                sightings.expect([ids[0] for ids, _ in together], moment)
                for ids, body in together:
                    sent = message(ids[0], body)
                    await producer.send(sent.topic, sent.value, sent.key, headers=list(sent.headers))
            await sightings.complete()
    used = {name: seconds for name, seconds in spent.items() if name in ("chain", *SERVERS)}
    return sightings.latencies, _per_touchpoint(used, len(sightings.latencies))


def _per_touchpoint(spent: Mapping[str, float], count: int) -> Costs:
    return {name: 1000 * seconds / count for name, seconds in spent.items()}


@asynccontextmanager
async def _looking(dsn: str, schema: str, channel: str, sightings: Sightings) -> AsyncIterator[None]:
    """Looks for what is missing whenever a commit of facts is announced, as the streams do."""
    news = asyncio.Event()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.add_listener(channel, lambda *_: news.set())
        find = await connection.prepare(f"SELECT event_id FROM {schema}.fact WHERE event_id = ANY($1)")

        async def look() -> None:
            await news.wait()
            news.clear()
            oldest = list(islice(sightings.missing, LOOKED_FOR_AT_ONCE))
            sightings.see([row["event_id"] for row in await find.fetch(oldest)])

        async with _repeating(look):
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def _repeating(look: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    async def repeat() -> None:
        while True:
            await look()

    async with asyncio.TaskGroup() as group:
        looking = group.create_task(repeat())
        yield
        looking.cancel()
