"""Timers: customers whose score time alone has changed, and those that were assessed under earlier rules.

Every worker claims what is due, so that an alarm is raised once whoever raises it, also after all were down.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from rapport_scoring import store
from rapport_scoring.commands.assessments import assess_customers
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import Reject
from rapport_shared.roles import Role, repeat

_log = logging.getLogger("rapport.timers")

CLAIMED_AT_ONCE: Final = 100
REST_SECONDS: Final = 1.0


def timers(
    database: Database, rules: RulesInForce, clock: Clock, signal: OutboxSignal, caught_up: Callable[[], bool]
) -> Role:
    """The role: fires what is due, for ever, once the worker has read what there was to read.

    Before that a customer's latest purchases may still wait to be read, and its silence would be none.
    """

    async def fire() -> bool:
        if not caught_up() or not await fire_once(database, rules, clock):
            return False
        signal.notify()
        return True

    return lambda: repeat("timers", fire, REST_SECONDS)


async def fire_once(database: Database, rules: RulesInForce, clock: Clock) -> bool:
    """Assesses some of the customers that are due, or else of those under earlier rules; whether there were any."""
    try:
        async with database.transaction() as connection:
            return bool(await _fire(connection, rules, clock, CLAIMED_AT_ONCE))
    except Reject:
        async with database.transaction() as connection:
            await _fire_singly(connection, rules, clock)
            return True


async def _fire(connection: Connection, rules: RulesInForce, clock: Clock, limit: int) -> Sequence[UUID]:
    due = await store.claim_due(connection, clock(), limit)
    if due:
        await assess_customers(connection, due, rules, clock, timed=True)
        return due
    outdated = await store.claim_outdated(connection, (await rules(connection)).generation, limit)
    if outdated:
        await assess_customers(connection, outdated, rules, clock)
    return outdated


async def _fire_singly(connection: Connection, rules: RulesInForce, clock: Clock) -> None:
    """A rule failed on the facts of one customer of a batch: it is left alone, and the others are served."""
    present = await rules(connection)
    due = await store.claim_due(connection, clock(), CLAIMED_AT_ONCE)
    claimed = due or await store.claim_outdated(connection, present.generation, CLAIMED_AT_ONCE)
    for customer in claimed:
        try:
            async with connection.transaction():
                await assess_customers(connection, [customer], rules, clock, timed=bool(due))
        except Reject as error:
            _log.error("a customer cannot be assessed", extra={"customer_id": str(customer), "reason": str(error)})
            await store.give_up(connection, customer, present.generation)
