"""The local rungs of the ladder start real servers, break them and mend them, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.databases import database_dsn
from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import CHECKOUT, DirectoryInUseError, Infrastructure, Rung, cache_directory, reset
from deploy.local.infrastructure import infrastructure as start
from deploy.local.jars import read_lock
from deploy.local.kafka import KAFKA_VERSION
from deploy.local.programs import OLDEST_POSTGRES, postgres_programs
from deploy.local.readiness import kafka_answers, postgres_answers
from deploy.local.services import SERVICES
from tests.support.infrastructure import Databases


@pytest_asyncio.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Path]:
    """A directory for a ladder of the test's own; what was kept outside of it for another account goes as well."""
    yield tmp_path / "own"
    await reset(tmp_path / "own")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def append(bootstrap: str, topic: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def create_topic(bootstrap: str, topic: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        await client.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await client.close()


async def values_of(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_the_wheels_alone_carry_a_stack_through_kills_and_a_later_run(directory: Path) -> None:
    async with start(directory, rung=Rung.WHEELS) as found:
        await _use(found)
        await _break_and_mend(found)
        addresses = (found.kafka, found.postgres)
        pids = [found.broker.pid, found.database.pid]
    assert not any(is_alive(pid) for pid in pids if pid is not None)

    async with start(directory, rung=Rung.WHEELS) as again:
        assert (again.kafka, again.postgres) == addresses
        assert await values_of(again.kafka, "kept", 3) == [b"one", b"two", b"three"]
        async with connected(again.postgres) as connection:
            assert await connection.fetchval("SELECT count(*) FROM kept") == 2


async def _use(found: Infrastructure) -> None:
    await create_topic(found.kafka, "kept")
    await append(found.kafka, "kept", b"one")
    async with connected(found.postgres) as connection:
        await connection.execute("CREATE EXTENSION pg_trgm; CREATE TABLE kept (name text)")
        await connection.execute("INSERT INTO kept VALUES ('王小明')")
        settings = [await connection.fetchval(f"SHOW {name}") for name in ("server_encoding", "max_connections")]
        version = await connection.fetchval("SHOW server_version_num")
    assert settings == ["UTF8", "300"]
    assert int(version) // 10_000 >= OLDEST_POSTGRES


async def _break_and_mend(found: Infrastructure) -> None:
    await found.broker.kill()
    await found.database.kill()
    assert (found.broker.pid, found.database.pid) == (None, None)
    with pytest.raises(OSError, match="Connect"):
        await postgres_answers(found.postgres)
    with pytest.raises(OSError, match="Connect"):
        await kafka_answers(found.kafka)
    await found.broker.restart()
    await found.database.restart()
    await append(found.kafka, "kept", b"two")

    await found.broker.pause()
    await found.database.pause()
    with pytest.raises(TimeoutError):
        await asyncpg.connect(found.postgres, timeout=0.5)
    await found.broker.resume()
    await found.database.resume()
    await append(found.kafka, "kept", b"three")
    async with connected(found.postgres) as connection:
        await connection.execute("INSERT INTO kept VALUES ('Ann')")


async def test_two_runs_never_share_a_directory(directory: Path, infrastructure: Infrastructure) -> None:
    environment = {"RAPPORT_KAFKA": infrastructure.kafka, "RAPPORT_POSTGRES": infrastructure.postgres}
    async with _given(directory, environment):
        with pytest.raises(DirectoryInUseError, match="is in use by process"):
            await reset(directory)


async def test_given_addresses_are_used_and_never_touched(tmp_path: Path, infrastructure: Infrastructure) -> None:
    environment = {"RAPPORT_KAFKA": infrastructure.kafka, "RAPPORT_POSTGRES": infrastructure.postgres}
    async with _given(tmp_path, environment) as found:
        assert (found.kafka, found.postgres) == (infrastructure.kafka, infrastructure.postgres)
        with pytest.raises(LocalStackError, match="not ours"):
            await found.broker.kill()
    await kafka_answers(infrastructure.kafka)


async def test_half_given_addresses_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="RAPPORT_POSTGRES is not set"):
        async with _given(tmp_path, {"RAPPORT_KAFKA": "127.0.0.1:1"}):
            pass


@asynccontextmanager
async def _given(directory: Path, environment: dict[str, str]) -> AsyncIterator[Infrastructure]:
    async with start(directory, environment=environment) as found:
        yield found


RUN_THAT_IS_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from deploy.local.infrastructure import infrastructure as start

async def main():
    async with start(Path(sys.argv[1])) as found:
        print(found.broker.pid, found.database.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_servers_that_outlived_their_run_are_taken_over(directory: Path) -> None:
    environment = {**os.environ, "RAPPORT_INFRASTRUCTURE": Rung.LOCAL}
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN_THAT_IS_KILLED, directory, cwd=CHECKOUT, env=environment, stdout=PIPE
    )
    printed, _ = await killed.communicate()
    left = [int(pid) for pid in printed.split()]
    assert len(left) == 2
    assert all(is_alive(pid) for pid in left)

    async with start(directory, rung=Rung.LOCAL) as found:
        assert [found.broker.pid, found.database.pid] == left
    assert not any(is_alive(pid) for pid in left)


async def test_databases_are_copies_of_a_template_that_is_migrated_once(databases: Databases) -> None:
    migrated = []

    async def migrate(dsn: str) -> None:
        migrated.append(dsn)
        async with connected(dsn) as connection:
            await connection.execute("CREATE TABLE profile (id int)")

    for _ in range(2):
        template = await databases.template("example", migrate)
        async with databases.fresh(template) as dsn, connected(dsn) as connection:
            await connection.execute("INSERT INTO profile VALUES (1)")
            assert await connection.fetchval("SELECT count(*) FROM profile") == 1
    assert len(migrated) == 1


def test_the_broker_is_of_the_locked_version() -> None:
    assert {jar.version for jar in read_lock() if jar.group == "org.apache.kafka"} == {KAFKA_VERSION}


async def test_the_containers_database_script_closes_each_database_to_the_others(directory: Path) -> None:
    passwords = {service: f"password-of-{service}" for service in SERVICES}
    async with start(directory, rung=Rung.LOCAL) as found:
        await _run_database_script(found.postgres, passwords)
        for service in SERVICES:
            name = f"rapport_{service}"
            async with connected(database_dsn(found.postgres, name, passwords[service])) as connection:
                await connection.execute("CREATE EXTENSION pg_trgm; CREATE TABLE kept (name text)")
        stranger = database_dsn(found.postgres, "rapport_ticket", passwords["ticket"])
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(stranger, database="rapport_customer")


async def _run_database_script(administrator: str, passwords: dict[str, str]) -> None:
    address = urlsplit(administrator)
    environment = {
        **{f"RAPPORT_{service.upper()}_PASSWORD": password for service, password in passwords.items()},
        "PATH": f"{postgres_programs(system=True).directory}:{os.environ['PATH']}",
        "PGHOST": str(address.hostname),
        "PGPORT": str(address.port),
        "PGPASSWORD": str(address.password),
    }
    script = CHECKOUT / "deploy" / "postgres" / "databases.sh"
    process = await asyncio.create_subprocess_exec("bash", script, env=environment, stderr=PIPE)
    _, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()


async def test_a_docker_that_cannot_run_the_images_is_stepped_over_unless_it_is_forced(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    docker = programs / "docker"
    docker.write_text('#!/bin/sh\n[ "$1" = version ] && echo 28.0 && exit 0\necho "no such image" >&2\nexit 1\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    environment = {"RAPPORT_CACHE": str(cache_directory())}
    lines: list[str] = []
    async with start(directory, environment=environment, report=lines.append) as found:
        assert found.rung is Rung.LOCAL
    assert any("no such image" in line for line in lines)
    with pytest.raises(LocalStackError, match="no such image"):
        async with start(directory, rung=Rung.DOCKER, environment=environment):
            pass
