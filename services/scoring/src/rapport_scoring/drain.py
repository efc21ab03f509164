"""Reading on from the cursors: what a worker does with the partitions it is given, whoever gave them.

One code path for a backlog, a gap, a first start and a takeover. Faust says which partitions and when to look; the
cursor in PostgreSQL says where, and moves in the transaction of what was consumed.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Generic, TypeVar

from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import Service
from rapport_shared.database import Database
from rapport_shared.messaging.consumer import BatchProcessor, Subscription
from rapport_shared.messaging.cursors import verified_positions
from rapport_shared.messaging.halts import Halted, halt, until_resumed
from rapport_shared.messaging.leadership import CursorMoved
from rapport_shared.messaging.pace import Pace, Pacer
from rapport_shared.messaging.reader import BatchReader, PositionLost
from rapport_shared.messaging.records import Partition
from rapport_shared.outages import OUTAGE_ERRORS, Outage, wait_seconds
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.drain")

Item = TypeVar("Item")


class Drain(Generic[Item]):
    """Consumes the partitions it is told, from their cursors, and tells how far it has come."""

    def __init__(
        self,
        service: Service,
        database: Database,
        servers: str,
        subscription: Subscription[Item],
        metrics: Metrics,
        clock: Clock,
        batch_size: int,
        pace: Pace,
    ) -> None:
        self._service = service
        self._database = database
        self._servers = servers
        self._subscription = subscription
        self._metrics = metrics
        self._clock = clock
        self._batch_size = batch_size
        self._pace = pace
        self._assigned: frozenset[Partition] = frozenset()
        self._positions: dict[Partition, int] = {}
        self._rounds = 0
        self._assignment_changed = asyncio.Event()
        self._advanced = asyncio.Condition()
        self.caught_up = False
        """Whether the present partitions are read but for a batch at most. A worker without any never has read them."""

    def assign(self, partitions: Iterable[Partition]) -> None:
        """Consumes these partitions from now on, and no others. What was begun is committed or refused as a whole."""
        self._assigned = frozenset(partitions)
        self.caught_up = False
        self._assignment_changed.set()

    async def let_go(self) -> None:
        """Consumes nothing from now on, and lets everybody go who waits for it: also when it has ended by itself."""
        self.assign(())
        await self._tell(looked=False)

    async def passed(self, partition: Partition, offset: int) -> None:
        """Returns when the cursor is past `offset`, or the partition is no longer this worker's.

        Also when a look begun after the call found nothing: the offset is then a hole, of a foreign transaction,
        or is found by the next look. The cursor decides what is consumed, so that nothing hangs on this answer.
        """
        round_after = self._rounds + 1
        async with self._advanced:
            await self._advanced.wait_for(
                lambda: (
                    partition not in self._assigned
                    or self._positions.get(partition, 0) > offset
                    or self._rounds > round_after
                )
            )

    async def run(self) -> None:
        """Consumes for ever. A database or broker that is away is waited for; a halt until it is resumed.

        Raises whatever a bug raises.
        """
        outage = Outage(self._subscription.consumer)
        while True:
            try:
                await until_resumed(self._database, self._subscription.consumer)
                await self._consume(self._assigned)
            except (CursorMoved, PositionLost) as error:
                _log.warning("beginning anew", extra={"reason": type(error).__name__})
                await asyncio.sleep(wait_seconds(1))
            except Halted as error:
                await self._store_halt(str(error))
            except OUTAGE_ERRORS as error:
                await outage.wait(error)

    async def _consume(self, assigned: frozenset[Partition]) -> None:
        """Consumes `assigned` until the assignment changes."""
        self._positions = {}
        await self._tell(looked=False)
        if not assigned:
            await self._assignment_changed.wait()
            self._assignment_changed.clear()
            return
        async with BatchReader(
            self._servers, f"rapport-{self._service}-{self._subscription.consumer}", max_records=self._batch_size
        ) as reader:
            processor = BatchProcessor(self._service, self._database, self._subscription, self._metrics, self._clock)
            processor.positions = self._positions = await verified_positions(
                self._database, reader, self._subscription.consumer, assigned, at_log_start=frozenset()
            )
            reader.assign(self._positions)
            _log.info("consuming", extra={"partition": sorted(str(partition) for partition in assigned)})
            pacer = Pacer(self._pace, asyncio.get_running_loop().time)
            while self._assigned == assigned:
                await self._look(reader, processor, pacer)

    async def _look(self, reader: BatchReader, processor: BatchProcessor[Item], pacer: Pacer) -> None:
        records = await reader.poll(processor.wait_ms)
        pacer.begin()
        await processor.process(records)
        await processor.replay(asyncio.get_running_loop().time())
        lags = reader.lag(self._positions)
        known = lags.keys() == self._positions.keys()  # the end of a partition is unknown until it was asked for
        self.caught_up = not records or (known and sum(lags.values()) <= self._batch_size)
        for partition, lag in lags.items():
            labels = (self._subscription.consumer, partition.topic, str(partition.number))
            self._metrics.consumer_lag.labels(*labels).set(lag)
        await self._tell(looked=not records)
        rest = pacer.rest()
        if 0 < len(records) < self._batch_size:
            await asyncio.sleep(rest)

    async def _tell(self, *, looked: bool) -> None:
        async with self._advanced:
            self._rounds += looked
            self._advanced.notify_all()

    async def _store_halt(self, reason: str) -> None:
        async with self._database.transaction() as connection:
            await halt(connection, self._subscription.consumer, reason)
