"""What each process of the stack takes: memory, and processor time over a stretch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from deploy.local.services import PROCESSES
from tests.benchmarks.figures import Figure, size
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["memory", "processor_shares"]


def memory(stack: StackUnderTest) -> list[Figure]:
    """`rss_<process>`: for PostgreSQL the proportional share of each backend, whose resident sets overlap."""
    figures = [size(f"rss_{name}", _resident(found), "MiB") for name, found in _processes(stack).items()]
    return sorted(figures, key=lambda figure: figure["name"])


def _resident(processes: list[psutil.Process]) -> float:
    if len(processes) == 1:
        return float(processes[0].memory_info().rss) / 2**20
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 2**20


@contextmanager
def processor_shares(stack: StackUnderTest) -> Iterator[dict[str, float]]:
    """Filled at the end: processor time by process, as a share of one core, over the body; the load's is `load`."""
    shares: dict[str, float] = {}
    before, began = _times(stack), time.perf_counter()
    yield shares
    elapsed = time.perf_counter() - began
    shares.update({name: (spent - before.get(name, 0)) / elapsed for name, spent in _times(stack).items()})


def _times(stack: StackUnderTest) -> dict[str, float]:
    spent = {"load": _time(psutil.Process())}
    for name, processes in _processes(stack).items():
        spent[name] = sum(map(_time, processes))
    return spent


def _time(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _processes(stack: StackUnderTest) -> dict[str, list[psutil.Process]]:
    """By name; servers that run out of our sight are left out."""
    servers = {"kafka": stack.stack.infrastructure.broker, "postgres": stack.stack.infrastructure.database}
    pids = {name: stack.stack.supervisor.pid(name) for name in PROCESSES}
    pids |= {name: server.pid for name, server in servers.items()}
    found = {}
    for name, pid in pids.items():
        if pid is not None:
            process = psutil.Process(pid)
            found[name] = [process, *process.children(recursive=True)]
    return found
