"""What one more event of a customer costs, by how much of the customer is known already; and what nothing costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

import httpx

from tests.benchmarks.figures import Figure, at_most, size
from tests.benchmarks.large_customers import call, make_customer, order
from tests.benchmarks.stack_under_test import StackUnderTest
from tests.benchmarks.usage import processor_seconds

__all__ = ["measure", "measure_idle"]

FACTS, QUICK_FACTS = (10, 1_000, 10_000), (10, 100)
EVENTS, QUICK_EVENTS = 40, 5
APART_SECONDS: Final = 0.25
"""More than a consumer rests, so that no two events share a batch."""
SETTLE_SECONDS, QUICK_SETTLE_SECONDS = 20.0, 2.0
IDLE_SECONDS, QUICK_IDLE_SECONDS = 30.0, 2.0
LEAST_MS: Final = 0.05
"""What /proc tells apart, over all events; a process that takes less takes this."""
RATIO_AIM: Final = 2.0
IDLE_AIM: Final = 10.0
KINDS: Final[Mapping[str, Callable[[str, str], dict[str, Any]]]] = {"order": order, "call": call}
TOLD: Final = ("gateway-view", "interaction", "postgres", "scoring")
"""The processes that are told apart; all others are in the sum."""


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`growth_<kind>_<facts>_<process>`: milliseconds of processor time of one event at a customer with so many facts,
    beyond what the idle stack takes. `growth_<kind>_<process>`: at the most facts, divided by that at the fewest."""
    facts = QUICK_FACTS if stack.quick else FACTS
    headers = {"Authorization": f"Bearer {stack.stack.key}"}
    figures: list[Figure] = []
    async with httpx.AsyncClient(base_url=stack.stack.gateway, headers=headers, timeout=60, trust_env=False) as client:
        for count in facts:
            await make_customer(stack, client, _record(count), count)
        await asyncio.sleep(QUICK_SETTLE_SECONDS if stack.quick else SETTLE_SECONDS)
        for kind, make in KINDS.items():
            costs = {
                count: await _cost(stack, client, [make(_record(count), f"more-{n}") for n in _events(stack)])
                for count in facts
            }
            for process in (*TOLD, "sum"):
                figures += [size(f"growth_{kind}_{count}_{process}", costs[count][process], "ms") for count in facts]
                ratio = costs[facts[-1]][process] / max(LEAST_MS, costs[facts[0]][process])
                figures.append(at_most(f"growth_{kind}_{process}", ratio, RATIO_AIM, "times"))
    return figures


async def measure_idle(stack: StackUnderTest) -> list[Figure]:
    """`idle_cpu` and `idle_cpu_<process>`: shares of a core, when nothing was reported for a while; limit: the aim."""
    await asyncio.sleep(QUICK_SETTLE_SECONDS if stack.quick else SETTLE_SECONDS)
    shares = {name: 100 * share for name, share in (await _idle(stack)).items()}
    by_process = [size(f"idle_cpu_{name}", share, "% of a core") for name, share in sorted(shares.items())]
    return [*by_process, at_most("idle_cpu", sum(shares.values()), IDLE_AIM, "% of a core")]


def _record(count: int) -> str:
    return f"growth-{count}"


def _events(stack: StackUnderTest) -> range:
    return range(QUICK_EVENTS if stack.quick else EVENTS)


async def _idle(stack: StackUnderTest) -> dict[str, float]:
    seconds = QUICK_IDLE_SECONDS if stack.quick else IDLE_SECONDS
    with processor_seconds(stack) as spent:
        await asyncio.sleep(seconds)
    return {name: used / seconds for name, used in spent.items()}


async def _cost(
    stack: StackUnderTest, client: httpx.AsyncClient, touchpoints: list[dict[str, Any]]
) -> dict[str, float]:
    """Milliseconds for each of `touchpoints`, reported one after the other, by process and in sum."""
    await stack.quiet()
    idle = await _idle(stack)
    began = time.perf_counter()
    with processor_seconds(stack) as spent:
        for touchpoint in touchpoints:
            (await client.post("/v1/touchpoints", json=touchpoint)).raise_for_status()
            await asyncio.sleep(APART_SECONDS)
        await stack.seen([UUID(touchpoint["id"]) for touchpoint in touchpoints])
        await stack.quiet()
    seconds = time.perf_counter() - began
    cost = {name: 1000 * max(0.0, used - idle[name] * seconds) / len(touchpoints) for name, used in spent.items()}
    return {**cost, "sum": sum(cost.values())}
