"""Concurrent requests share one write."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from rapport_shared.messaging.pace import Pacer, urgent_pace

Item = TypeVar("Item")

PACE = urgent_pace(0.004)


class Gathering(Generic[Item]):
    """Writes the items of all requests that wait, one write at a time; under load it rests between writes.

    A write costs the same for one item as for ten, and a lone request does not wait for others.
    """

    def __init__(self, write: Callable[[list[Item]], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[Sequence[Item], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._pacer = Pacer(PACE, time.monotonic)

    async def add(self, items: Sequence[Item]) -> None:
        """Returns when `items` are written. Raises the error of the write, also for items of other requests."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            self._pacer.begin()
            try:
                await self._write([item for items, _ in waiting for item in items])
            except Exception as error:
                _settle(waiting, error)
            else:
                _settle(waiting, None)
            await asyncio.sleep(self._pacer.rest())


def _settle(waiting: Sequence[tuple[object, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, done in waiting:
        if done.done():
            continue  # its request was cancelled
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
