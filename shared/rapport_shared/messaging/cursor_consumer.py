"""Running a subscription: partitions assigned by hand from the cursors in PostgreSQL, one leader for each lane."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Generic, TypeVar

from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTAKE, Service
from rapport_shared.database import Database
from rapport_shared.messaging.consumer import BatchProcessor, Subscription
from rapport_shared.messaging.cursors import verified_positions
from rapport_shared.messaging.leadership import hold_role
from rapport_shared.messaging.pace import Pace, Pacer
from rapport_shared.messaging.reader import BatchReader, PositionLost
from rapport_shared.messaging.records import Partition
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.consumer")

Item = TypeVar("Item")

NEW_PARTITIONS_SECONDS = 30.0
CAUGHT_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class CursorConsumer(Generic[Item]):
    """Runs a subscription: one leader for each lane, partitions assigned by hand from the cursors."""

    service: Service
    database: Database
    servers: str
    subscription: Subscription[Item]
    metrics: Metrics
    clock: Clock
    batch_size: int
    pace: Pace
    lane: int = 0
    lanes: int = 1

    async def run(self) -> None:
        """Consumes while this process leads the lane; waits for the lead otherwise. Never returns."""
        role = f"{self.subscription.consumer}/{self.lane}"
        await hold_role(self.database, role, self._consume, self.metrics, halt_as=self.subscription.consumer)

    async def _consume(self) -> None:
        while True:
            async with BatchReader(
                self.servers,
                f"rapport-{self.service}-{self.subscription.consumer}",
                max_records=self.batch_size,
            ) as reader:
                processor = BatchProcessor(self.service, self.database, self.subscription, self.metrics, self.clock)
                partitions = await self._lane_partitions(reader)
                at_log_start = frozenset({INTAKE.name})
                processor.positions = await verified_positions(
                    self.database, reader, self.subscription.consumer, partitions, at_log_start=at_log_start
                )
                reader.assign(processor.positions)
                try:
                    await self._drain(reader, processor)
                except PositionLost:
                    continue  # the check at the beginning says what is wrong, and halts

    async def _drain(self, reader: BatchReader, processor: BatchProcessor[Item]) -> None:
        loop = asyncio.get_running_loop()
        look_again = loop.time() + NEW_PARTITIONS_SECONDS
        caught_up_again = loop.time()
        pacer, again = Pacer(self.pace, loop.time), False
        while True:
            records = await reader.poll(0 if again else processor.wait_ms)
            pacer.begin()
            await processor.process(records)
            await processor.replay(loop.time())
            self._report_lag(reader, processor.positions)
            if loop.time() > look_again:
                if len(await self._lane_partitions(reader)) != len(processor.positions):
                    return
                look_again = loop.time() + NEW_PARTITIONS_SECONDS
            if len(records) < self.batch_size and loop.time() >= caught_up_again:
                again = await self.subscription.caught_up()
                caught_up_again = loop.time() + (0 if again else CAUGHT_UP_SECONDS)
            rest = pacer.rest()
            if 0 < len(records) < self.batch_size:
                await asyncio.sleep(rest)

    async def _lane_partitions(self, reader: BatchReader) -> list[Partition]:
        names = {topic.name for topic in self.subscription.topics}
        partitions = await reader.partitions(names)
        while missing := sorted(names - {partition.topic for partition in partitions}):
            _log.warning("waiting for topics", extra={"consumer": self.subscription.consumer, "topic": missing})
            await asyncio.sleep(1)
            partitions = await reader.partitions(names)
        return [partition for partition in partitions if partition.number % self.lanes == self.lane]

    def _report_lag(self, reader: BatchReader, positions: dict[Partition, int]) -> None:
        for partition, lag in reader.lag(positions).items():
            self.metrics.consumer_lag.labels(self.subscription.consumer, partition.topic, str(partition.number)).set(
                lag
            )
