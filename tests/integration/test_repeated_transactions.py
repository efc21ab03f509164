"""Transactions that lost to another one are repeated, a few times: a caller does not meet a deadlock."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from rapport_shared.database import ATTEMPTS, Connection, Database


async def test_two_transactions_that_deadlock_both_end_well(database: str) -> None:
    both_hold_one = asyncio.Barrier(2)
    attempts: Counter[int] = Counter()

    def locking(first: int, second: int) -> Callable[[Connection], Awaitable[int]]:
        async def work(connection: Connection) -> int:
            attempts[first] += 1
            await connection.execute("SELECT pg_advisory_xact_lock($1)", first)
            if attempts[first] == 1:
                await both_hold_one.wait()
            await connection.execute("SELECT pg_advisory_xact_lock($1)", second)
            return first

        return work

    async with Database(database, size=2, application="test") as opened:
        found = await asyncio.gather(opened.in_transaction(locking(1, 2)), opened.in_transaction(locking(2, 1)))
    assert list(found) == [1, 2]
    assert sorted(attempts.values()) == [1, 2]


@pytest.mark.parametrize(
    ("error", "expected"), [(asyncpg.SerializationError, ATTEMPTS), (asyncpg.UniqueViolationError, 1)]
)
async def test_a_transaction_that_always_loses_is_given_up(
    database: str, error: type[asyncpg.PostgresError], expected: int
) -> None:
    attempts = 0

    async def work(_: Connection) -> None:
        nonlocal attempts
        attempts += 1
        raise error("always")

    async with Database(database, size=1, application="test") as opened:
        with pytest.raises(error):
            await opened.in_transaction(work)
    assert attempts == expected
