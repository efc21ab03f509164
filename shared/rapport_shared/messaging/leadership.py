"""Leadership: of all processes of a service, one holds a role. An advisory lock of PostgreSQL says which.

The holder pings its connection every two seconds; PostgreSQL ends a session that was silent for ten, so a process
that hangs loses the role as one that died does. A zombie can only repeat what is harmless: consumers move their
cursor by compare-and-set, the relay's repeats are known by their id.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

from rapport_shared.database import CONNECTION_LOST, Database
from rapport_shared.messaging.halts import Halted, halt, until_resumed
from rapport_shared.outages import OUTAGE_ERRORS, Outage, wait_seconds
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.leadership")

PING_SECONDS = 2.0
SESSION_SECONDS = 10
STANDBY_POLL_SECONDS = 0.5


class LeadershipLost(Exception):
    """Another process may hold the role by now: the work under this role must end."""


class CursorMoved(Exception):
    """The stored cursor is not where this process left it: another leader works, or a commit whose answer was lost."""


@asynccontextmanager
async def leadership(dsn: str, role: str) -> AsyncIterator[None]:
    """Waits until this process holds `role`, and holds it for the body.

    Raises `LeadershipLost` into the body when a ping fails, and what asyncpg raises when the database is away
    while waiting. Standbys ask twice a second: a statement that waits for the lock would keep its snapshot,
    and with it every dead row of the outbox.
    """
    connection = await _connect(dsn)
    try:
        while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", role):  # noqa: ASYNC110
            await asyncio.sleep(STANDBY_POLL_SECONDS)
        try:
            async with asyncio.TaskGroup() as group:
                pinger = group.create_task(_ping(connection))
                yield
                pinger.cancel()
        except BaseExceptionGroup as failures:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # A group that ends for another reason swallows a cancellation that comes meanwhile (Python 3.11).
                raise asyncio.CancelledError from failures
            raise _first(failures) from failures
    finally:
        connection.terminate()


async def hold_role(
    database: Database,
    role: str,
    body: Callable[[], Awaitable[None]],
    metrics: Metrics,
    *,
    halt_as: str | None = None,
) -> None:
    """Runs `body` whenever this process leads `role`; returns when the body does.

    Runs `body` again, after a jittered delay, when the leadership is lost, a cursor has moved, or the database or
    broker is away. When `body` raises `Halted`, halts durably under `halt_as` (by default the name of the role) and
    runs `body` again after an operator has resumed the role. Raises every other exception.
    """
    halting, outage = halt_as or role, Outage(role)
    while True:
        try:
            async with leadership(database.dsn, role):
                _log.info("leading", extra={"role": role})
                metrics.leading.labels(role).set(1)
                await until_resumed(database, halting)
                await body()
                return
        except (LeadershipLost, CursorMoved) as error:
            _log.warning("starting again", extra={"role": role, "reason": type(error).__name__})
            await asyncio.sleep(wait_seconds(1))
        except Halted as error:
            await _store_halt(database, halting, str(error))
        except OUTAGE_ERRORS as error:
            await outage.wait(error)
        finally:
            metrics.leading.labels(role).set(0)


async def _connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        dsn,
        timeout=5,
        command_timeout=5,
        server_settings={
            "application_name": "rapport-leadership",
            "idle_session_timeout": f"{SESSION_SECONDS}s",
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "2",
        },
    )


async def _ping(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    while True:
        await asyncio.sleep(PING_SECONDS)
        try:
            await connection.fetchval("SELECT 1", timeout=PING_SECONDS * 2)
        except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
            raise LeadershipLost("the ping failed") from error


async def _store_halt(database: Database, role: str, reason: str) -> None:
    async with database.transaction() as connection:
        await halt(connection, role, reason)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that matters: a loss of leadership before what it caused."""
    flat: list[BaseException] = []
    for failure in failures.exceptions:
        flat.append(_first(failure) if isinstance(failure, BaseExceptionGroup) else failure)
    return next((failure for failure in flat if isinstance(failure, LeadershipLost)), flat[0])
