"""A consumer: one poll, one batch, one transaction over all its partitions.

A projection's `apply` folds facts; a reaction's runs commands on the same connection. Either way the cursor moves in
that transaction, so that what was acknowledged is neither lost nor counted twice.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTAKE, Service, Topic
from rapport_shared.database import Connection, Database, is_refused_data, is_transient
from rapport_shared.messaging.cursors import move_cursors, verified_positions
from rapport_shared.messaging.halts import Halted, halt, halt_reason
from rapport_shared.messaging.leadership import CursorMoved, hold_role
from rapport_shared.messaging.outcomes import DeadLetter, Reject, bury, too_many_rejects
from rapport_shared.messaging.pace import Pace, Pacer
from rapport_shared.messaging.reader import LONG_POLL_MS, BatchReader, PositionLost
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.consumer")

Item = TypeVar("Item")

NEW_PARTITIONS_SECONDS = 30.0
CAUGHT_UP_SECONDS = 0.5
SKIPPED_BATCHES = 3
"""So many batches with nothing but skipped records may follow each other before the cursors move past them."""
SETTLE_WAIT_MS = 100
"""How long further records are waited for while cursors have not moved past skipped ones."""


async def _nothing_more() -> None:
    return


async def _nothing_left() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Subscription(Generic[Item]):
    """What a consumer reads and does.

    `types` are the event types that the consumer uses, by their wire names; None stands for all records. A record of
    another type is skipped: only its headers are looked at. `decode` turns a record into an item, or None for what the
    consumer does not need; it raises `Reject`, and does no I/O. `apply` consumes a batch's items inside the
    transaction; it may be run again, and raises `Reject` for an item that cannot be. `committed` is awaited after each
    commit of a batch that was not skipped whole. `caught_up` is awaited twice a second at most while nothing is left to
    read, and answers whether it wants to be awaited again at once. `urgent`: somebody waits for what the consumer does.
    `limited`: many rejects halt the consumer.
    """

    consumer: str
    topics: tuple[Topic, ...]
    decode: Callable[[Record], Item | None]
    apply: Callable[[Connection, Sequence[Item]], Awaitable[None]]
    committed: Callable[[], Awaitable[None]] = _nothing_more
    caught_up: Callable[[], Awaitable[bool]] = _nothing_left
    limited: bool = True
    types: frozenset[str] | None = None
    urgent: bool = False

    def uses(self, record: Record) -> bool:
        """Whether the consumer has to look at more than the record's headers."""
        return self.types is None or record.malformed_headers or record.headers.get("ce_type") in self.types


