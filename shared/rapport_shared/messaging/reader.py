"""Reading partitions from given positions: no consumer group, no skipping, no stored offsets in Kafka."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from rapport_shared.messaging.records import Partition, Record

READ_TIMEOUT_SECONDS = 15
LONG_POLL_MS = 1000
FETCH_WAIT_MS = 5000
"""How long a poll, and the broker, wait for records. A record that arrives ends both at once; what is long is cheap."""
STOP_SECONDS = 5


class PositionLost(Exception):
    """The log of a partition no longer has the requested position."""


class BatchReader:
    """Reads records of assigned partitions in batches. Sees committed records only.

    Use it as a context manager; entering raises a retriable `KafkaError` when no broker answers.
    """

    def __init__(self, servers: str, client_id: str, *, max_records: int) -> None:
        self._max_records = max_records
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=servers,
            client_id=client_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_min_bytes=1,
            max_partition_fetch_bytes=2 * 1024 * 1024,
            metadata_max_age_ms=30_000,
            request_timeout_ms=15_000,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        # A request is for all partitions, or for none: the driver has one on its way to each broker. Without this it
        # asks for the others once a partition's records were not taken for a tenth of a second, and what comes to that
        # partition meanwhile waits until something comes to the others, or for `FETCH_WAIT_MS`.
        self._consumer._fetcher._prefetch_backoff = 3600.0
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A cancellation that the driver raises while it stops is its own; one that reaches us must go on.
        stopping = asyncio.create_task(self._consumer.stop())
        try:
            await asyncio.wait({stopping}, timeout=STOP_SECONDS)
        finally:
            if not stopping.done():
                stopping.cancel()
        if stopping.done() and not stopping.cancelled():
            stopping.result()

    async def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """The partitions that the topics have now, in order."""
        # `partitions_for_topic` knows what the consumer tracks, which without a subscription is nothing for 30 s.
        cluster = await self._consumer._client.fetch_all_metadata()
        return [
            Partition(topic, number) for topic in topics for number in sorted(cluster.partitions_for_topic(topic) or ())
        ]

    async def bounds(self, partitions: Iterable[Partition]) -> dict[Partition, tuple[int, int]]:
        """First offset and end offset of each partition."""
        asked = [TopicPartition(partition.topic, partition.number) for partition in partitions]
        # Of topics that it does not track the client knows no leader, and finds them out in a second of retries.
        await asyncio.gather(*(self._consumer._client.add_topic(topic) for topic in {one.topic for one in asked}))
        begins = await self._consumer.beginning_offsets(asked)
        ends = await self._consumer.end_offsets(asked)
        return {
            Partition(asked_one.topic, asked_one.partition): (begins[asked_one], ends[asked_one]) for asked_one in asked
        }

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Continues at these positions, and reads these partitions only."""
        asked = {TopicPartition(partition.topic, partition.number): offset for partition, offset in positions.items()}
        self._consumer.assign(list(asked))
        for partition, offset in asked.items():
            self._consumer.seek(partition, offset)

    async def poll(self, wait_ms: int = LONG_POLL_MS) -> list[Record]:
        """The next records, at most a batch, in order within each partition; empty after `wait_ms` without records.

        Only behind a full batch the driver reads ahead. What it reads otherwise would be the first record after this
        batch alone, and would wait until the next poll while all further ones wait for the poll after that.
        Raises `PositionLost` where the log does not reach the position.
        """
        self._consumer.resume(*self._consumer.paused())
        try:
            found = await self._consumer.getmany(timeout_ms=wait_ms, max_records=self._max_records)
        except OffsetOutOfRangeError as error:
            raise PositionLost from error
        records = [as_record(record) for records in found.values() for record in records]
        if 0 < len(records) < self._max_records:
            self._consumer.pause(*self._consumer.assignment())
        return records

    async def record_at(self, partition: Partition, offset: int) -> Record | None:
        """The record at exactly `offset`; None when the log no longer has it. Changes the assignment."""
        self.assign({partition: offset})
        records = await self.poll(READ_TIMEOUT_SECONDS * 1000)
        return next((record for record in records if record.offset == offset), None)

    def lag(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Records between `positions` and the ends last seen."""
        lags: dict[Partition, int] = {}
        for partition, position in positions.items():
            end = self._consumer.highwater(TopicPartition(partition.topic, partition.number))
            if end is not None:
                lags[partition] = max(0, end - position)
        return lags


def as_record(record: Any) -> Record:
    """A record of aiokafka or of Faust's driver as ours."""
    malformed = False
    headers: dict[str, str] = {}
    for name, value in record.headers or ():
        try:
            headers[name] = value.decode() if value is not None else ""
        except UnicodeDecodeError:
            malformed = True
    return Record(
        Partition(record.topic, record.partition),
        record.offset,
        record.key,
        headers,
        record.value,
        datetime.fromtimestamp(record.timestamp / 1000, UTC),
        malformed,
    )


async def last_records(servers: str, topic: str) -> dict[Partition, Record]:
    """The last committed record of each partition that has one.

    A partition may end with transaction markers of another producer; the result is the last record before them.
    """
    async with BatchReader(servers, "rapport-last-records", max_records=500) as reader:
        found: dict[Partition, Record] = {}
        bounds = await reader.bounds(await reader.partitions([topic]))
        for partition, (begin, end) in bounds.items():
            for back in (1, 10, 500):
                if end - back < begin and back > 1:
                    break
                if end <= begin:
                    break
                reader.assign({partition: max(begin, end - back)})
                records = await reader.poll(1000)
                if records:
                    found[partition] = records[-1]
                    break
        return found
