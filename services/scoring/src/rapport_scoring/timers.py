"""Timers: customers whose score time alone has changed, and those that were assessed under earlier rules.

Every worker claims what is due, so that an alarm is raised once whoever raises it, also after all were down.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from rapport_scoring import store
from rapport_scoring.commands.assessments import assess_customers
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.clock import Clock
from rapport_shared.database import CONNECTION_LOST, Connection, Database, is_transient
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import Reject

_log = logging.getLogger("rapport.timers")

CLAIMED_AT_ONCE: Final = 100
REST_SECONDS: Final = 1.0


def timers(
    database: Database, rules: RulesInForce, clock: Clock, signal: OutboxSignal, caught_up: Callable[[], bool]
) -> Callable[[], Awaitable[None]]:
    """The role: fires what is due, for ever, once the worker has read what there was to read.

    Before that a customer's latest purchases may still wait to be read, and its silence would be none.
    """

    async def fire() -> None:
        while True:
            try:
                if caught_up() and await fire_once(database, rules, clock):
                    signal.notify()
                    continue
            except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
                if not is_transient(error):
                    raise
                _log.warning("beginning anew", extra={"reason": type(error).__name__})
            await asyncio.sleep(REST_SECONDS)

    return fire


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
