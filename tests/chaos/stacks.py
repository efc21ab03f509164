"""A stack for one test alone, on a Kafka and a PostgreSQL that it may kill."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.infrastructure import infrastructure, reset
from deploy.local.ports import LOOPBACK, PortBook
from deploy.local.stack import Stack, free_ports, running_stack
from deploy.local.supervisor import Program

__all__ = ["SECOND", "own_stack", "second_url"]

SECOND = "interaction-second"


def second_url(directory: Path) -> str:
    """The base URL of the second process of the interaction service, of the stack in `directory`."""
    return f"http://{LOOPBACK}:{PortBook(directory / 'second-port.json').port(SECOND, keep=True)}"


@asynccontextmanager
async def own_stack(
    directory: Path, arrange: Callable[[list[Program]], list[Program]] = lambda programs: programs
) -> AsyncIterator[Stack]:
    """Two processes of the interaction service and one of each other, on a Kafka and PostgreSQL that may be killed."""
    given = ("RAPPORT_KAFKA", "RAPPORT_POSTGRES")
    environment = {name: value for name, value in os.environ.items() if name not in given}
    ports = free_ports(directory)
    second = PortBook(directory / "second-port.json").port(SECOND, keep=False)

    def with_second(programs: list[Program]) -> list[Program]:
        interaction = next(program for program in programs if program.name == "interaction")
        listen = {"RAPPORT_LISTEN": f"{LOOPBACK}:{second}"}
        return arrange(
            [
                *programs,
                dataclasses.replace(interaction, name=SECOND, environment={**interaction.environment, **listen}),
            ]
        )

    servers = directory / "servers"
    try:
        async with (
            infrastructure(servers, environment=environment) as found,
            running_stack(found, directory, ports, arrange=with_second) as stack,
        ):
            stack.supervisor.start(SECOND)
            await stack.supervisor.wait_ready(f"{second_url(directory)}/readyz")
            yield stack
    finally:
        await reset(servers)
