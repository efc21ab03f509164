"""Kafka and PostgreSQL of a test session in containers, by testcontainers, with the images of the compose file.

testcontainers removes what a session leaves behind, however the session ended. Its own Kafka container belongs to
brokers with ZooKeeper, so the broker is a plain container.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from testcontainers.core.container import DockerContainer

from deploy.local.docker import (
    KAFKA_IMAGE,
    POSTGRES_IMAGE,
    ContainerServer,
    is_available,
    kafka_variables,
    postgres_command,
    postgres_variables,
)
from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import Infrastructure, Rung
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.readiness import kafka_answers, postgres_answers

VARIABLE: Final = "RAPPORT_TEST_CONTAINERS"
_OTHER_WISHES: Final = ("RAPPORT_KAFKA", "RAPPORT_POSTGRES", "RAPPORT_INFRASTRUCTURE")


def wants_containers(environment: Mapping[str, str]) -> bool:
    """Whether the tests use containers: only where `RAPPORT_TEST_CONTAINERS` is 1.

    Raises LocalStackError for another value than 0 and 1, and for a second wish beside it.
    """
    wish = environment.get(VARIABLE, "0")
    if wish not in ("0", "1"):
        raise LocalStackError(f"{VARIABLE} is {wish!r}; it must be 0 or 1")
    others = [name for name in _OTHER_WISHES if environment.get(name)]
    if wish == "1" and others:
        raise LocalStackError(f"{VARIABLE} and {others[0]} contradict each other")
    return wish == "1"


@asynccontextmanager
async def infrastructure_in_containers() -> AsyncIterator[Infrastructure]:
    """A broker and a database of this session alone. Raises LocalStackError where no Docker engine answers."""
    if not await is_available():
        raise LocalStackError(f"{VARIABLE} is 1, and no Docker engine answers here")
    kafka_port = free_port()
    postgres_port = free_port([kafka_port])
    address, password = f"{LOOPBACK}:{kafka_port}", secrets.token_urlsafe(24)
    dsn = f"postgresql://postgres:{password}@{LOOPBACK}:{postgres_port}/postgres"
    kafka = _container(KAFKA_IMAGE, kafka_variables(address), 9092, kafka_port)
    postgres = _container(POSTGRES_IMAGE, postgres_variables(password), 5432, postgres_port)
    postgres.with_command(postgres_command())
    try:
        await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
        broker = ContainerServer("kafka", kafka.get_container_id(), address, lambda: kafka_answers(address))
        database = ContainerServer("postgres", postgres.get_container_id(), dsn, lambda: postgres_answers(dsn))
        await asyncio.gather(broker.ready(), database.ready())
        yield Infrastructure(Rung.DOCKER, address, dsn, broker, database)
    finally:
        await asyncio.gather(asyncio.to_thread(kafka.stop), asyncio.to_thread(postgres.stop))


def _container(image: str, variables: Mapping[str, str], inside: int, outside: int) -> DockerContainer:
    container = DockerContainer(image, shm_size="256m").with_envs(**variables)
    # Not by `with_bind_ports`, which publishes on every interface: nobody but this machine is to reach the servers.
    container.ports.update(published(inside, outside))
    return container


def published(inside: int, outside: int) -> dict[str, Any]:
    """The port of a container that is reached as `outside` from this machine alone, as Docker's client takes it."""
    return {f"{inside}/tcp": (LOOPBACK, outside)}
