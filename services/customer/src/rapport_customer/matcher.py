"""The matcher's role: one process of the service compares newcomers with everybody, for as long as it leads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from rapport_customer.commands.matching import match_batch
from rapport_shared.clock import Clock
from rapport_shared.database import Database
from rapport_shared.messaging.outbox import OutboxSignal

REST_SECONDS: Final = 0.25
"""Between looks at an empty queue."""


def matcher(database: Database, clock: Clock, signal: OutboxSignal) -> Callable[[], Awaitable[None]]:
    """The body of the role: matches batch after batch, for ever."""

    async def match() -> None:
        while True:
            async with database.transaction() as connection:
                matched = await match_batch(connection, clock)
            if matched:
                signal.notify()
            else:
                await asyncio.sleep(REST_SECONDS)

    return match
