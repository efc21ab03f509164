"""Processes that are recorded on disk: started, recognised again after a crash of ours, ended by their id."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from deploy.local.accounts import Account
from deploy.local.errors import LocalStackError

__all__ = ["Launch", "LocalProcess", "end_recorded", "recorded_process"]

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Launch:
    """All that is needed to start one process, the same way each time."""

    name: str
    command: tuple[str, ...]
    log: Path
    record: Path
    environment: Mapping[str, str]
    directory: Path
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = field(default=None)


class LocalProcess:
    """One process and its descendants. At most one instance of it runs at a time."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self._child: subprocess.Popen[bytes] | None = None
        self._process: psutil.Process | None = None

    @property
    def name(self) -> str:
        return self.launch.name

    @property
    def pid(self) -> int | None:
        """Its id while it is alive, stopped by a signal included."""
        return self._process.pid if self._process is not None and self.alive() else None

    def alive(self) -> bool:
        """Whether it exists; a child that ended is reaped by this call."""
        if self._process is None or not _exists(self._process):
            self._reap()
            return False
        return True

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs, and for a process that another of our runs had started."""
        return self._child.poll() if self._child is not None else None

    def start(self) -> None:
        """Starts it and records its id; raises LocalStackError when the command cannot be executed."""
        launch = self.launch
        if self.alive():
            raise LocalStackError(f"{launch.name} runs already as pid {self.pid}")
        for path in (launch.log, launch.record):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._child = _spawn(launch)
        self._process = psutil.Process(self._child.pid)
        _write_record(launch, self._process)

    def adopt(self) -> bool:
        """Takes over the process of its record when that one is still alive; returns whether it is."""
        self._process = recorded_process(self.launch.record)
        self._child = None
        return self._process is not None

    async def kill(self) -> None:
        """SIGKILL to it and all its descendants; returns when they are gone. Harmless when it is dead."""
        await self._end(signal.SIGKILL, 10)

    async def stop(self, limit_seconds: float = 20) -> None:
        """Asks it to end and, past the limit, kills it; returns when it is gone and its record removed."""
        if self.alive() and self._process is not None:
            _send(self._process, signal.SIGCONT)
            _send(self._process, self.launch.stop_signal)
            if not await self._gone(limit_seconds):
                await self.kill()
        self.launch.record.unlink(missing_ok=True)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the process alone; harmless when it is dead."""
        if self.alive() and self._process is not None:
            _send(self._process, number)

    async def pause(self) -> None:
        """SIGSTOP to it and all its descendants: it keeps its connections and answers nothing."""
        for process in self._tree():
            _send(process, signal.SIGSTOP)

    async def resume(self) -> None:
        """SIGCONT to it and all its descendants."""
        for process in self._tree():
            _send(process, signal.SIGCONT)

    def last_words(self, lines: int = 15) -> str:
        """The end of its log."""
        try:
            text = self.launch.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _tree(self) -> list[psutil.Process]:
        if self._process is None or not self.alive():
            return []
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    async def _end(self, number: signal.Signals, limit_seconds: float) -> None:
        tree = self._tree()
        for process in tree:
            _send(process, number)
        deadline = time.monotonic() + limit_seconds
        while self.alive() or any(_exists(process) for process in tree[1:]):
            if time.monotonic() > deadline:
                raise LocalStackError(f"{self.name} did not end within {limit_seconds:g} s of {number.name}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _gone(self, limit_seconds: float) -> bool:
        deadline = time.monotonic() + limit_seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True


async def end_recorded(directory: Path, limit_seconds: float = 20) -> list[str]:
    """Ends every process that a record in or below `directory` still names; returns the names of those it ended.

    A record whose process is gone, or whose id now belongs to another process, is only removed.
    """
    ended = []
    for record in _records(directory):
        process = recorded_process(record)
        if process is not None:
            number = signal.Signals(_read_record(record).get("stop_signal", signal.SIGTERM))
            await _end_other(process, number, limit_seconds)
            ended.append(record.stem)
        record.unlink(missing_ok=True)
    return ended


async def _end_other(process: psutil.Process, number: signal.Signals, limit_seconds: float) -> None:
    _send(process, signal.SIGCONT)
    _send(process, number)
    deadline = time.monotonic() + limit_seconds
    while _exists(process):
        if time.monotonic() > deadline:
            _send(process, signal.SIGKILL)
        await asyncio.sleep(_POLL_SECONDS)


def _spawn(launch: Launch) -> subprocess.Popen[bytes]:
    account = launch.account
    with launch.log.open("ab") as log:
        try:
            # A session of its own: Ctrl-C at the terminal reaches us alone, and we stop things in order.
            return subprocess.Popen(
                launch.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(launch.environment),
                cwd=launch.directory,
                start_new_session=True,
                user=account.user if account else None,
                group=account.group if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as error:
            raise LocalStackError(f"{launch.name} cannot be started: {error}") from error


def _write_record(launch: Launch, process: psutil.Process) -> None:
    record = {
        "pid": process.pid,
        "created": process.create_time(),
        "program": launch.command[0],
        "stop_signal": int(launch.stop_signal),
    }
    partial = launch.record.with_suffix(".partial")
    partial.write_text(json.dumps(record))
    partial.replace(launch.record)


def _records(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.pid"))


def _read_record(record: Path) -> dict[str, Any]:
    try:
        written = json.loads(record.read_text())
    except (OSError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}


def recorded_process(record: Path) -> psutil.Process | None:
    """The living process that `record` names; None when it is gone or its id is another's by now."""
    written = _read_record(record)
    try:
        process = psutil.Process(int(written["pid"]))
        # The tolerance allows for a clock that was set meanwhile.
        same = abs(process.create_time() - float(written["created"])) < 2
        same = same and process.cmdline()[:1] == [written["program"]]
    except (ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process if same and _exists(process) else None


def _exists(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
