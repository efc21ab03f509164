"""Merge and undo of large customers, and the timeline of one with many profiles."""

from __future__ import annotations

import asyncio
import time

import httpx

from tests.benchmarks.figures import Figure, percentile, seconds_of
from tests.benchmarks.large_customers import make_customer
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["measure"]

TOUCHPOINTS, QUICK_TOUCHPOINTS = 10_000, 500
PROFILES, QUICK_PROFILES = 100, 10
ROUNDS = 5
READS = 200
AIM_SECONDS = 2.0


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`merge_seen`, `undo_seen`: the slowest of five, until the view shows it, of two customers with 10,000
    touchpoints each; their limit is the aim of two seconds. `timeline_p99`: first page, of 100 profiles; limit: of one.
    """
    headers = {"Authorization": f"Bearer {stack.stack.key}"}
    async with httpx.AsyncClient(base_url=stack.stack.gateway, headers=headers, timeout=60, trust_env=False) as client:
        count = QUICK_TOUCHPOINTS if stack.quick else TOUCHPOINTS
        one, other = [await make_customer(stack, client, f"large-{side}", count) for side in ("one", "other")]
        merges, undos = [], []
        for _ in range(1 if stack.quick else ROUNDS):
            merge_id, seconds = await _merged(client, one, [other])
            merges.append(seconds)
            undos.append(await _undone(client, merge_id, one))
        profiles = QUICK_PROFILES if stack.quick else PROFILES
        made = [asyncio.create_task(make_customer(stack, client, f"many-{number}", 20)) for number in range(profiles)]
        many = [await one for one in made]
        alone = await _timeline(client, many[0])
        for start in range(1, profiles, 50):
            await _merged(client, many[0], many[start : min(start + 50, profiles)])
        together = await _timeline(client, many[0])
    return [
        seconds_of("merge_seen", max(merges), AIM_SECONDS),
        seconds_of("undo_seen", max(undos), AIM_SECONDS),
        seconds_of("timeline_p99", together, alone, "ms"),
    ]


async def _merged(client: httpx.AsyncClient, into: str, customers: list[str]) -> tuple[str, float]:
    """Merges and answers the last merge, and after how long the view shows it."""
    began = time.perf_counter()
    answer = await client.post("/v1/merges", json={"into": into, "from": customers})
    last = answer.raise_for_status().json()["merges"][-1]
    await _seen(client, into, last["event_id"])
    return str(last["merge_id"]), time.perf_counter() - began


async def _undone(client: httpx.AsyncClient, merge_id: str, customer: str) -> float:
    began = time.perf_counter()
    answer = await client.post(f"/v1/merges/{merge_id}/undo")
    await _seen(client, customer, answer.raise_for_status().json()["event_id"])
    return time.perf_counter() - began


async def _seen(client: httpx.AsyncClient, customer: str, event_id: str) -> None:
    query = {"sections": "identity", "after": event_id, "wait_ms": "30000"}
    (await client.get(f"/v1/customers/{customer}", params=query)).raise_for_status()


async def _timeline(client: httpx.AsyncClient, customer: str) -> float:
    """The 99th percentile of the first page of a timeline."""
    taken: list[float] = []
    for _ in range(READS):
        began = time.perf_counter()
        (await client.get(f"/v1/customers/{customer}/timeline", params={"limit": 50})).raise_for_status()
        taken.append(time.perf_counter() - began)
        await asyncio.sleep(0)
    return percentile(taken, 99)
