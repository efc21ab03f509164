"""What a process does besides answering requests: roles, and how each of them meets an outage."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import asyncpg

from rapport_shared.clock import Clock
from rapport_shared.database import CONNECTION_LOST, Connection, Database, is_transient

_log = logging.getLogger("rapport.roles")

HOUSEKEEPING_SECONDS: Final = 3600.0

Role = Callable[[], Awaitable[None]]
"""Runs for as long as its process does. One that returns or raises ends the process."""
Chore = Callable[[Connection], Awaitable[None]]
"""What a service tidies up, in a transaction of its own."""


def housekeeping(database: Database, clock: Clock, *chores: Chore) -> Role:
    """A role that hourly removes answers older than 7 days and dead letters older than 30, and does `chores`."""

    async def keep_house() -> None:
        while True:
            try:
                for chore in chores:
                    async with database.transaction() as connection:
                        await chore(connection)
                async with database.transaction() as connection:
                    now = clock()
                    await connection.execute(
                        "DELETE FROM idempotent_answer WHERE created_at < $1", now - timedelta(days=7)
                    )
                    await connection.execute("DELETE FROM dead_letter WHERE rejected_at < $1", now - timedelta(days=30))
            except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
                if not is_transient(error):
                    raise
            await asyncio.sleep(HOUSEKEEPING_SECONDS)

    return keep_house
