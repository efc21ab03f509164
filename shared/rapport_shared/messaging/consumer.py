"""A consumer: one poll, one batch, one transaction over all its partitions.

A projection's `apply` folds facts; a reaction's runs commands on the same connection. Both move the cursor in that
transaction, so that an acknowledged record is neither lost nor counted twice.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import Service, Topic
from rapport_shared.database import Connection, Database, is_refused_data, is_transient
from rapport_shared.messaging.cursors import hold_cursors, move_cursors
from rapport_shared.messaging.dead_letters import AskedLetter, asked_letters, mark_consumed, mark_rejected_again
from rapport_shared.messaging.halts import Halted, halt, halt_reason
from rapport_shared.messaging.leadership import CursorMoved
from rapport_shared.messaging.outcomes import DeadLetter, Reject, bury, too_many_rejects
from rapport_shared.messaging.reader import LONG_POLL_MS
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.outages import wait_seconds
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.consumer")

Item = TypeVar("Item")

SKIPPED_BATCHES = 3
"""So many batches with nothing but skipped records may follow each other before the cursors move past them."""
REPLAY_SECONDS = 2.0
"""How often a consumer looks for dead letters that an operator wants to have replayed."""
SETTLE_WAIT_MS = 100
"""How long further records are waited for while cursors have not moved past skipped ones."""


async def _nothing_more() -> None:
    return


async def _nothing_left() -> bool:
    return False


def _every_record(record: Record) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Subscription(Generic[Item]):
    """What a consumer reads and does.

    `types` are the event types that the consumer uses, by their wire names; None means all records. The consumer
    skips a record of another type after reading its headers, and a record for which `concerns` (a cheap check of its
    bytes) returns False. `decode` turns a record into an item, or None for a record that the consumer does not need;
    `decode` raises `Reject` and does no I/O. `apply` consumes the items of a batch inside the transaction; `apply` may
    run again, and raises `Reject` for an item that it cannot consume. `committed` is awaited after the commit of each
    batch, unless all its records were skipped. `caught_up` is awaited at most once a second while nothing is left to
    read, and returns whether it wants to run again at once. An `urgent` consumer is one whose result a user waits for.
    Too many rejects halt a `limited` consumer.
    """

    consumer: str
    topics: tuple[Topic, ...]
    decode: Callable[[Record], Item | None]
    apply: Callable[[Connection, Sequence[Item]], Awaitable[None]]
    committed: Callable[[], Awaitable[None]] = _nothing_more
    caught_up: Callable[[], Awaitable[bool]] = _nothing_left
    limited: bool = True
    types: frozenset[str] | None = None
    concerns: Callable[[Record], bool] = _every_record
    urgent: bool = False

    def uses(self, record: Record) -> bool:
        """Whether the consumer must decode the record. It skips all other records."""
        if record.malformed_headers:
            return True
        return (self.types is None or record.headers.get("ce_type") in self.types) and self.concerns(record)


@dataclass(slots=True)
class BatchProcessor(Generic[Item]):
    """Consumes batches of one subscription, in transactions.

    `positions` is the next offset of each partition. The stored cursor of a partition may be behind, but only by
    skipped records: it moves past them with the next batch that has work, or after a short time.
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
    _replay_again: float = 0.0
    _newest: float = 0.0

    @property
    def wait_ms(self) -> int:
        """How long to wait for further records: a short time while the stored cursors are behind skipped records."""
        return SETTLE_WAIT_MS if self._skipped else LONG_POLL_MS

    async def process(self, records: Sequence[Record]) -> None:
        """Consumes `records`. Returns when they are committed or skipped; repeats without limit what may succeed.

        Without records, moves the stored cursors past the skipped records. Raises `CursorMoved` and `Halted`, and any
        exception that a bug raises.
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

    async def replay(self, now: float) -> None:
        """Replays the dead letters of these partitions that an operator asked to replay; checks every two seconds.

        `now` is a monotonic time. A letter that cannot be consumed is opened again with the reason. No
        error of a letter ends the process, because the letter was rejected before. Raises `CursorMoved`.
        """
        if now < self._replay_again:
            return
        self._replay_again = now + REPLAY_SECONDS
        await self._retrying(self._replay_asked)

    async def _replay_asked(self) -> None:
        letters = await asked_letters(self.database, self.subscription.consumer, self.positions)
        for letter in letters:
            await self._replay_letter(letter)

    async def _replay_letter(self, letter: AskedLetter) -> None:
        consumer = self.subscription.consumer
        try:
            item = self._decode(letter.record) if self.subscription.uses(letter.record) else None
            if not await self._consume_letter(letter, item):
                return
        except Exception as error:
            if isinstance(error, CursorMoved) or is_transient(error):
                raise
            reason = str(error) if isinstance(error, Reject) else _refusal(error)
            async with self.database.transaction() as connection:
                await mark_rejected_again(connection, letter.id, reason, self.clock())
            _log.error("rejected again", extra={"consumer": consumer, "letter": letter.id, "reason": reason})
            return
        await self.subscription.committed()
        _log.info("replayed", extra={"consumer": consumer, "letter": letter.id})

    async def _consume_letter(self, letter: AskedLetter, item: Item | None) -> bool:
        async with self.database.transaction() as connection:
            await hold_cursors(connection, self.subscription.consumer, self.positions | self._stored)
            if not await mark_consumed(connection, letter.id, self.clock()):
                return False
            if item is not None:
                await self.subscription.apply(connection, [item])
        return True

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
                self._newest = max(self._newest, datetime.fromisoformat(max(recorded)).timestamp())
            except (ValueError, TypeError):
                return  # a malformed time was rejected with its record
            self.metrics.projection_delay.labels(self.subscription.consumer).observe(max(0.0, delay.total_seconds()))
            self.metrics.newest_event.labels(self.subscription.consumer).set(self._newest)

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
                raise Reject(_refusal(error)) from error
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
                await asyncio.sleep(wait_seconds(attempt))


def _refusal(error: Exception) -> str:
    """The reason for rejecting a record. It leaves out the text of the error, because drivers may quote a row in it."""
    if is_refused_data(error):
        return f"the database refused it: {getattr(error, 'sqlstate', '')}"
    return f"the consumer raised {type(error).__name__}"
