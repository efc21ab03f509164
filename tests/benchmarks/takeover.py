"""How long nobody does a role's work when the process that held it is killed, or hangs."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import time
from collections.abc import Callable
from statistics import median

import httpx

from deploy.local.ports import LOOPBACK
from deploy.local.supervisor import Program
from rapport_shared.messaging.leadership import SESSION_SECONDS, STANDBY_POLL_SECONDS
from tests.benchmarks.figures import Figure, seconds_of
from tests.benchmarks.http_load import connections
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["measure", "with_second"]

FIRST, SECOND = "interaction", "interaction-second"
LEADING = 'rapport_leading{role="intake/0"} 1.0'
RECORDED = "SELECT true FROM event_log WHERE event_id = $1"
KILLED_ROUNDS, HUNG_ROUNDS = 5, 2
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 60


def with_second(port: int) -> Callable[[list[Program]], list[Program]]:
    """Adds a second process of the interaction service to a stack's programs; it waits to be started."""

    def add(programs: list[Program]) -> list[Program]:
        first = next(program for program in programs if program.name == FIRST)
        environment = {**first.environment, "RAPPORT_LISTEN": f"{LOOPBACK}:{port}"}
        return [*programs, dataclasses.replace(first, name=SECOND, environment=environment)]

    return add


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`takeover_killed`, `takeover_hung`: from the signal until a touchpoint reported after it is recorded.

    Limits: how often a standby asks for the role; how long a silent holder keeps it.
    """
    urls = {FIRST: stack.stack.addresses.url(FIRST), SECOND: f"http://{LOOPBACK}:{stack.second_port}"}
    supervisor = stack.stack.supervisor
    supervisor.start(SECOND)
    try:
        await supervisor.wait_ready(f"{urls[SECOND]}/readyz")
        killed = [await _killed(stack, urls) for _ in range(1 if stack.quick else KILLED_ROUNDS)]
        hung = [await _hung(stack, urls) for _ in range(1 if stack.quick else HUNG_ROUNDS)]
    finally:
        await supervisor.stop(SECOND)
    return [
        seconds_of("takeover_killed", median(killed), STANDBY_POLL_SECONDS),
        seconds_of("takeover_hung", median(hung), SESSION_SECONDS),
    ]


async def _killed(stack: StackUnderTest, urls: dict[str, str]) -> float:
    leader = await _leader(urls)
    began = time.perf_counter()
    await stack.stack.supervisor.kill(leader, stay_down=True)
    seconds = await _recorded_since(stack, began)
    stack.stack.supervisor.start(leader)
    await stack.stack.supervisor.wait_ready(f"{urls[leader]}/readyz")
    return seconds


async def _hung(stack: StackUnderTest, urls: dict[str, str]) -> float:
    leader = await _leader(urls)
    began = time.perf_counter()
    await stack.stack.supervisor.kill(leader, signal.SIGSTOP)
    try:
        return await _recorded_since(stack, began)
    finally:
        await stack.stack.supervisor.kill(leader, signal.SIGCONT)
        await stack.stack.supervisor.wait_ready(f"{urls[leader]}/readyz")


async def _recorded_since(stack: StackUnderTest, began: float) -> float:
    """Reports a touchpoint, waits until the interaction service has recorded it; seconds since `began`."""
    (((touchpoint_id,), body),) = stack.touchpoints.bodies(1)
    async with connections(stack.stack.gateway, 1) as (connection,):
        await connection.exchange(stack.report(body), b"202")
    async with stack.connection(FIRST) as database, asyncio.timeout(PATIENCE_SECONDS):
        while not await database.fetchval(RECORDED, touchpoint_id):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
    return time.perf_counter() - began


async def _leader(urls: dict[str, str]) -> str:
    """The process that reads the intake."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for name, url in urls.items():
                if LEADING in (await client.get(f"{url}/metrics")).text:
                    return name
            await asyncio.sleep(0.1)
