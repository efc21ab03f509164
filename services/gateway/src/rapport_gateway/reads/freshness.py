"""How fresh the view is: what waits in Kafka, what was accepted and is not recorded yet, what was rejected."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError
from pydantic import BaseModel, Field

from rapport_gateway.projection.store import touchpoints
from rapport_gateway.projection.store.runs import caught_up_at, run_consumer
from rapport_gateway.reads.customers import Views
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import DEAD_LETTERS, EVENT_TOPICS
from rapport_shared.database import Database
from rapport_shared.gathering import MetricSource
from rapport_shared.messaging.cursors import load_cursors
from rapport_shared.messaging.dead_letters import undecided_letters
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.records import Partition
from rapport_shared.telemetry import Metrics

ASKED_AGAIN_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
ACCEPTED_LOOKED_AT = 10_000
"""How many of the latest accepted touchpoints are looked up: one lookup by key each, some ten milliseconds together."""

Bounds = Mapping[Partition, tuple[int, int]]


class PartitionFreshness(BaseModel):
    """How far the view is behind in one partition; `end`, `behind` and `lag_ms` are null while Kafka is away."""

    topic: str
    partition: int
    position: int = Field(description="The next offset that the view reads.")
    end: int | None
    behind: int | None = Field(description="Records that the view has not read yet.")
    lag_ms: int | None = Field(description="How long the oldest of them has waited, at most; 0 where none waits.")


class RejectedRecords(BaseModel):
    """What one of the gateway's consumers has rejected, and was neither replayed nor dismissed; kept for 30 days."""

    consumer: str
    count: int


class DeadLetterTopic(BaseModel):
    """The dead-letter topic of a service; `records` is null while Kafka is not available."""

    service: str
    topic: str
    records: int | None


class DeadLetters(BaseModel):
    """Rejected records: the gateway's own as its database counts them, every service's as its topic holds them."""

    consumers: list[RejectedRecords]
    topics: list[DeadLetterTopic]


class Unrecorded(BaseModel):
    """Touchpoints that were accepted and are neither recorded nor quarantined in the view."""

    count: int
    oldest_ms: int | None
    among: int = Field(description=f"How many were looked at: the latest {ACCEPTED_LOOKED_AT} accepted.")


class FreshnessAnswer(BaseModel):
    """How fresh the view is."""

    run: int
    lag_ms: int | None = Field(description="How long ago the view had read everything; null before it first had.")
    kafka: str | None = Field(description="Why nothing is known of Kafka; null when it answers.")
    partitions: list[PartitionFreshness]
    dead_letters: DeadLetters
    unrecorded: Unrecorded
    quarantined: int = Field(description="Touchpoints in quarantine that were neither mended nor dismissed.")


@dataclass(slots=True)
class Logs:
    """Where the logs of some topics begin and end. Kafka is asked once a second at most, whoever wants to know."""

    servers: str
    topics: tuple[str, ...]
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _known: tuple[Bounds, str | None] = ({}, None)
    _known_until: float = 0.0

    async def bounds(self) -> tuple[Bounds, str | None]:
        """The bounds, or none and the reason; within some two seconds also while Kafka is away."""
        async with self._asking:
            if time.monotonic() >= self._known_until:
                self._known = await self._ask()
                self._known_until = time.monotonic() + ASKED_AGAIN_SECONDS
            return self._known

    async def _ask(self) -> tuple[Bounds, str | None]:
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                BatchReader(self.servers, "rapport-gateway-freshness", max_records=1) as reader,
            ):
                return await reader.bounds(await reader.partitions(self.topics)), None
        except (KafkaError, OSError, TimeoutError) as error:
            return {}, f"Kafka does not answer ({type(error).__name__})."


class Freshness:
    """Answers how fresh the view is. Asks nobody but Kafka and the gateway's own database."""

    def __init__(self, views: Views, database: Database, servers: str, clock: Clock) -> None:
        names = tuple(topic.name for topic in (*EVENT_TOPICS, *DEAD_LETTERS.values()))
        self._views, self._database, self._clock = views, database, clock
        self._logs = Logs(servers, names)

    async def answer(self) -> FreshnessAnswer:
        """The present state. Raises a 503 before the view is known, and what the database raises."""
        bounds, reason = await self._logs.bounds()
        lag_ms = self._views.lag_ms()
        return FreshnessAnswer(
            run=self._views.run,
            lag_ms=lag_ms,
            kafka=reason,
            partitions=await self._partitions(bounds, lag_ms),
            dead_letters=DeadLetters(consumers=await self._rejected(), topics=_dead_letter_topics(bounds)),
            unrecorded=await self._unrecorded(),
            quarantined=await touchpoints.count_quarantined(self._views.live),
        )

    def gather(self, metrics: Metrics) -> MetricSource:
        """What sets the metrics of freshness. Before the view is known it sets none."""

        async def gather() -> None:
            if self._views.hub.view is None:
                return
            await self._gather_lags(metrics)
            unrecorded = await self._unrecorded()
            metrics.unrecorded.set(unrecorded.count)
            metrics.unrecorded_age.set((unrecorded.oldest_ms or 0) / 1000)

        return gather

    async def _gather_lags(self, metrics: Metrics) -> None:
        caught_up = await caught_up_at(self._database)
        now = self._clock()
        metrics.view_lag.clear()
        for run, at in caught_up.items():
            metrics.view_lag.labels(str(run)).set(max(0.0, (now - at).total_seconds()))

    async def _partitions(self, bounds: Bounds, lag_ms: int | None) -> list[PartitionFreshness]:
        cursors = await load_cursors(self._database, run_consumer(self._views.run))
        events = {topic.name for topic in EVENT_TOPICS}
        positions = {partition: 0 for partition in bounds if partition.topic in events}
        positions |= {partition: cursor.position for partition, cursor in cursors.items()}
        ordered = sorted(positions, key=lambda partition: (partition.topic, partition.number))
        return [_partition(partition, positions[partition], bounds, lag_ms) for partition in ordered]

    async def _rejected(self) -> list[RejectedRecords]:
        counts = await undecided_letters(self._database)
        return [RejectedRecords(consumer=consumer, count=count) for consumer, count in counts.items()]

    async def _unrecorded(self) -> Unrecorded:
        found = await touchpoints.unrecorded(self._views.live, ACCEPTED_LOOKED_AT)
        age = None if found.oldest is None else max(0, int((self._clock() - found.oldest).total_seconds() * 1000))
        return Unrecorded(count=found.missing, oldest_ms=age, among=found.among)


def _partition(partition: Partition, position: int, bounds: Bounds, lag_ms: int | None) -> PartitionFreshness:
    # The cursor was read after the log's end: it may be beyond the end.
    end = max(position, bounds[partition][1]) if partition in bounds else None
    behind = None if end is None else end - position
    return PartitionFreshness(
        topic=partition.topic,
        partition=partition.number,
        position=position,
        end=end,
        behind=behind,
        lag_ms=lag_ms if behind else behind,
    )


def _dead_letter_topics(bounds: Bounds) -> list[DeadLetterTopic]:
    held = {
        topic.name: sum(end - begin for partition, (begin, end) in bounds.items() if partition.topic == topic.name)
        for topic in DEAD_LETTERS.values()
    }
    return [
        DeadLetterTopic(service=service, topic=topic.name, records=held[topic.name] if bounds else None)
        for service, topic in DEAD_LETTERS.items()
    ]