@dataclass(slots=True)
class BatchProcessor(Generic[Item]):
    """Consumes batches of one subscription, in transactions.

    `positions` is the next offset of each partition. The stored cursor of a partition may be behind it, by skipped
    records alone: it moves past them with the next batch that is not skipped whole, or soon by itself.
    """

    service: Service
    database: Database
    subscription: Subscription[Item]
    metrics: Metrics
    clock: Clock
    positions: dict[Partition, int] = field(default_factory=dict)
    _skipped: dict[Partition, Record] = field(default_factory=dict)
    _stored: dict[Partition, int] = field(default_factory=dict)
    _skipped_batches: int = 0

    @property
    def wait_ms(self) -> int:
        """How long to wait for further records: not for long while stored cursors are behind skipped ones."""
        return SETTLE_WAIT_MS if self._skipped else LONG_POLL_MS

    async def process(self, records: Sequence[Record]) -> None:
        """Consumes `records`. Returns when they are committed, or skipped; retries what may succeed, for ever.

        Without records it moves the stored cursors past what was skipped. Raises `CursorMoved`, `Halted`, and whatever
        a bug raises.
        """
        used = [record for record in records if self.subscription.uses(record)]
        if used:
            await self._consume(records)
            self._observe_delay(used)
        else:
            self._skip(records)
            self._skipped_batches += 1
            if self._skipped and (not records or self._skipped_batches >= SKIPPED_BATCHES):
                await self._retrying(lambda: self._commit([], []))
        for topic, count in Counter(record.partition.topic for record in records).items():
            self.metrics.consumed.labels(self.subscription.consumer, topic).inc(count)

    async def _consume(self, records: Sequence[Record]) -> None:
        try:
            await self._persistently(records)
        except Reject:
            for record in records:
                if self.subscription.uses(record):
                    await self._one(record)
                else:
                    self._skip([record])
        await self.subscription.committed()

    def _skip(self, records: Sequence[Record]) -> None:
        for record in records:
            self._stored.setdefault(record.partition, self.positions[record.partition])
            self._skipped[record.partition] = record
            self.positions[record.partition] = record.offset + 1

    def _observe_delay(self, records: Sequence[Record]) -> None:
        recorded = [text for record in records if (text := record.headers.get("ce_recordedtime"))]
        if recorded:
            try:
                delay = self.clock() - datetime.fromisoformat(min(recorded))
            except (ValueError, TypeError):
                return  # a malformed time was rejected with its record
            self.metrics.projection_delay.labels(self.subscription.consumer).observe(max(0.0, delay.total_seconds()))

    async def _one(self, record: Record) -> None:
        try:
            await self._persistently([record])
        except Reject as rejection:
            letter = DeadLetter(record, str(rejection))
            await self._retrying(lambda: self._reject(letter))
            reason = await halt_reason(self.database, self.subscription.consumer)
            if reason is not None:
                raise Halted(reason) from rejection

    async def _persistently(self, records: Sequence[Record]) -> None:
        used = filter(self.subscription.uses, records)
        items = [item for record in used if (item := self._decode(record)) is not None]
        try:
            await self._retrying(lambda: self._commit(records, items))
        except Exception as error:
            if is_refused_data(error):
                raise Reject(f"the database refused it: {getattr(error, 'sqlstate', '')}") from error
            raise

    def _decode(self, record: Record) -> Item | None:
        if record.malformed_headers and self.subscription.limited:
            raise Reject("a header is not UTF-8")
        try:
            return self.subscription.decode(record)
        except ValueError as error:
            raise Reject(str(error)) from error

    async def _commit(self, records: Sequence[Record], items: Sequence[Item]) -> None:
        async with self.database.transaction() as connection:
            await self._move_cursors(connection, records)
            if items:
                await self.subscription.apply(connection, items)
        self._advance(records)

    async def _move_cursors(self, connection: Connection, records: Sequence[Record]) -> None:
        passed = [*self._skipped.values(), *records]
        await move_cursors(connection, self.subscription.consumer, passed, self.positions | self._stored)

    async def _reject(self, letter: DeadLetter) -> None:
        consumer, record = self.subscription.consumer, letter.record
        async with self.database.transaction() as connection:
            await self._move_cursors(connection, [record])
            await bury(connection, self.service, consumer, [letter], self.clock())
            if self.subscription.limited and await too_many_rejects(connection, consumer, record):
                await halt(
                    connection,
                    consumer,
                    f"too many rejects at {record.partition}, the last: {letter.reason}",
                )
        self._advance([record])
        self.metrics.dead_letters.labels(consumer, record.partition.topic).inc()
        _log.error(
            "rejected",
            extra={
                "consumer": consumer,
                "topic": record.partition.topic,
                "partition": record.partition.number,
                "offset": record.offset,
                "event_id": record.event_id,
                "reason": letter.reason,
            },
        )

    def _advance(self, records: Sequence[Record]) -> None:
        for record in records:
            self.positions[record.partition] = record.offset + 1
        self._skipped.clear()
        self._stored.clear()
        self._skipped_batches = 0

    async def _retrying(self, work: Callable[[], Awaitable[None]]) -> None:
        attempt = 0
        while True:
            try:
                return await work()
            except CursorMoved:
                raise
            except Exception as error:
                if not is_transient(error):
                    raise
                attempt += 1
                _log.warning(
                    "retrying",
                    extra={
                        "consumer": self.subscription.consumer,
                        "attempt": attempt,
                        "reason": type(error).__name__,
                    },
                )
                await asyncio.sleep(random.uniform(0.05, min(2.0, 0.1 * 2 ** min(attempt, 5))))


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
        """Consumes for ever, whenever this process leads the lane."""
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
