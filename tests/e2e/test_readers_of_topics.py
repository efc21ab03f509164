"""The catalogue names the services that read a topic: those that have a cursor on it, and no others."""

import asyncpg
import pytest

from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import TOPICS
from tests.support.conditions import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def read_by(stack: Stack, service: str) -> set[str]:
    connection = await asyncpg.connect(stack.addresses.databases[service])
    try:
        rows = await connection.fetch("SELECT DISTINCT topic FROM consumer_cursor")
    finally:
        await connection.close()
    return {row["topic"] for row in rows}


@pytest.mark.parametrize("service", SERVICES)
async def test_the_catalogue_names_what_a_service_reads(stack: Stack, service: str) -> None:
    named = {topic.name for topic in TOPICS if service in topic.readers}

    async def all_are_read() -> bool:
        return named <= await read_by(stack, service)

    await until(f"{service} reads all that the catalogue says", all_are_read)
    assert await read_by(stack, service) == named
