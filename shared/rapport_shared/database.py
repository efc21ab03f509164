"""PostgreSQL by asyncpg: one pool a service, sane limits, connections that are made when needed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record
Reading: TypeAlias = "Connection | Database"
"""What a read that needs no transaction may run on."""

Result = TypeVar("Result")

CONNECTION_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What a statement raises when the server is away; whether it took effect is unknown.

An `InternalClientError` is how asyncpg meets a connection that breaks in the middle of an answer.
"""

TRANSIENT_STATES = frozenset({"40001", "40P01", "55P03", "53300", "57014"})
"""SQLSTATEs after which the same transaction may well succeed."""

ATTEMPTS = 3
"""Of a transaction that lost to another one."""


def is_transient(error: BaseException) -> bool:
    """Whether trying the same transaction again is right: connection lost, deadlock, serialisation, shutdown."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state in TRANSIENT_STATES or state.startswith(("57P0", "08"))
    return isinstance(error, CONNECTION_LOST)


def is_refused_data(error: BaseException) -> bool:
    """Whether the data of a statement are at fault (SQLSTATE classes 22 and 23)."""
    return isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(("22", "23"))


class Database:
    """A service's database. Statements wait at most 30 s, locks 10 s.

    Connections are given back as they are, for resetting them would cost each use a round trip: whatever changes a
    session must be local to a transaction (`SET LOCAL`, `pg_advisory_xact_lock`).
    """

    def __init__(self, dsn: str, *, size: int, application: str, search_path: str = "public") -> None:
        self.dsn = dsn
        self._search_path = search_path
        self._size = size
        self._application = application
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __aenter__(self) -> "Database":
        # min_size 0: a service starts, and answers what it can, while its database is away.
        self._pool = await asyncpg.create_pool(
            self.dsn,
            min_size=0,
            max_size=self._size,
            command_timeout=35,
            timeout=5,
            max_inactive_connection_lifetime=60,
            reset=_nothing,
            server_settings={
                "application_name": self._application,
                "statement_timeout": "30s",
                "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "30s",
                "timezone": "UTC",
                "search_path": self._search_path,
                "jit": "off",
            },
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._pool is not None:
            self._pool.terminate()

    @property
    def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        """The open pool."""
        if self._pool is None:
            raise RuntimeError("the database is not open")
        return self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for reading, given back at the end. May wait 5 s for one."""
        async with self.pool.acquire(timeout=5) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection in a transaction: committed at the end, rolled back by an exception."""
        async with self.pool.acquire(timeout=5) as connection, connection.transaction():
            yield connection

    async def in_transaction(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Answers what `work` answers, in one transaction; repeats it when it lost to another one, twice at most.

        A caller thus does not meet a deadlock that two commands fell into.
        """
        # Not by stamina or tenacity: this is the only call that is retried a few times, and retried at once, for a
        # caller waits. All else is repeated for as long as it takes (`outages`), which is a loop, not a retried call.
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.transaction() as connection:
                    return await work(connection)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the last attempt answers or raises")

    async def fetch(self, query: str, *arguments: Any) -> list[Row]:
        """All rows of one read."""
        async with self.connection() as connection:
            return await connection.fetch(query, *arguments)

    async def fetch_row(self, query: str, *arguments: Any) -> Row | None:
        """The first row of one read."""
        async with self.connection() as connection:
            return await connection.fetchrow(query, *arguments)

    async def fetch_value(self, query: str, *arguments: Any) -> Any:
        """The first column of the first row."""
        async with self.connection() as connection:
            return await connection.fetchval(query, *arguments)


async def _nothing(_: Connection) -> None:
    """asyncpg ends an open transaction before it calls this."""
