"""One PostgreSQL server as a local process."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from deploy.local.accounts import Account, hand_over, readable_copy
from deploy.local.errors import LocalStackError
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Launch, LocalProcess
from deploy.local.programs import PostgresPrograms
from deploy.local.readiness import postgres_answers, wait_until_ready

__all__ = ["POSTGRES_INITDB", "POSTGRES_SETTINGS", "LocalPostgres"]

# Containers get the same.
POSTGRES_SETTINGS: Mapping[str, str] = {
    "max_connections": "300",
    "shared_buffers": "256MB",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "jit": "off",
}
POSTGRES_INITDB = ("--encoding=UTF8", "--locale=C", "--auth=scram-sha-256")

_ADMINISTRATOR = "postgres"
_FAST_SHUTDOWN = signal.SIGINT
_START_SECONDS = 60
_RETRY_SECONDS = 10


class LocalPostgres:
    """A server from binaries. Its data and log live in `directory`, which the account must be able to reach."""

    def __init__(
        self, directory: Path, records: Path, programs: PostgresPrograms, account: Account | None, port: int
    ) -> None:
        self._directory = directory
        self._records = records
        self._account = account
        self._programs = _usable(programs, account)
        self._port = port
        self._process = LocalProcess(self._launch())

    @property
    def name(self) -> str:
        return "postgres"

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def dsn(self) -> str:
        """The administrator's address; known once the server was started for the first time."""
        password = self._password.read_text().strip()
        return f"postgresql://{_ADMINISTRATOR}:{password}@{LOOPBACK}:{self._port}/postgres"

    async def start(self) -> None:
        """Makes the data directory of a first start, starts the server and returns when it answers."""
        if not (self._data / "PG_VERSION").exists():
            await asyncio.to_thread(self._initialise)
        self._require_own_version()
        await self._start_until_the_dead_let_go()

    async def adopt(self) -> bool:
        """Takes over a server that an earlier run left behind; False when there is none that answers."""
        if not self._process.adopt():
            return False
        await self._process.resume()
        try:
            await self._ready()
        except LocalStackError:
            await self._process.kill()
            return False
        return True

    async def kill(self) -> None:
        await self._process.kill()

    async def pause(self) -> None:
        await self._process.pause()

    async def resume(self) -> None:
        await self._process.resume()

    async def stop(self) -> None:
        await self._process.resume()
        await self._process.stop(limit_seconds=20)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _unfinished(self) -> Path:
        return self._directory / "data.unfinished"

    @property
    def _password(self) -> Path:
        return self._records / "postgres.password"

    async def _start_until_the_dead_let_go(self) -> None:
        """A killed server's last children may hold its shared memory for a moment: then it is tried again."""
        deadline = asyncio.get_running_loop().time() + _RETRY_SECONDS
        while True:
            self._process.start()
            try:
                await self._ready()
            except LocalStackError:
                held = "shared memory" in self._process.last_words(5)
                if self._process.alive() or not held or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    async def _ready(self) -> None:
        try:
            await wait_until_ready(
                "PostgreSQL", lambda: postgres_answers(self.dsn), _START_SECONDS, self._process.alive
            )
        except LocalStackError as error:
            raise LocalStackError(f"{error}\n{self._process.last_words()}") from error

    def _launch(self) -> Launch:
        settings = {
            **POSTGRES_SETTINGS,
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            # Only TCP: the path of a deep checkout is longer than a socket's name may be.
            "unix_socket_directories": "",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Launch(
            name="postgres",
            command=(str(self._programs.directory / "postgres"), "-D", str(self._data), *options),
            log=self._records.parent / "postgres" / "server.log",
            record=self._records / "postgres.pid",
            environment={**os.environ, "LC_ALL": "C"},
            directory=Path("/"),
            # Its fast shutdown: the polite one would wait for every client to leave.
            stop_signal=_FAST_SHUTDOWN,
            account=self._account,
        )

    def _initialise(self) -> None:
        shutil.rmtree(self._unfinished, ignore_errors=True)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._password.parent.mkdir(parents=True, exist_ok=True)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(24) + "\n")
        handed = self._directory / "password"
        handed.touch(mode=0o600)
        handed.write_text(self._password.read_text())
        hand_over(self._directory, self._account)
        try:
            self._initdb(handed)
        finally:
            handed.unlink()
        self._unfinished.rename(self._data)

    def _initdb(self, password: Path) -> None:
        account = self._account
        answer = subprocess.run(
            [
                self._programs.directory / "initdb",
                f"--pgdata={self._unfinished}",
                f"--username={_ADMINISTRATOR}",
                f"--pwfile={password}",
                "--no-sync",
                *POSTGRES_INITDB,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            user=account.user if account else None,
            group=account.group if account else None,
            extra_groups=[] if account else None,
        )
        if answer.returncode != 0:
            raise LocalStackError(f"PostgreSQL's data directory cannot be made:\n{answer.stdout}{answer.stderr}")

    def _require_own_version(self) -> None:
        made_by = int((self._data / "PG_VERSION").read_text())
        if made_by != self._programs.version:
            raise LocalStackError(
                f"{self._data} was made by PostgreSQL {made_by}, but this is {self._programs.version}; "
                "`make reset` makes it anew"
            )


def _usable(programs: PostgresPrograms, account: Account | None) -> PostgresPrograms:
    """The same programs where the account can execute them; a wheel inside root's home is copied."""
    if not programs.from_wheel:
        return programs
    package = programs.directory.parents[1]
    place = readable_copy(package.parent, account, (package.name, f"{package.name}.libs"))
    return replace(programs, directory=place / package.name / "pginstall" / "bin")
