"""What each process of the stack takes: memory, and processor time over a stretch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psutil

from deploy.local.services import PROCESSES
from tests.benchmarks.figures import Figure, size
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["SERVERS", "memory", "processor_seconds", "seconds_of_processes"]

SERVERS = ("kafka", "postgres")


def memory(stack: StackUnderTest) -> list[Figure]:
    """`rss_<process>`: for PostgreSQL the proportional share of each backend, whose resident sets overlap."""
    figures = [
        size(f"rss_{name}", _resident([process, *process.children(recursive=True)]), "MiB")
        for name, process in _processes(stack).items()
    ]
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
def processor_seconds(
    stack: StackUnderTest, more: Mapping[str, Iterable[int]] | None = None
) -> Iterator[dict[str, float]]:
    """Filled at the end: processor time of each process over the body, in seconds; the load's is left out.

    `more` are further processes, by the name under which they are counted.
    """
    spent: dict[str, float] = {}
    watched = {name: [process] for name, process in _processes(stack).items()}
    watched |= {name: [psutil.Process(pid) for pid in pids] for name, pids in (more or {}).items()}
    before = {name: seconds_of_processes(processes) for name, processes in watched.items()}
    yield spent
    spent.update({name: seconds_of_processes(watched[name]) - before[name] for name in watched})


def seconds_of_processes(processes: Iterable[psutil.Process]) -> float:
    """Processor time of `processes` and of all their descendants, also of those that have ended."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
            total += seconds_of_processes(process.children())
    return total


def _processes(stack: StackUnderTest) -> dict[str, psutil.Process]:
    """By name; servers that run out of our sight are left out."""
    servers = {"kafka": stack.stack.infrastructure.broker, "postgres": stack.stack.infrastructure.database}
    pids = {name: stack.stack.supervisor.pid(name) for name in PROCESSES}
    pids |= {name: server.pid for name, server in servers.items()}
    return {name: psutil.Process(pid) for name, pid in pids.items() if pid is not None}
