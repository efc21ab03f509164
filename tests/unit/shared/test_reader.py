"""How a reader ends."""

import asyncio

import pytest

from rapport_shared.messaging.reader import BatchReader


async def test_a_cancellation_that_comes_while_a_reader_stops_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = asyncio.Event()

    async def never_stopped() -> None:
        stopping.set()
        await asyncio.Event().wait()

    reader = BatchReader("127.0.0.1:1", "test", max_records=1)
    monkeypatch.setattr(reader._consumer, "stop", never_stopped)
    ending = asyncio.create_task(reader.__aexit__(None, None, None))
    await stopping.wait()
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending


async def test_a_cancellation_that_the_driver_raises_while_it_stops_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancels_itself() -> None:
        raise asyncio.CancelledError

    reader = BatchReader("127.0.0.1:1", "test", max_records=1)
    monkeypatch.setattr(reader._consumer, "stop", cancels_itself)
    await reader.__aexit__(None, None, None)
