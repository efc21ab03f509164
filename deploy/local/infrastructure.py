"""Kafka and PostgreSQL by the ladder: addresses given, else Docker, else processes of this machine.

    from pathlib import Path
    from deploy.local.infrastructure import infrastructure

    async with infrastructure(Path(".rapport/try")) as found:
        found.kafka                      "127.0.0.1:23456", bootstrap servers
        found.postgres                   "postgresql://postgres:...@127.0.0.1:24567/postgres", the administrator
        await found.broker.kill()        SIGKILL; also pause(), resume(), stop(), restart(), .pid
        await found.database.restart()   same address, same data; returns when it answers
    everything that was started is stopped here, data is kept in the directory

RAPPORT_KAFKA and RAPPORT_POSTGRES give addresses. RAPPORT_INFRASTRUCTURE forces a rung: `given`, `docker`,
`local` (the system's Java and PostgreSQL where they are new enough, else those in wheels), `wheels` (only those
in wheels). RAPPORT_CACHE is where Kafka's jars are kept, `.rapport/cache` of the checkout unless set.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from deploy.local import docker
from deploy.local.accounts import reachable_place, remove_place, unprivileged_account
from deploy.local.errors import LocalStackError
from deploy.local.jars import kafka_jars
from deploy.local.kafka import LocalKafka
from deploy.local.ports import PortBook
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import end_recorded, recorded_process
from deploy.local.programs import java_program, postgres_programs
from deploy.local.readiness import kafka_answers, postgres_answers, wait_until_ready
from deploy.local.servers import GivenServer, Server

__all__ = ["CHECKOUT", "DirectoryInUseError", "Infrastructure", "Rung", "cache_directory", "infrastructure", "reset"]

CHECKOUT = Path(__file__).resolve().parents[2]

_LOCK = "lock"


class Rung(StrEnum):
    """Where Kafka and PostgreSQL come from."""

    GIVEN = "given"
    DOCKER = "docker"
    LOCAL = "local"
    WHEELS = "wheels"


class DirectoryInUseError(LocalStackError):
    """Another process keeps its infrastructure in this directory."""

    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(f"{directory} is in use by process {holder}")
        self.holder = holder


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """Kafka and PostgreSQL, ready, with the means to break and mend each of them."""

    rung: Rung
    kafka: str
    postgres: str
    broker: Server
    database: Server


@asynccontextmanager
async def infrastructure(
    directory: Path,
    *,
    rung: Rung | None = None,
    fresh: bool = False,
    environment: Mapping[str, str] = os.environ,
    report: Callable[[str], None] = lambda line: None,
) -> AsyncIterator[Infrastructure]:
    """Starts what is needed, gives it, and stops what it started; data stays in `directory`.

    What an earlier run that died left running in `directory` is taken over; with `fresh` it is ended and its data
    removed first. Raises LocalStackError with the reason when a rung that was forced, or the last one, cannot be had,
    and DirectoryInUseError when another process is using `directory`.
    """
    forced = rung or _forced_rung(environment)
    with sole_user(directory) as directory:
        if fresh:
            await _empty(directory)
        async with AsyncExitStack() as stack:
            for candidate in (forced,) if forced else await _rungs(environment):
                try:
                    found = await stack.enter_async_context(_step(candidate, directory, environment, report))
                except LocalStackError as error:
                    if forced or candidate is not Rung.DOCKER:
                        raise
                    report(f"Docker is there but of no use ({error}); starting local processes instead")
                else:
                    break
            yield found


async def reset(directory: Path) -> None:
    """Ends what still runs in `directory` and removes all its data; raises DirectoryInUseError while it is in use."""
    with sole_user(directory) as directory:
        await _empty(directory)


def cache_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where downloads are kept between runs; several checkouts may share one by RAPPORT_CACHE."""
    given = environment.get("RAPPORT_CACHE")
    return Path(given).resolve() if given else CHECKOUT / ".rapport" / "cache"


def _forced_rung(environment: Mapping[str, str]) -> Rung | None:
    name = environment.get("RAPPORT_INFRASTRUCTURE")
    if not name:
        return None
    try:
        return Rung(name)
    except ValueError:
        known = ", ".join(Rung)
        raise LocalStackError(f"RAPPORT_INFRASTRUCTURE is {name!r}; it may be one of {known}") from None


