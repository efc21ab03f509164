"""The five services and their processes: ports, environment, the commands that prepare and start them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import CHECKOUT
from deploy.local.ports import LOOPBACK
from deploy.local.secret_book import SecretBook
from deploy.local.supervisor import Program
from rapport_shared.migrations import migrate as run_migrations

__all__ = [
    "OWNERS",
    "PORT_OFFSETS",
    "PROCESSES",
    "SERVICES",
    "ServiceAddresses",
    "apply_topics",
    "create_key",
    "migrate",
    "run_arguments",
    "run_command",
    "service_command",
    "service_environment",
    "service_of",
    "service_programs",
]

OWNERS = ("customer", "interaction", "ticket", "scoring")
SERVICES = (*OWNERS, "gateway")
VIEW = "gateway-view"
PROCESSES = (*SERVICES, VIEW)
"""A process for each service, and a second one of the gateway: where API and projector share one, requests and
batches wait for each other."""

API_ONLY = ("--only", "api,api-support")
PORT_OFFSETS: Mapping[str, int] = {"gateway": 0, "customer": 1, "interaction": 2, "ticket": 3, "scoring": 4, VIEW: 5}
LOCAL_PARTITIONS = "3"
NICENESS = {"scoring": "5"}
"""Figures may come a little later; what is on the way to a screen may not. All share the cores of one machine."""
DEMO_KEY = (
    *("--name", "demo", "--demo"),
    *("--channel", "*"),
    *("--scopes", "*"),
    *("--unit", ""),
    *("--may-verify", "phone,email,card,social"),
)


@dataclass(frozen=True, slots=True)
class ServiceAddresses:
    """Where everything of one stack is."""

    kafka: str
    databases: Mapping[str, str]
    ports: Mapping[str, int]

    def url(self, process: str) -> str:
        """The base URL of a process's HTTP API; a service's name is that of its first process."""
        return f"http://{LOOPBACK}:{self.ports[process]}"


def service_of(process: str) -> str:
    """The service that a process is one of."""
    return "gateway" if process == VIEW else process


def service_environment(process: str, addresses: ServiceAddresses, book: SecretBook) -> dict[str, str]:
    """The variables that a process is started with."""
    return {
        "RAPPORT_ENVIRONMENT": "local",
        "RAPPORT_KAFKA": addresses.kafka,
        "RAPPORT_PARTITIONS": os.environ.get("RAPPORT_PARTITIONS", LOCAL_PARTITIONS),
        "RAPPORT_DATABASE": addresses.databases[service_of(process)],
        "RAPPORT_LISTEN": f"{LOOPBACK}:{addresses.ports[process]}",
        "RAPPORT_TOKEN_SECRET": book.secret("caller tokens"),
        "RAPPORT_IDENTIFIER_SECRET": book.secret("identifier keys"),
        **{f"RAPPORT_{owner.upper()}_URL": addresses.url(owner) for owner in OWNERS},
        **({"RAPPORT_PROCESS": VIEW} if process == VIEW else {}),
        **({"RAPPORT_NICENESS": NICENESS[process]} if process in NICENESS else {}),
        "PYTHONUNBUFFERED": "1",
    }


def run_arguments(process: str) -> tuple[str, ...]:
    """What a process is told to run: everything, but for the gateway, whose view is the work of another process."""
    return ("run", *(API_ONLY if process == "gateway" else ()))


def service_programs(addresses: ServiceAddresses, book: SecretBook, variables: Mapping[str, str]) -> list[Program]:
    """The processes as programs for the supervisor; `variables` are added to each environment."""
    return [
        Program(
            process,
            (*service_command(service_of(process)), *run_arguments(process)),
            {**service_environment(process, addresses, book), **variables},
            CHECKOUT,
        )
        for process in PROCESSES
    ]


def service_command(service: str) -> tuple[str, ...]:
    """What every command of a service begins with."""
    return (sys.executable, "-m", f"rapport_{service}")


async def apply_topics(kafka: str) -> str:
    """Creates and configures the topics of the catalogue; returns what that said."""
    program = str(Path(sys.executable).with_name("rapport"))
    environment = {
        "RAPPORT_ENVIRONMENT": "local",
        "RAPPORT_PARTITIONS": os.environ.get("RAPPORT_PARTITIONS", LOCAL_PARTITIONS),
        "RAPPORT_KAFKA": kafka,
    }
    return await run_command((program, "topics", "apply", "--yes"), environment)


async def migrate(addresses: ServiceAddresses) -> None:
    """Applies the migrations of every service's database, what `rapport_<service> migrate` does.

    One after the other and in this process: five that each import Alembic and a service take seven times as long.
    """
    for service in SERVICES:
        try:
            await asyncio.to_thread(run_migrations, f"rapport_{service}", addresses.databases[service])
        except Exception as error:
            raise LocalStackError(f"the migrations of {service} failed: {type(error).__name__}: {error}") from error


async def create_key(addresses: ServiceAddresses, book: SecretBook) -> str:
    """A new key of the gateway that may do everything on every channel; shown this once."""
    command = (*service_command("gateway"), "keys", "create", *DEMO_KEY)
    printed = await run_command(command, service_environment("gateway", addresses, book))
    return printed.splitlines()[-1].split()[-1]


async def run_command(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Runs a command to its end and returns what it printed; raises LocalStackError with its complaint."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        said = (complaint or output).decode(errors="replace").strip()
        raise LocalStackError(f"`{_readable(command)}` failed:\n{said[-3000:]}")
    return output.decode(errors="replace").strip()


def _readable(command: tuple[str, ...]) -> str:
    return " ".join((Path(command[0]).name, *command[1:]))
