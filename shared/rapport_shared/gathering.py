"""Figures that cost a question to the database: gathered when metrics are asked for, but not for each who asks."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from rapport_shared.clock import Clock
from rapport_shared.database import CONNECTION_LOST, Database
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.metrics")

GATHER_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 3.0
COUNTED_AT_MOST: Final = 100_000
"""Counting stops here, so that a table that has grown large costs a scrape no more than this."""

MetricSource = Callable[[], Awaitable[None]]
"""Sets some metrics. May raise what the database raises when it is away."""


@dataclass(slots=True)
class Gathering:
    """Refreshes metrics from their sources: every five seconds at most, one at a time, whoever asks.

    While the database is away the former figures stay; `rapport_gathered_timestamp_seconds` says how old they are.
    """

    sources: Sequence[MetricSource]
    metrics: Metrics
    clock: Clock
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _again: float = 0.0

    async def __call__(self) -> None:
        """Gathers, unless that was done lately. Never raises what the database raises, and waits three seconds."""
        async with self._lock:
            if time.monotonic() < self._again:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    for source in self.sources:
                        await source()
                self.metrics.gathered.set(self.clock().timestamp())
            except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning("metrics are not gathered", extra={"reason": type(error).__name__})
            self._again = time.monotonic() + GATHER_SECONDS


def counted(table: str, condition: str = "true") -> str:
    """A subquery that counts rows of `table`, up to a limit."""
    return f"(SELECT count(*) FROM (SELECT FROM {table} WHERE {condition} LIMIT {COUNTED_AT_MOST}) AS counted)"


_MESSAGES = f"""
SELECT {counted("outbox")} AS rows,
       {counted("dead_letter", "state IN ('open', 'replaying')")} AS letters,
       {counted("parked_aggregate")} AS parked,
       coalesce(extract(epoch FROM now() - (SELECT queued_at FROM outbox ORDER BY id LIMIT 1)), 0)::float AS age
"""
_HALTS = """
SELECT role, bool_or(halted) AS halted FROM (
    SELECT consumer AS role, false AS halted FROM consumer_cursor
    UNION ALL SELECT role, true FROM halt
) roles GROUP BY role
"""


def message_metrics(database: Database, metrics: Metrics) -> MetricSource:
    """The figures of outbox, dead letters and halts, which every service has."""

    async def gather() -> None:
        row = await database.fetch_row(_MESSAGES)
        assert row is not None
        metrics.outbox_rows.set(row["rows"])
        metrics.outbox_age.set(max(0.0, row["age"]))
        metrics.outbox_parked.set(row["parked"])
        metrics.dead_letter_rows.set(row["letters"])
        halts = {row["role"]: row["halted"] for row in await database.fetch(_HALTS)}
        metrics.halted.clear()
        for role, halted in {"relay": False, **halts}.items():
            metrics.halted.labels(role).set(halted)

    return gather
