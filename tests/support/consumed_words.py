"""A consumer of words on real Kafka and PostgreSQL, with a topic and a database of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from deploy.local.infrastructure import Infrastructure
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import Topic
from rapport_shared.database import Connection, Database
from rapport_shared.messaging import topics
from rapport_shared.messaging.consumer import BatchProcessor, Subscription
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.halts import halt_reason
from rapport_shared.messaging.outcomes import Reject
from rapport_shared.messaging.pace import Pace
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.messaging.tables import DEAD_LETTER_DECISIONS, MESSAGING_TABLES
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.infrastructure import Databases

__all__ = ["CONSUMER", "WANTED", "World", "world"]

CONSUMER = "sums"
WANTED = "wanted"


@dataclass
class World:
    """A topic of one partition, and a consumer that keeps the words it reads.

    It rejects those that begin with bad until it is `mended`, and then breaks at those that begin with bad broken.
    """

    kafka: str
    database: Database
    mended: bool = False
    topic: Topic = field(default_factory=lambda: Topic(f"test.{uuid4().hex}", "customer", (), "none", "a test's own"))

    async def publish(self, *words: str, ce_type: str = WANTED) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, enable_idempotence=True)
        await producer.start()
        try:
            for word in words:
                headers = [("ce_id", word.encode()), ("ce_type", ce_type.encode())]
                await producer.send_and_wait(self.topic.name, word.encode(), b"key", headers=headers)
        finally:
            await producer.stop()

    async def create_topic(self) -> None:
        async with topics.administration(self.kafka) as client:
            await client.create_topics([NewTopic(self.topic.name, 1, 1)])
            await until("the topic", lambda: _listed(client, self.topic.name))

    async def recreate_topic(self) -> None:
        async with topics.administration(self.kafka) as client:
            await client.delete_topics([self.topic.name])
            await until("the topic's end", lambda: _unlisted(client, self.topic.name))
        await self.create_topic()

    async def truncate(self, before: int) -> None:
        async with topics.administration(self.kafka) as client:
            await client.delete_records({TopicPartition(self.topic.name, 0): RecordsToDelete(before)})

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        """The consumer runs meanwhile, as a process would run it."""
        subscription = self.subscription()
        consumer = CursorConsumer(
            "customer",
            self.database,
            self.kafka,
            subscription,
            Metrics(),
            system_clock,
            batch_size=100,
            pace=Pace(0, 0),
        )
        async with asyncio.TaskGroup() as group:  # what breaks the consumer ends the test
            running = group.create_task(consumer.run())
            yield
            running.cancel()

    async def processor(self) -> BatchProcessor[str]:
        """A processor of batches that stands where the cursor does."""
        position, _ = await self.cursor()
        positions = {Partition(self.topic.name, 0): position}
        return BatchProcessor("customer", self.database, self.subscription(), Metrics(), system_clock, positions)

    def subscription(self) -> Subscription[str]:
        return Subscription(CONSUMER, (self.topic,), _decode, self._keep, types=frozenset({WANTED}))

    async def cursor(self) -> tuple[int, str | None]:
        """The stored position, and the id of the record before it."""
        query = "SELECT position, last_event_id FROM consumer_cursor"
        row = await self.database.fetch_row(query)
        return (row["position"], row["last_event_id"]) if row else (-1, None)

    async def stands_at(self, position: int, last: str) -> bool:
        return await self.cursor() == (position, last)

    async def consumed(self) -> list[str]:
        return [row["word"] for row in await self.database.fetch("SELECT word FROM kept ORDER BY place")]

    async def has_consumed(self, *words: str) -> bool:
        return await self.consumed() == list(words)

    async def halted_because(self) -> str:
        """The reason of the halt, once there is one."""
        await until("the halt", lambda: _halted(self.database))
        return str(await halt_reason(self.database, CONSUMER))

    async def _keep(self, connection: Connection, words: Sequence[str]) -> None:
        if not self.mended and any(word.startswith("bad") for word in words):
            raise Reject("it begins with bad")
        if any(word.startswith("bad broken") for word in words):
            raise RuntimeError("nobody foresaw this word")
        await connection.executemany("INSERT INTO kept (word) VALUES ($1)", [(word,) for word in words])


def _decode(record: Record) -> str | None:
    word = (record.value or b"").decode()
    if word.startswith("worse"):
        raise Reject("it begins with worse")
    return word


async def _halted(database: Database) -> bool:
    return await halt_reason(database, CONSUMER) is not None


async def _listed(client: AIOKafkaAdminClient, name: str) -> bool:
    return name in await client.list_topics()


async def _unlisted(client: AIOKafkaAdminClient, name: str) -> bool:
    return name not in await client.list_topics()


@pytest_asyncio.fixture
async def world(infrastructure: Infrastructure, databases: Databases) -> AsyncIterator[World]:
    async with databases.fresh() as dsn, Database(dsn, size=4, application="test") as database:
        async with database.transaction() as connection:
            await connection.execute(MESSAGING_TABLES + DEAD_LETTER_DECISIONS)
            await connection.execute("CREATE TABLE kept (place bigint GENERATED ALWAYS AS IDENTITY, word text)")
        made = World(infrastructure.kafka, database)
        await made.create_topic()
        yield made
