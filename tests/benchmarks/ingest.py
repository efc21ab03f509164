"""Touchpoints accepted per second, and how fast what was accepted goes through all five services."""

from __future__ import annotations

import time
from uuid import UUID

from tests.benchmarks.bare import bare_application
from tests.benchmarks.figures import Figure, rate
from tests.benchmarks.http_load import Load, Server, keep_asking, request
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["measure"]

STRETCHES = 3
STRETCH_SECONDS = 2.0
MOST_TOUCHPOINTS = 15_000
CONCURRENCY = {1: 32, 100: 4}
NAMES = {1: "ingest_single", 100: "ingest_batch_100"}


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`ingest_<size>`, and per second of the gateway's processor time `ingest_<size>_per_core`.

    Nothing reads the intake meanwhile, for that is measured as `through`.
    """
    await stack.fill(stack.touchpoints.people)
    accepted: list[UUID] = []
    await stack.stack.supervisor.stop("interaction")
    try:
        async with bare_application(stack) as bare:
            figures = [one for size in CONCURRENCY for one in await _accepted(stack, bare, size, accepted)]
    finally:
        stack.stack.supervisor.start("interaction")
    await stack.stack.supervisor.wait_ready(f"{stack.stack.addresses.url('interaction')}/readyz")
    began = time.perf_counter()
    await stack.seen(accepted)
    through = len(accepted) / (time.perf_counter() - began)
    await stack.quiet()
    return [*figures, rate("through", through, None, "touchpoints/s")]


async def _accepted(stack: StackUnderTest, bare: Server, size: int, accepted: list[UUID]) -> list[Figure]:
    """Gateway and bare application by turns, so that a busy moment of the machine befalls both."""
    gateway, limit = Load(), Load()
    stretches = 1 if stack.quick else STRETCHES
    count = MOST_TOUCHPOINTS // size // stretches // (10 if stack.quick else 1)
    for _ in range(stretches):
        bodies = stack.touchpoints.bodies(count, size)
        mine = await _asked(stack.gateway, [stack.report(body) for _, body in bodies], size)
        accepted += [one for ids, _ in bodies[: len(mine.latencies)] for one in ids]
        gateway.add(mine)
        limit.add(
            await _asked(bare, [request("POST", f"{bare.url}/touchpoints", body=body) for _, body in bodies], size)
        )
    name = NAMES[size]
    return [
        rate(name, size * gateway.per_second, size * limit.per_second, "touchpoints/s"),
        rate(f"{name}_per_core", size * gateway.per_core, size * limit.per_core, "touchpoints/s"),
    ]


async def _asked(server: Server, messages: list[bytes], size: int) -> Load:
    return await keep_asking(
        server, iter(messages), concurrency=CONCURRENCY[size], seconds=STRETCH_SECONDS, expected=b"202"
    )
