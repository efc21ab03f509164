"""A leader that hangs and one that dies: the other takes its roles over, and nothing happens twice."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.audit import audit, unsettled
from tests.chaos.load import Load
from tests.chaos.stacks import SECOND, own_stack, second_url
from tests.support.conditions import until

ROLES = {"relay", "intake/0", "registers/0", "profiles/0", "policies/0", "memberships/0", "evidence/0"}
FIRST = "interaction"


async def test_a_hung_and_a_killed_leader_are_followed_and_nothing_happens_twice(tmp_path: Path, seed: int) -> None:
    load = Load(seed, 4000, people=100)
    async with own_stack(tmp_path) as stack:
        first, second = stack.addresses.url(FIRST), second_url(tmp_path)
        await until("the first as leader", lambda: _leads_all(first))
        async with asyncio.TaskGroup() as group:
            group.create_task(load.post(stack.gateway, stack.key))
            await load.acknowledged.reach(500)
            await stack.supervisor.kill(FIRST, signal.SIGSTOP)
            await until("the second in place of the hung first", lambda: _leads_all(second))
            await load.acknowledged.reach(1500)
            await stack.supervisor.kill(FIRST, signal.SIGCONT)
            await until("the first as one that knows it lost", lambda: _leads_nothing(first))
            await load.acknowledged.reach(2500)
            await stack.supervisor.kill(SECOND)
            await until("the first in place of the killed second", lambda: _leads_all(first))
        findings = await unsettled(stack) or await audit(stack, load, {FIRST: 2})
    assert not findings, f"RAPPORT_SEED={seed}\n" + "\n".join(findings)


async def _leads_all(url: str) -> bool:
    return await _roles_of(url) == ROLES


async def _leads_nothing(url: str) -> bool:
    return await _roles_of(url) == set()


async def _roles_of(url: str) -> set[str] | None:
    """The roles that a process says it leads; None while it does not answer."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        try:
            text = (await client.get(f"{url}/metrics")).text
        except httpx.TransportError:
            return None
    return {
        sample.labels["role"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "rapport_leading" and sample.value == 1
    }
