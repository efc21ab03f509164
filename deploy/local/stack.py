"""The whole of Rapport on one machine: databases, topics, migrations, five services, a key to enter with.

async with infrastructure(directory) as found, running_stack(found, directory, ports) as stack:
    stack.gateway, stack.key, stack.supervisor, stack.addresses.databases["customer"]
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.databases import ensure_databases
from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import Infrastructure
from deploy.local.ports import PortBook, require_free
from deploy.local.secret_book import SecretBook
from deploy.local.services import (
    PORT_OFFSETS,
    PROCESSES,
    SERVICES,
    ServiceAddresses,
    apply_topics,
    create_key,
    migrate,
    service_programs,
)
from deploy.local.supervisor import Program, Supervisor

__all__ = [
    "Stack",
    "Step",
    "default_ports",
    "free_ports",
    "prepare",
    "read_addresses",
    "read_key",
    "running_stack",
    "secrets_of",
]

DEFAULT_PORT_BASE = 8080
PORT_BASE_SETTING = "RAPPORT_PORT_BASE"
KEY_FILE = "demo-key"
ADDRESSES_FILE = "addresses.json"

Step = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack."""

    infrastructure: Infrastructure
    supervisor: Supervisor
    addresses: ServiceAddresses
    key: str

    @property
    def gateway(self) -> str:
        """The gateway's base URL."""
        return self.addresses.url("gateway")


def default_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """The processes' fixed ports; RAPPORT_PORT_BASE moves them together."""
    text = environment.get(PORT_BASE_SETTING) or str(DEFAULT_PORT_BASE)
    if not text.isdecimal() or not 1 <= int(text) <= 65_535 - len(PROCESSES):
        raise LocalStackError(f"{PORT_BASE_SETTING} is {text!r}; it must be a port number")
    return {process: int(text) + offset for process, offset in PORT_OFFSETS.items()}


def free_ports(directory: Path) -> dict[str, int]:
    """Free ports for the processes, kept in `directory`: what tests use."""
    book = PortBook(directory / "service-ports.json")
    return {process: book.port(process, keep=False) for process in PROCESSES}


def secrets_of(directory: Path) -> SecretBook:
    """The secrets of the stack in `directory`."""
    return SecretBook(directory / "secrets.json")


async def prepare(
    infrastructure: Infrastructure,
    directory: Path,
    ports: Mapping[str, int],
    *,
    step: Step = lambda title: nullcontext(),
) -> ServiceAddresses:
    """Makes databases and topics and applies migrations, as far as they are missing; returns where everything is."""
    book = secrets_of(directory)
    with step("roles and databases"):
        databases = await ensure_databases(infrastructure.postgres, SERVICES, book)
    addresses = ServiceAddresses(infrastructure.kafka, databases, ports)
    with step("topics"):
        await apply_topics(infrastructure.kafka)
    with step("migrations"):
        await migrate(addresses)
    _write_addresses(directory, addresses)
    return addresses


def read_addresses(directory: Path) -> ServiceAddresses | None:
    """Where everything of the stack in `directory` is; None before it was prepared for the first time."""
    file = directory / ADDRESSES_FILE
    return ServiceAddresses(**json.loads(file.read_text())) if file.exists() else None


def _write_addresses(directory: Path, addresses: ServiceAddresses) -> None:
    file = directory / ADDRESSES_FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(asdict(addresses)))


@asynccontextmanager
async def running_stack(
    infrastructure: Infrastructure,
    directory: Path,
    ports: Mapping[str, int],
    *,
    step: Step = lambda title: nullcontext(),
    report: Callable[[str], None] = lambda line: None,
    variables: Mapping[str, str] | None = None,
    arrange: Callable[[list[Program]], list[Program]] = lambda programs: programs,
) -> AsyncIterator[Stack]:
    """Prepares what is missing, runs the five services until the end, and stops them.

    `variables` are added to every service's environment; `arrange` may alter the programs and add to them, and
    what it adds waits for the supervisor's `start`. Repeatable on the same `directory` and servers: nothing is made
    twice. Raises LocalStackError with the reason when something does not start.
    """
    book = secrets_of(directory)
    addresses = await prepare(infrastructure, directory, ports, step=step)
    programs = arrange(service_programs(addresses, book, variables or {}))
    async with Supervisor(programs, directory, report=report) as supervisor:
        require_free(dict(ports), PORT_BASE_SETTING)
        with step("five services"):
            await _start_all(supervisor, addresses)
        with step("a key for the gateway"):
            key = await _ensure_key(directory, addresses, book)
        yield Stack(infrastructure, supervisor, addresses, key)


async def _start_all(supervisor: Supervisor, addresses: ServiceAddresses) -> None:
    for process in PROCESSES:
        supervisor.start(process)
    try:
        async with asyncio.TaskGroup() as group:
            for process in PROCESSES:
                group.create_task(supervisor.wait_ready(f"{addresses.url(process)}/readyz"))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _ensure_key(directory: Path, addresses: ServiceAddresses, book: SecretBook) -> str:
    key = read_key(directory)
    if key is None:
        key = await create_key(addresses, book)
        _write_key(directory, key)
    return key


def read_key(directory: Path) -> str | None:
    """The gateway key of the stack in `directory`; None before its first start was complete."""
    file = directory / KEY_FILE
    return file.read_text().strip() if file.exists() else None


def _write_key(directory: Path, key: str) -> None:
    file = directory / KEY_FILE
    file.touch(mode=0o600)
    file.write_text(f"{key}\n")
