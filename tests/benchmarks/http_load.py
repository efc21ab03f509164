"""HTTP load by a client so small that it leaves the machine to what is measured: ready-made requests, kept alive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import cast
from urllib.parse import urlsplit

import psutil

from deploy.local.ports import LOOPBACK

__all__ = ["Connection", "Load", "Server", "connections", "keep_asking", "keep_to_schedule", "request", "schedule"]

STATUS = slice(9, 12)
AGAIN_SECONDS = 0.1
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """One connection; one request at a time. Understands answers that state their length."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed while an answer was awaited"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(_END_OF_HEAD)
        if separator and len(body) >= _stated_length(head) and self._answer is not None:
            answer, self._received = self._received, b""
            self._answer.set_result(answer)

    async def exchange(self, message: bytes, expected: bytes) -> bytes:
        """Sends a request and returns the body; repeats it while the answer is 503, as callers are told to.

        Raises AssertionError for another status than `expected`.
        """
        while (answer := await self._answer_to(message))[STATUS] == b"503":  # noqa: ASYNC110
            await asyncio.sleep(AGAIN_SECONDS)
        assert answer[STATUS] == expected, answer.decode(errors="replace")
        return answer.partition(_END_OF_HEAD)[2]

    async def _answer_to(self, message: bytes) -> bytes:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        return await self._answer

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.close()


def _stated_length(head: bytes) -> int:
    lowered = head.lower()
    begin = lowered.index(_LENGTH) + len(_LENGTH)
    return int(lowered[begin:].split(b"\r\n", 1)[0])


def request(method: str, url: str, key: str = "", body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    address = urlsplit(url)
    head = [f"{method} {address.path} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {key}"]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*head, "", "")).encode() + body


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[Connection]]:
    """So many connections to the server of `url`."""
    address, loop = urlsplit(url), asyncio.get_running_loop()
    host, port = address.hostname or LOOPBACK, address.port or 80
    made = [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]
    try:
        yield made
    finally:
        for connection in made:
            connection.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers at a base URL."""

    url: str
    pid: int


@dataclass(slots=True)
class Load:
    """What was asked in how long, how long each answer took, and the processor time of the process that answered."""

    seconds: float = 0.0
    core_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    def add(self, other: Load) -> None:
        """Adds another stretch of the same load."""
        self.seconds += other.seconds
        self.core_seconds += other.core_seconds
        self.latencies += other.latencies

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    @property
    def per_core(self) -> float:
        """Answers per second of the processor time of the process that answered."""
        return len(self.latencies) / self.core_seconds


async def keep_asking(
    server: Server, messages: Iterator[bytes], *, concurrency: int, seconds: float, expected: bytes
) -> Load:
    """A closed loop: each of `concurrency` connections asks again when it is answered, until time or messages end."""
    load = Load()
    process = psutil.Process(server.pid)

    async def ask(connection: Connection, deadline: float) -> None:
        for message in messages:
            began = time.perf_counter()
            if began > deadline:
                return
            await connection.exchange(message, expected)
            load.latencies.append(time.perf_counter() - began)

    async with connections(server.url, concurrency) as opened:
        began, before = time.perf_counter(), process.cpu_times()
        await asyncio.gather(*(ask(connection, began + seconds) for connection in opened))
        load.seconds, after = time.perf_counter() - began, process.cpu_times()
    load.core_seconds = after.user + after.system - before.user - before.system
    return load


def schedule(begin: float, per_second: float, count: int) -> list[float]:
    """The moments at which an open loop asks, whether or not it was answered before."""
    return [begin + number / per_second for number in range(count)]


async def keep_to_schedule(
    url: str,
    messages: Sequence[bytes],
    per_second: float,
    *,
    concurrency: int,
    expected: bytes,
    planned: Callable[[int, float], None],
    hopeless: Callable[[], bool] = lambda: False,
) -> None:
    """An open loop; returns when all is answered. Sends no more once it is `hopeless`.

    `planned(number, moment)` is called before message `number` is sent, with the moment it was due (perf_counter):
    whatever keeps it from being sent then, a busy server above all, counts as its delay.
    """
    due: asyncio.Queue[tuple[int, bytes] | None] = asyncio.Queue()

    async def send(connection: Connection) -> None:
        while (item := await due.get()) is not None:
            await connection.exchange(item[1], expected)

    async with connections(url, concurrency) as opened, asyncio.TaskGroup() as group:
        for connection in opened:
            group.create_task(send(connection))
        for number, moment in enumerate(schedule(time.perf_counter() + 0.1, per_second, len(messages))):
            # whole milliseconds, which is what the loop's clock can do: never early
            await asyncio.sleep(ceil(max(0.0, moment - time.perf_counter()) * 1000) / 1000)
            if hopeless():
                break
            planned(number, moment)
            due.put_nowait((number, messages[number]))
        for _ in opened:
            due.put_nowait(None)
