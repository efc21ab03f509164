"""Keeps programs running: starts them, starts again what dies, ends them in good order.

async with Supervisor([Program("gateway", command, environment)], directory) as supervisor:
    supervisor.start("gateway")
    await supervisor.wait_ready("http://127.0.0.1:8080/readyz")
    await supervisor.kill("gateway")                     SIGKILL, and it is started again
    await supervisor.kill("gateway", stay_down=True)     until start("gateway")
    await supervisor.kill("gateway", signal.SIGSTOP)     any signal
    await supervisor.stop("gateway")                     SIGTERM, drained, stays down
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx

from deploy.local.errors import LocalStackError
from deploy.local.processes import Launch, LocalProcess, end_recorded

__all__ = ["Backoff", "Program", "Supervisor"]

_POLL_SECONDS = 0.05
_LOG_LIMIT = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Program:
    """A program to keep running; the environment is added to our own."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path = Path("/")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a dead program is started again: doubled each time, until it lived for a while."""

    first_seconds: float = 0.1
    most_seconds: float = 10.0
    recovered_after_seconds: float = 10.0

    def following(self, previous: float | None, lived_seconds: float) -> float:
        """The wait after a life of this length, `previous` being the wait before it."""
        if previous is None or lived_seconds >= self.recovered_after_seconds:
            return self.first_seconds
        return min(previous * 2, self.most_seconds)


class _Watched:
    """One program, its process, and the task that starts it again."""

    def __init__(self, process: LocalProcess) -> None:
        self.process = process
        self.watch: asyncio.Task[None] | None = None
        self.restarts = 0

    async def unwatch(self) -> None:
        if self.watch is not None:
            self.watch.cancel()
            await asyncio.gather(self.watch, return_exceptions=True)
            self.watch = None


class Supervisor:
    """Programs by name. Records of their processes and their logs are kept in `directory`."""

    def __init__(
        self,
        programs: Iterable[Program],
        directory: Path,
        *,
        backoff: Backoff | None = None,
        report: Callable[[str], None] = lambda line: None,
        drain_seconds: float = 20,
    ) -> None:
        self._records = directory / "pids" / "services"
        self._logs = directory / "logs"
        self._backoff = backoff or Backoff()
        self._report = report
        self._drain_seconds = drain_seconds
        self._watched = {program.name: _Watched(LocalProcess(self._launch(program))) for program in programs}

    async def __aenter__(self) -> Supervisor:
        ended = await end_recorded(self._records, self._drain_seconds)
        if ended:
            self._report(f"ended what an earlier run had left: {', '.join(ended)}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(self.stop(name) for name in self._watched))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._watched)

    def start(self, name: str) -> None:
        """Starts a program and keeps it running; harmless when it runs. Raises LocalStackError if it cannot."""
        watched = self._of(name)
        if not watched.process.alive():
            self._start_process(watched.process)
        if watched.watch is None:
            watched.watch = asyncio.create_task(self._keep_running(watched), name=f"watch {name}")

    async def stop(self, name: str) -> None:
        """Lets a program drain (SIGTERM, after the limit SIGKILL); it stays down until `start`."""
        watched = self._of(name)
        await watched.unwatch()
        await watched.process.stop(self._drain_seconds)

    async def kill(self, name: str, number: signal.Signals = signal.SIGKILL, *, stay_down: bool = False) -> None:
        """Sends a signal to a program; after SIGKILL returns when it is gone.

        What dies of it is started again, unless it is to stay down until `start`.
        """
        watched = self._of(name)
        if stay_down:
            await watched.unwatch()
        if number is signal.SIGKILL:
            await watched.process.kill()
        else:
            watched.process.send(number)

    def pid(self, name: str) -> int | None:
        """The id of its process now; None while it is down."""
        return self._of(name).process.pid

    def restarts(self, name: str) -> int:
        """How often it was started again since `start`."""
        return self._of(name).restarts

    def log(self, name: str) -> Path:
        """The file that its output goes to."""
        return self._of(name).process.launch.log

    async def wait_ready(self, url: str, limit_seconds: float = 60) -> None:
        """Returns when `url` answers 200; raises LocalStackError with the last reason past the limit."""
        deadline = time.monotonic() + limit_seconds
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while (reason := await _reason_not_ready(client, url)) is not None:
                if time.monotonic() > deadline:
                    raise LocalStackError(f"{url} is not ready after {limit_seconds:g} s: {reason}{self._downs()}")
                await asyncio.sleep(_POLL_SECONDS)

    def _of(self, name: str) -> _Watched:
        try:
            return self._watched[name]
        except KeyError:
            raise LocalStackError(f"there is no program {name!r}; there are {', '.join(self._watched)}") from None

    def _launch(self, program: Program) -> Launch:
        return Launch(
            name=program.name,
            command=program.command,
            log=self._logs / f"{program.name}.log",
            record=self._records / f"{program.name}.pid",
            environment={**os.environ, **program.environment},
            directory=program.directory,
        )

    def _start_process(self, process: LocalProcess) -> None:
        _rotate(process.launch.log)
        process.start()

    async def _keep_running(self, watched: _Watched) -> None:
        wait: float | None = None
        while True:
            began = time.monotonic()
            while watched.process.alive():  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)
            wait = self._backoff.following(wait, time.monotonic() - began)
            code = watched.process.exit_code
            self._report(f"{watched.process.name} ended with {_describe(code)}; starting it again in {wait:g} s")
            await asyncio.sleep(wait)
            watched.restarts += 1
            self._start_process(watched.process)

    def _downs(self) -> str:
        """The last words of what is down or was started again, for a message."""
        troubled = [watched for watched in self._watched.values() if watched.restarts or not watched.process.alive()]
        return "".join(f"\n--- {watched.process.launch.log}\n{watched.process.last_words()}" for watched in troubled)


async def _reason_not_ready(client: httpx.AsyncClient, url: str) -> str | None:
    try:
        answer = await client.get(url)
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    return None if answer.status_code == httpx.codes.OK else f"{answer.status_code} {answer.text[:500]}"


def _describe(code: int | None) -> str:
    if code is None:
        return "an unknown code"
    return signal.Signals(-code).name if code < 0 else f"code {code}"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
