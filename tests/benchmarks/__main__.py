"""`python -m tests.benchmarks`: starts a stack of its own, measures it, prints the figures beside their limits."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop
from rich.console import Console

from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import CHECKOUT, infrastructure
from deploy.local.ports import free_port
from deploy.local.stack import free_ports, running_stack
from tests.benchmarks import (
    assessing,
    drain,
    forecast,
    freshness,
    growth,
    imports,
    ingest,
    matching,
    merging,
    newcomers,
    read,
    scoring,
    segments,
    takeover,
    usage,
)
from tests.benchmarks.figures import FIGURES, Figure, show, write_docs, write_json
from tests.benchmarks.stack_under_test import StackUnderTest
from tests.benchmarks.touchpoints import Touchpoints

HOME = CHECKOUT / ".rapport" / "bench"
JSON = CHECKOUT / "bench.json"
DOCS = CHECKOUT / "docs" / "benchmarks.md"
PEOPLE, QUICK_PEOPLE = 2_000, 200


async def _rss(stack: StackUnderTest) -> list[Figure]:
    return usage.memory(stack)


# In the order in which they are taken: what the one reports is the other's backlog, and memory comes after the load.
ON_THE_STACK: Mapping[str, Callable[[StackUnderTest], Awaitable[list[Figure]]]] = {
    "ingest": ingest.measure,
    "freshness": freshness.measure,
    "floor": freshness.measure_floor,
    "read": read.measure,
    "rss": _rss,
    "idle": growth.measure_idle,
    "growth": growth.measure,
    "drain": drain.measure,
    "takeover": takeover.measure,
    "imports": imports.measure,
    "merging": merging.measure,
}
SCORING = "scoring"
MATCHING = "matching"
NEWCOMERS = "newcomers"
VALUE = "value"
FORECAST = "forecast"
GROUPS = (*ON_THE_STACK, SCORING, MATCHING, NEWCOMERS, VALUE, FORECAST)


async def measure(directory: Path, groups: frozenset[str], quick: bool, console: Console) -> list[Figure]:
    """The figures of `groups`, on a Kafka and PostgreSQL that are started in `directory`, emptied first.

    Matching and what is pure of value need neither, and are measured before they are started.
    """
    figures: list[Figure] = []
    # topics are deleted and made on the way: that clients look for them is no news
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    _end_in_good_order_when_asked()

    async def take(group: str, work: Awaitable[list[Figure]]) -> None:
        began = time.monotonic()
        figures.extend(await work)
        console.print(f"  {group:<12}{time.monotonic() - began:6.1f} s")

    if MATCHING in groups:
        await take(MATCHING, matching.measure(quick))
    if VALUE in groups:
        await take(VALUE, segments.measure(quick))
        figures.extend(assessing.measure(quick))
    if FORECAST in groups:
        await take(FORECAST, forecast.measure(quick))
    groups -= {MATCHING, VALUE, FORECAST}
    if not groups:
        return figures
    async with infrastructure(directory, fresh=True) as found:
        if NEWCOMERS in groups:  # first, for it fills the memory of the database
            await take(NEWCOMERS, newcomers.measure(found.postgres, quick))
        if groups - {SCORING, NEWCOMERS}:
            second = free_port()
            ports, arrange = free_ports(directory), takeover.with_second(second)
            async with running_stack(found, directory, ports, arrange=arrange) as running:
                stack = StackUnderTest(running, quick, Touchpoints(QUICK_PEOPLE if quick else PEOPLE), second)
                for group, work in ON_THE_STACK.items():
                    if group in groups:
                        await take(group, work(stack))
        if SCORING in groups:  # last, for it makes the topics anew
            await take(SCORING, scoring.measure(found.kafka, found.postgres, 1_000 if quick else 10_000))
    return figures


def _end_in_good_order_when_asked() -> None:
    """SIGTERM cancels as Ctrl-C does, so that what was started is stopped."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def main() -> None:
    """The entry point."""
    parser = ArgumentParser(prog="python -m tests.benchmarks", description="Measures Rapport on this machine.")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"groups, separated by commas: {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="just enough to see that it works")
    parser.add_argument("--write-docs", action="store_true", help=f"put the table into {DOCS.relative_to(CHECKOUT)}")
    chosen = parser.parse_args()
    groups = frozenset(chosen.only.split(","))
    if groups - set(GROUPS):
        parser.error(f"there is no {', '.join(sorted(groups - set(GROUPS)))}")
    try:
        _report(chosen, uvloop.run(measure(HOME, groups, chosen.quick, Console())))
    except LocalStackError as error:
        sys.exit(f"\n{error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("stopped")


def _report(chosen: Namespace, figures: list[Figure]) -> None:
    show(figures, Console())
    write_json(figures, JSON)
    if chosen.write_docs:
        for section in (FIGURES, *_SECTIONS):
            written = [figure for figure in figures if _section_of(figure) == section]
            if written:
                write_docs(written, DOCS, section)


_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "figures of matching": ("matching_",),
    "figures of newcomers": ("matcher_",),
    "figures of merging": ("merge_", "undo_", "timeline_"),
    "figures of processor time": ("cpu_per_touchpoint_", "idle_cpu"),
    "figures of growth": ("growth_",),
    "figures of value": ("segments_", "facts_", "assess_"),
    "figures of the forecast": ("forecast_",),
}
"""The sections of the page that have a table of their own, and how the names of their figures begin."""


def _section_of(figure: Figure) -> str:
    return next((section for section, begins in _SECTIONS.items() if figure["name"].startswith(begins)), FIGURES)


if __name__ == "__main__":
    main()
