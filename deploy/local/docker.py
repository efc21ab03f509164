"""Kafka and PostgreSQL in containers, with the images and settings of the compose file."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.kafka import KAFKA_SETTINGS, KAFKA_VERSION
from deploy.local.ports import LOOPBACK, PortBook
from deploy.local.postgres import POSTGRES_SETTINGS
from deploy.local.readiness import kafka_answers, postgres_answers, wait_until_ready

__all__ = [
    "KAFKA_IMAGE",
    "POSTGRES_IMAGE",
    "ContainerServer",
    "containers",
    "is_available",
    "kafka_environment",
    "kafka_variables",
    "postgres_command",
    "postgres_variables",
]

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = "postgres:18"

_START_SECONDS = 120


async def is_available() -> bool:
    """Whether a Docker engine answers here."""
    if shutil.which("docker") is None:
        return False
    try:
        await asyncio.wait_for(_docker("version", "--format", "{{.Server.Version}}"), timeout=10)
    except (LocalStackError, TimeoutError):
        return False
    return True


class ContainerServer:
    """A server in a container of its own."""

    def __init__(self, name: str, container: str, address: str, answers: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self.address = address
        self._container = container
        self._answers = answers

    @property
    def pid(self) -> int | None:
        """None: the engine may run on another machine."""
        return None

    async def kill(self) -> None:
        await _docker("kill", "--signal", "KILL", self._container)

    async def pause(self) -> None:
        await _docker("pause", self._container)

    async def resume(self) -> None:
        await _docker("unpause", self._container)

    async def stop(self) -> None:
        await _docker("stop", "-t", "20", self._container)

    async def restart(self) -> None:
        await _docker("restart", "-t", "20", self._container)
        await self.ready()

    async def ready(self) -> None:
        """Returns when a client gets an answer; raises LocalStackError when that takes too long."""
        await wait_until_ready(f"the {self.name} container", self._answers, _START_SECONDS)


@asynccontextmanager
async def containers(
    directory: Path, report: Callable[[str], None]
) -> AsyncIterator[tuple[ContainerServer, ContainerServer]]:
    """Runs a broker and a database in containers, their data in volumes named after `directory`.

    The containers are removed at the end, the volumes stay; leftovers of a run that died are replaced.
    """
    # Before anything is noted on disk: an engine that refuses this made nothing that must be removed later.
    await _docker("ps", "--quiet")
    prefix = container_prefix(directory)
    ports = PortBook(directory / "ports.json")
    await _remove(prefix)
    report(f"starting {KAFKA_IMAGE} and {POSTGRES_IMAGE}")
    try:
        broker = await _start_kafka(prefix, ports.port("kafka", keep=False))
        database = await _start_postgres(prefix, ports.port("postgres", keep=False), _password(directory))
        await asyncio.gather(broker.ready(), database.ready())
        yield broker, database
    finally:
        await _remove(prefix)


def container_prefix(directory: Path) -> str:
    """What the names of this directory's containers and volumes begin with; the same for every run."""
    file = _prefix_file(directory)
    if not file.exists():
        file.write_text(f"rapport-{secrets.token_hex(4)}")
    return file.read_text().strip()


def _prefix_file(directory: Path) -> Path:
    return directory / "container-prefix"


async def remove_leftovers(directory: Path) -> None:
    """Removes the containers and the data that earlier runs in this directory made; harmless where there are none."""
    if not _prefix_file(directory).exists():
        return
    prefix = container_prefix(directory)
    await _remove(prefix)
    for name in ("kafka", "postgres"):
        await _docker("volume", "rm", "--force", f"{prefix}-{name}")


def kafka_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Broker settings as the image's environment: `node.id` becomes `KAFKA_NODE_ID`."""
    return {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in settings.items()}


def kafka_variables(address: str) -> dict[str, str]:
    """The environment of a broker's container that clients reach at `address`, which leads to its port 9092."""
    settings = {
        **KAFKA_SETTINGS,
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{address}",
        "controller.quorum.voters": "1@localhost:9093",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": "/var/lib/kafka/data",
    }
    return {**kafka_environment(settings), "KAFKA_HEAP_OPTS": "-Xms256m -Xmx384m"}


def postgres_variables(password: str) -> dict[str, str]:
    """The environment of a database's container."""
    return {"POSTGRES_PASSWORD": password, "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C"}


def postgres_command() -> list[str]:
    """The command of a database's container."""
    return ["postgres", *(part for name, value in POSTGRES_SETTINGS.items() for part in ("-c", f"{name}={value}"))]


async def _start_kafka(prefix: str, port: int) -> ContainerServer:
    address = f"{LOOPBACK}:{port}"
    variables = kafka_variables(address)
    await _run(f"{prefix}-kafka", f"{LOOPBACK}:{port}:9092", "/var/lib/kafka/data", variables, KAFKA_IMAGE)
    return ContainerServer("kafka", f"{prefix}-kafka", address, lambda: kafka_answers(address))


async def _start_postgres(prefix: str, port: int, password: str) -> ContainerServer:
    dsn = f"postgresql://postgres:{password}@{LOOPBACK}:{port}/postgres"
    await _run(
        f"{prefix}-postgres",
        f"{LOOPBACK}:{port}:5432",
        "/var/lib/postgresql",
        postgres_variables(password),
        POSTGRES_IMAGE,
        *postgres_command(),
    )
    return ContainerServer("postgres", f"{prefix}-postgres", dsn, lambda: postgres_answers(dsn))


async def _run(name: str, publish: str, data: str, environment: Mapping[str, str], image: str, *command: str) -> None:
    variables = [part for key, value in environment.items() for part in ("--env", f"{key}={value}")]
    volume = f"{name}:{data}"
    await _docker(
        "run", "--detach", "--name", name, "--publish", publish, "--volume", volume, "--shm-size", "256m",
        *variables, image, *command,
    )  # fmt: skip


async def _remove(prefix: str) -> None:
    listed = await _docker("ps", "--all", "--quiet", "--filter", f"name=^{prefix}-")
    if listed:
        await _docker("rm", "--force", *listed.split())


def _password(directory: Path) -> str:
    file = directory / "pids" / "postgres.password"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(24) + "\n")
    return file.read_text().strip()


async def _docker(*arguments: str) -> str:
    """Runs one docker command and returns what it printed; raises LocalStackError with what it complained of."""
    process = await asyncio.create_subprocess_exec(
        "docker",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaint = await process.communicate()
    if process.returncode != 0:
        raise LocalStackError(f"docker {arguments[0]}: {complaint.decode(errors='replace').strip()}")
    return output.decode().strip()
