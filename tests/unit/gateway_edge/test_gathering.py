"""Requests that come together share one write, and one of them never hears of another's success as its own."""

import asyncio
from dataclasses import dataclass, field

import pytest

from rapport_gateway.intake.gathering import Gathering


@dataclass
class Log:
    """A write that ends when it is let go, and fails when it is told to."""

    written: list[list[str]] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    async def write(self, items: list[str]) -> None:
        self.written.append(items)
        await self.let_go.wait()
        if self.failure is not None:
            raise self.failure


async def _begun(log: Log, writes: int) -> None:
    while len(log.written) < writes:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_a_lone_request_is_written_at_once_and_those_that_wait_meanwhile_together() -> None:
    log = Log()
    gathering: Gathering[str] = Gathering(log.write)
    async with asyncio.TaskGroup() as group:
        group.create_task(gathering.add(["one"]))
        await _begun(log, 1)
        group.create_task(gathering.add(["two", "three"]))
        group.create_task(gathering.add(["four"]))
        await asyncio.sleep(0)
        assert log.written == [["one"]]
        log.let_go.set()
    assert log.written == [["one"], ["two", "three", "four"]]


async def test_nobody_is_answered_before_its_items_are_written() -> None:
    log = Log()
    gathering: Gathering[str] = Gathering(log.write)
    first = asyncio.create_task(gathering.add(["one"]))
    await _begun(log, 1)
    second = asyncio.create_task(gathering.add(["two"]))
    await asyncio.sleep(0)
    assert not first.done()
    log.let_go.set()
    await first
    await second
    assert log.written == [["one"], ["two"]]


async def test_a_failed_write_is_told_to_all_that_were_in_it_and_harms_nobody_after_them() -> None:
    log = Log(failure=ConnectionError("away"))
    gathering: Gathering[str] = Gathering(log.write)
    first = asyncio.create_task(gathering.add(["one"]))
    await _begun(log, 1)
    waiting = [asyncio.create_task(gathering.add([name])) for name in ("two", "three")]
    log.let_go.set()
    for task in (first, *waiting):
        with pytest.raises(ConnectionError):
            await task
    log.failure = None
    await gathering.add(["four"])
    assert log.written == [["one"], ["two", "three"], ["four"]]


async def test_a_request_that_is_cancelled_leaves_the_others_their_answers() -> None:
    log = Log()
    gathering: Gathering[str] = Gathering(log.write)
    gone = asyncio.create_task(gathering.add(["one"]))
    await _begun(log, 1)
    staying = asyncio.create_task(gathering.add(["two"]))
    gone.cancel()
    log.let_go.set()
    await staying
    assert log.written == [["one"], ["two"]]
