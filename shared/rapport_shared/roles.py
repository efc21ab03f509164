"""What a process does besides answering requests: roles, and how each of them meets an outage."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final, NoReturn

from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.outages import OUTAGE_ERRORS, Outage

HOUSEKEEPING_SECONDS: Final = 3600.0

Role = Callable[[], Awaitable[None]]
"""Runs for as long as its process does. One that returns or raises ends the process."""
Chore = Callable[[Connection], Awaitable[None]]
"""What a service tidies up, in a transaction of its own."""


async def repeat(name: str, step: Callable[[], Awaitable[bool]], rest_seconds: float) -> NoReturn:
    """Repeats `step` for ever: at once while it answers that it found work, otherwise after a rest.

    A database or broker that is away is waited for. Raises anything else that `step` raises.
    """
    outage = Outage(name)
    while True:
        try:
            worked = await step()
        except OUTAGE_ERRORS as error:
            await outage.wait(error)
            continue
        if not worked:
            await asyncio.sleep(rest_seconds)


def housekeeping(database: Database, clock: Clock, *chores: Chore) -> Role:
    """A role that hourly removes answers older than 7 days and dead letters older than 30, and does `chores`."""

    everything: tuple[Chore, ...] = (*chores, partial(_remove_expired, clock))

    async def keep_house() -> bool:
        for chore in everything:
            async with database.transaction() as connection:
                await chore(connection)
        return False

    return lambda: repeat("housekeeping", keep_house, HOUSEKEEPING_SECONDS)


async def _remove_expired(clock: Clock, connection: Connection) -> None:
    now = clock()
    await connection.execute("DELETE FROM idempotent_answer WHERE created_at < $1", now - timedelta(days=7))
    await connection.execute("DELETE FROM dead_letter WHERE rejected_at < $1", now - timedelta(days=30))
