"""Reads of the unified view per second."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

from tests.benchmarks.bare import bare_application
from tests.benchmarks.figures import Figure, percentile, rate, seconds_of
from tests.benchmarks.http_load import Load, Server, keep_asking, request
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["measure"]

CONCURRENCY = 16
STRETCHES = 4
STRETCH_SECONDS = 2.0
CUSTOMERS = 1000


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`read`, `read_per_core`, `read_p99`: with a fixed number of readers; limit: the same readers at the bare
    application."""
    await stack.fill(stack.touchpoints.people)
    customers = await _customers(stack)
    gateway, limit = Load(), Load()
    seconds = 0.5 if stack.quick else STRETCH_SECONDS
    async with bare_application(stack) as bare:
        for _ in range(1 if stack.quick else STRETCHES):
            gateway.add(await _read(stack.gateway, "/v1/customers", stack.stack.key, customers, seconds))
            limit.add(await _read(bare, "/customers", "", customers, seconds))
    slowest = percentile(gateway.latencies, 99), percentile(limit.latencies, 99)
    return [
        rate("read", gateway.per_second, limit.per_second, "reads/s"),
        rate("read_per_core", gateway.per_core, limit.per_core, "reads/s"),
        seconds_of("read_p99", *slowest, "ms"),
    ]


async def _read(server: Server, path: str, key: str, customers: Sequence[str], seconds: float) -> Load:
    messages = [request("GET", f"{server.url}{path}/{customer}", key) for customer in customers]
    return await keep_asking(server, _endless(messages), concurrency=CONCURRENCY, seconds=seconds, expected=b"200")


def _endless(messages: Sequence[bytes]) -> Iterator[bytes]:
    return itertools.cycle(random.Random(1).sample(messages, len(messages)))


async def _customers(stack: StackUnderTest) -> list[str]:
    schema = await stack.view_schema()
    async with stack.connection("gateway") as connection:
        rows = await connection.fetch(
            f"SELECT customer_id::text FROM {schema}.customer_view WHERE moved_to IS NULL LIMIT {CUSTOMERS}"
        )
    return [row["customer_id"] for row in rows]
