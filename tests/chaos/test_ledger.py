"""The ledger: whatever is killed while a load runs, each acknowledged fact is in the view exactly once.

A failure names its seed; RAPPORT_SEED repeats the load and the kills of one.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections import Counter
from pathlib import Path

import pytest

from deploy.local.supervisor import Program
from tests.chaos.audit import audit, unsettled
from tests.chaos.broken import CRASHED
from tests.chaos.faults import KILLABLE, Faults
from tests.chaos.load import Load
from tests.chaos.stacks import own_stack

SIZE = 20_000


async def test_what_was_acknowledged_is_in_the_view_once_whatever_is_killed(tmp_path: Path, seed: int) -> None:
    load, faults = Load(seed, SIZE, people=400), Faults(seed, SIZE, rounds=2)
    async with own_stack(tmp_path) as stack:
        async with asyncio.TaskGroup() as group:
            group.create_task(load.post(stack.gateway, stack.key))
            group.create_task(faults.inflict(stack, load.acknowledged))
        findings = await unsettled(stack) or await audit(stack, load, faults.killed)
    assert faults.killed == Counter(dict.fromkeys(KILLABLE, 2))
    assert not findings, f"RAPPORT_SEED={seed}, killed in this order: {faults.plan}\n" + "\n".join(findings)


@pytest.mark.parametrize(
    ("breakage", "sign"),
    [
        ("cursor_outside_the_transaction", "missing in the timeline"),
        ("deleted_before_the_acknowledgement", "events of the log that are missing"),
        ("relay_without_leadership", " repeats"),
        ("effect_outside_the_transaction", "dead letters of intake"),
    ],
)
async def test_the_audit_finds_what_is_broken_on_purpose(tmp_path: Path, seed: int, breakage: str, sign: str) -> None:
    def break_interaction(programs: list[Program]) -> list[Program]:
        return [_broken(p, breakage, tmp_path) if p.name.startswith("interaction") else p for p in programs]

    load = Load(seed, 1500, people=60)
    async with own_stack(tmp_path, break_interaction) as stack:
        await load.post(stack.gateway, stack.key, patience_seconds=10)
        findings = await unsettled(stack, quiet_seconds=15) or await audit(stack, load, {"interaction": 1})
    assert any(sign in finding for finding in findings), (
        f"RAPPORT_SEED={seed}: {sign!r} is not among what was found:\n" + "\n".join(findings)
    )


def _broken(program: Program, breakage: str, directory: Path) -> Program:
    command = (sys.executable, "-m", "tests.chaos.broken", breakage, "interaction", "run")
    environment = {**program.environment, CRASHED: str(directory / "crashed")}
    return dataclasses.replace(program, command=command, environment=environment)
