"""Background roles of the customer service. One process at a time carries out each role."""

from collections.abc import Awaitable, Callable
from typing import Final

from rapport_customer.commands.hand_overs import hand_over_batch
from rapport_customer.commands.match_newcomers import match_batch
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.roles import Role, repeat

MATCH_REST_SECONDS: Final = 0.25
"""Between looks at an empty queue of newcomers."""
HAND_OVER_REST_SECONDS: Final = 0.5
"""Between looks for a hand-over that was begun."""


def match_newcomers(database: Database, clock: Clock, signal: OutboxSignal) -> Role:
    """Matches new profiles batch after batch. Runs until cancelled."""
    return _batches("matcher", database, lambda c: match_batch(c, clock), signal, MATCH_REST_SECONDS)


def carry_out_hand_overs(database: Database, clock: Clock, signal: OutboxSignal) -> Role:
    """Carries out hand-overs batch after batch, until cancelled. A crash repeats no committed batch."""
    return _batches("hand-overs", database, lambda c: hand_over_batch(c, clock), signal, HAND_OVER_REST_SECONDS)


def _batches(
    name: str,
    database: Database,
    batch: Callable[[Connection], Awaitable[int]],
    signal: OutboxSignal,
    rest_seconds: float,
) -> Role:
    """Batches, each in a transaction of its own, for as long as there are any."""

    async def step() -> bool:
        async with database.transaction() as connection:
            worked = await batch(connection)
        if worked:
            signal.notify()
        return bool(worked)

    return lambda: repeat(name, step, rest_seconds)
