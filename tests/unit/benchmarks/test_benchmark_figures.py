"""The parts of the benchmarks that measure nothing: percentiles, ratios, the open loop's schedule, the page."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.ports import LOOPBACK
from tests.benchmarks.figures import percentile, rate, seconds_of, share, write_docs, write_json
from tests.benchmarks.freshness import Sightings
from tests.benchmarks.http_load import Server, keep_asking, keep_to_schedule, request, schedule
from tests.benchmarks.touchpoints import Touchpoints


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile(values, 100) == 100
    assert percentile([7.0], 1) == 7
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_ratio_is_how_much_of_the_limit_is_reached() -> None:
    assert rate("drain", 800, 1000, "events/s")["ratio"] == 0.8
    assert seconds_of("read_p99", 0.020, 0.010, "ms") == {
        "name": "read_p99",
        "value": 20.0,
        "unit": "ms",
        "limit": 10.0,
        "ratio": 0.5,
    }
    assert rate("through", 800, None, "touchpoints/s")["ratio"] is None


def test_what_is_late_is_due_no_later() -> None:
    assert schedule(100.0, 50, 3) == [100.0, 100.02, 100.04]


async def test_the_open_loop_sends_all_and_counts_the_wait_for_a_busy_server() -> None:
    due: dict[int, float] = {}
    async with _server(seconds=0.05) as url:
        await keep_to_schedule(
            url,
            [request("GET", f"{url}/")] * 6,
            1000,
            concurrency=1,
            expected=b"200",
            planned=due.__setitem__,
        )
    assert list(due) == list(range(6))
    assert time.perf_counter() - due[5] > 5 * 0.05


async def test_the_closed_loop_ends_with_its_messages() -> None:
    async with _server() as url:
        load = await keep_asking(
            Server(url, os.getpid()), iter([request("GET", f"{url}/")] * 10), concurrency=3, seconds=60, expected=b"200"
        )
    assert len(load.latencies) == 10


def test_what_is_never_seen_makes_a_rate_hopeless() -> None:
    sightings, seen, unseen = Sightings(), uuid4(), uuid4()
    sightings.expect([seen, unseen], time.perf_counter())
    sightings.see([seen, uuid4()])
    assert len(sightings.latencies) == 1
    assert not sightings.hopeless()
    sightings.missing[unseen] -= 60
    assert sightings.hopeless()


def test_everybody_is_met_once_before_anybody_twice() -> None:
    made = Touchpoints(people=10).make(20)
    numbers = [item["identifiers"][0]["value"] for item in made]
    assert numbers[:10] == numbers[10:]
    assert len(set(numbers)) == 10
    assert len({item["id"] for item in made}) == 20


def test_the_page_keeps_its_words_and_gets_new_figures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    sections = ("figures", "figures of matching")
    page.write_text("before\n" + "".join(f"<!-- {name} -->\nold\n<!-- end of {name} -->\nafter\n" for name in sections))
    write_docs([rate("read", 1234, 2468, "reads/s")], page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("-->\nold\n<!-- end of figures of matching -->\nafter\n"), "the other section stays"
    assert "| read | 1,234 | reads/s | 2,468 | 0.5 |" in text
    write_docs([share("matching_4_recall", 0.99841, 0.9938)], page, "figures of matching")
    assert "| matching_4_recall | 0.9984 | of all | 0.9938 | 1.00 |" in page.read_text()
    assert "old" not in page.read_text()
    with pytest.raises(ValueError, match="has no"):
        write_docs([], _without_markers(tmp_path))


def test_the_file_is_a_list_of_figures(tmp_path: Path) -> None:
    figures = [rate("read", 1, 2, "reads/s"), rate("through", 3, None, "touchpoints/s")]
    write_json(figures, tmp_path / "bench.json")
    assert json.loads((tmp_path / "bench.json").read_text()) == figures


@asynccontextmanager
async def _server(seconds: float = 0.0) -> AsyncIterator[str]:
    """Answers every request after `seconds`, one after another."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(seconds)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _without_markers(directory: Path) -> Path:
    page = directory / "other.md"
    page.write_text("no markers")
    return page