async def _rungs(environment: Mapping[str, str]) -> tuple[Rung, ...]:
    """The rungs to try in order; given addresses stand alone, for a wrong one must not go unnoticed."""
    if environment.get("RAPPORT_KAFKA") or environment.get("RAPPORT_POSTGRES"):
        return (Rung.GIVEN,)
    return (Rung.DOCKER, Rung.LOCAL) if await docker.is_available() else (Rung.LOCAL,)


def _step(
    rung: Rung, directory: Path, environment: Mapping[str, str], report: Callable[[str], None]
) -> AbstractAsyncContextManager[Infrastructure]:
    if rung is Rung.GIVEN:
        return _given(environment)
    if rung is Rung.DOCKER:
        return _containers(directory, report)
    return _processes(directory, rung, environment, report)


@asynccontextmanager
async def _given(environment: Mapping[str, str]) -> AsyncIterator[Infrastructure]:
    missing = [name for name in ("RAPPORT_KAFKA", "RAPPORT_POSTGRES") if not environment.get(name)]
    if missing:
        raise LocalStackError(f"addresses are given only in part: {' and '.join(missing)} is not set")
    kafka, postgres = environment["RAPPORT_KAFKA"], environment["RAPPORT_POSTGRES"]
    await wait_until_ready("the Kafka of RAPPORT_KAFKA", lambda: kafka_answers(kafka), 30)
    await wait_until_ready("the PostgreSQL of RAPPORT_POSTGRES", lambda: postgres_answers(postgres), 30)
    yield Infrastructure(Rung.GIVEN, kafka, postgres, GivenServer("kafka"), GivenServer("postgres"))


@asynccontextmanager
async def _containers(directory: Path, report: Callable[[str], None]) -> AsyncIterator[Infrastructure]:
    async with docker.containers(directory, report) as (broker, database):
        yield Infrastructure(Rung.DOCKER, broker.address, database.address, broker, database)


@asynccontextmanager
async def _processes(
    directory: Path, rung: Rung, environment: Mapping[str, str], report: Callable[[str], None]
) -> AsyncIterator[Infrastructure]:
    system = rung is Rung.LOCAL
    ports = PortBook(directory / "ports.json")
    records = directory / "pids"
    kafka_runs = recorded_process(records / "kafka.pid") is not None
    postgres_runs = recorded_process(records / "postgres.pid") is not None
    kafka = LocalKafka(
        directory / "kafka",
        records,
        java_program(system=system),
        await asyncio.to_thread(kafka_jars, cache_directory(environment), report),
        ports.port("kafka", keep=kafka_runs),
        ports.port("kafka-controller", keep=kafka_runs),
    )
    account = unprivileged_account()
    postgres = LocalPostgres(
        reachable_place(directory / "postgres", account),
        records,
        postgres_programs(system=system),
        account,
        ports.port("postgres", keep=postgres_runs),
    )
    try:
        await _start_together(kafka, postgres)
        yield Infrastructure(rung, kafka.bootstrap, postgres.dsn, kafka, postgres)
    finally:
        await asyncio.gather(kafka.stop(), postgres.stop())


async def _start_together(kafka: LocalKafka, postgres: LocalPostgres) -> None:
    try:
        async with asyncio.TaskGroup() as starting:
            starting.create_task(_adopt_or_start(kafka))
            starting.create_task(_adopt_or_start(postgres))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _adopt_or_start(server: LocalKafka | LocalPostgres) -> None:
    if not await server.adopt():
        await server.start()


async def _empty(directory: Path) -> None:
    await end_recorded(directory / "pids")
    await docker.remove_leftovers(directory)
    _clear(directory)


def _clear(directory: Path) -> None:
    remove_place(directory / "postgres", unprivileged_account())
    for child in directory.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        elif child.name != _LOCK:
            child.unlink()


@contextmanager
def sole_user(directory: Path) -> Iterator[Path]:
    """Holds the directory, made if need be, for this process; the lock goes with the process, however it ends."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise DirectoryInUseError(directory, file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield directory.resolve()
        file.truncate(0)
