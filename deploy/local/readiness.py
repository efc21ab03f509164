"""Ready means that a client gets an answer, not that a port is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.errors import LocalStackError

__all__ = ["kafka_answers", "postgres_answers", "wait_until_ready"]

_POLL_SECONDS = 0.05


async def postgres_answers(dsn: str) -> None:
    """Returns when a client could connect and ask; raises OSError or asyncpg.PostgresError otherwise."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close(timeout=5)


async def kafka_answers(bootstrap: str) -> None:
    """Returns when a broker is registered and its topics can be listed; raises OSError or KafkaError otherwise."""
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    # A bare connection first: the client writes a log line for every refused one.
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    try:
        await client.start()
        cluster = await client.describe_cluster()
        if not cluster["brokers"]:
            raise OSError("no broker is registered yet")
        await client.list_topics()
    finally:
        await client.close()


async def wait_until_ready(
    what: str,
    answers: Callable[[], Awaitable[None]],
    limit_seconds: float,
    still_alive: Callable[[], bool] = lambda: True,
) -> None:
    """Asks again and again until it answers.

    Raises LocalStackError with the last reason when the limit passes or the process has died.
    """
    deadline = time.monotonic() + limit_seconds
    while True:
        try:
            await asyncio.wait_for(answers(), timeout=10)
        except (OSError, TimeoutError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not still_alive():
                raise LocalStackError(f"{what} ended while starting") from error
            if time.monotonic() > deadline:
                raise LocalStackError(f"{what} is not ready after {limit_seconds:g} s: {error}") from error
        else:
            return
        await asyncio.sleep(_POLL_SECONDS)
