"""How every loop meets a database or a broker that is away: log once, wait longer each time, go on."""

import asyncio
import logging
import random
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError

from rapport_shared.database import CONNECTION_LOST, is_transient

_log = logging.getLogger("rapport.outages")

OUTAGE_ERRORS: Final = (asyncpg.PostgresError, KafkaError, *CONNECTION_LOST, BaseExceptionGroup)
"""What to catch around work that needs the database or the broker. `Outage.wait` raises those that are no outage."""
LONGEST_WAIT_SECONDS: Final = 2.0
SEPARATE_SECONDS: Final = 30.0
"""Errors that are further apart than this belong to different outages."""


def is_kafka_away(error: BaseException) -> bool:
    """Whether to try again is right: no broker, no leader, no answer in time.

    A bare `KafkaError` is how aiokafka says that no broker told it the metadata, or that a producer's sender died.
    """
    if isinstance(error, KafkaError):
        return bool(error.retriable) or type(error) is KafkaError
    return isinstance(error, OSError | TimeoutError)


def is_outage(error: BaseException) -> bool:
    """Whether the database or the broker is away for now, so that the same work may well succeed later."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_outage(one) for one in error.exceptions)
    return is_transient(error) or is_kafka_away(error)


def wait_seconds(attempt: int) -> float:
    """How long to wait after the `attempt`-th failure in a row: 0.2 s at most at first, doubled up to two seconds."""
    return random.uniform(0.05, min(LONGEST_WAIT_SECONDS, 0.1 * 2 ** min(attempt, 5)))


class Outage:
    """The outages that one loop meets. `loop` names the loop in the log."""

    def __init__(self, loop: str) -> None:
        self._loop = loop
        self._attempts = 0
        self._waited_at: float | None = None

    async def wait(self, error: BaseException) -> None:
        """Waits after `error`; the first of an outage is logged. Raises `error` when it will not end by itself."""
        if not is_outage(error):
            raise error
        now = asyncio.get_running_loop().time
        if self._waited_at is None or now() - self._waited_at > SEPARATE_SECONDS:
            self._attempts = 0
            _log.warning("waiting for an outage to end", extra={"role": self._loop, "reason": _reason(error)})
        self._attempts += 1
        await asyncio.sleep(wait_seconds(self._attempts))
        self._waited_at = now()


def _reason(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({_reason(one) for one in error.exceptions}))
    return type(error).__name__
