"""The role that carries out hand-overs: one process of the service works at them, for as long as it leads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from rapport_customer.commands.hand_overs import hand_over_batch
from rapport_shared.clock import Clock
from rapport_shared.database import Database
from rapport_shared.messaging.outbox import OutboxSignal

REST_SECONDS: Final = 0.5
"""Between looks for a hand-over that was begun."""


def hand_overs(database: Database, clock: Clock, signal: OutboxSignal) -> Callable[[], Awaitable[None]]:
    """The body of the role: batch after batch, for ever. What was committed is not done again after a crash."""

    async def hand_over() -> None:
        while True:
            async with database.transaction() as connection:
                worked = await hand_over_batch(connection, clock)
            if worked:
                signal.notify()
            else:
                await asyncio.sleep(REST_SECONDS)

    return hand_over
