"""A cursor consumer on real Kafka and PostgreSQL: records that cannot be, and logs that changed under it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from deploy.local.infrastructure import Infrastructure
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import Topic
from rapport_shared.database import Connection, Database
from rapport_shared.messaging import topics
from rapport_shared.messaging.consumer import CursorConsumer, Subscription
from rapport_shared.messaging.halts import halt_reason
from rapport_shared.messaging.outcomes import REJECTS_ALLOWED, Reject
from rapport_shared.messaging.records import Record
from rapport_shared.messaging.resume import resume
from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.infrastructure import Databases

CONSUMER = "sums"


@dataclass
class World:
    """A topic of one partition, and a consumer that keeps the words it reads; it rejects those that begin with bad."""

    kafka: str
    database: Database
    topic: Topic = field(default_factory=lambda: Topic(f"test.{uuid4().hex}", "customer", (), "none", "a test's own"))

    async def publish(self, *words: str) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, enable_idempotence=True)
        await producer.start()
        try:
            for word in words:
                headers = [("ce_id", word.encode())]
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
        subscription = Subscription(CONSUMER, (self.topic,), _decode, self._keep)
        consumer = CursorConsumer(
            "customer", self.database, self.kafka, subscription, Metrics(), system_clock, batch_size=100, pace_seconds=0
        )
        async with asyncio.TaskGroup() as group:  # what breaks the consumer ends the test
            running = group.create_task(consumer.run())
            yield
            running.cancel()

    async def consumed(self) -> list[str]:
        return [row["word"] for row in await self.database.fetch("SELECT word FROM kept ORDER BY place")]

    async def has_consumed(self, *words: str) -> bool:
        return await self.consumed() == list(words)

    async def halted_because(self) -> str:
        """The reason of the halt, once there is one."""
        await until("the halt", lambda: _halted(self.database))
        return str(await halt_reason(self.database, CONSUMER))

    async def _keep(self, connection: Connection, words: Sequence[str]) -> None:
        if any(word.startswith("bad") for word in words):
            raise Reject("it begins with bad")
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
            await connection.execute(MESSAGING_TABLES)
            await connection.execute("CREATE TABLE kept (place bigint GENERATED ALWAYS AS IDENTITY, word text)")
        made = World(infrastructure.kafka, database)
        await made.create_topic()
        yield made


async def test_a_consumer_goes_on_where_its_cursor_stands(world: World) -> None:
    await world.publish("one", "two")
    async with world.consuming():
        await until("one and two", lambda: world.has_consumed("one", "two"))
    await world.publish("three")
    async with world.consuming():
        await until("three", lambda: world.has_consumed("one", "two", "three"))


@pytest.mark.parametrize("bad", ["bad", "worse"])
async def test_a_record_that_cannot_be_is_buried_and_harms_no_neighbour(world: World, bad: str) -> None:
    await world.publish("one", bad, "two")
    async with world.consuming():
        await until("the neighbours", lambda: world.has_consumed("one", "two"))
    letters = await world.database.fetch('SELECT "offset", reason, value FROM dead_letter')
    assert [(row["offset"], row["reason"], row["value"]) for row in letters] == [
        (1, f"it begins with {bad}", bad.encode())
    ]
    mirrored = await world.database.fetch("SELECT topic, value FROM outbox")
    assert [(row["topic"], row["value"]) for row in mirrored] == [("rapport.customer.dlq.v1", bad.encode())]


async def test_many_rejects_halt_the_consumer_until_it_is_resumed(world: World) -> None:
    await world.publish(*(f"bad-{number}" for number in range(REJECTS_ALLOWED + 1)), "good")
    async with world.consuming():
        reason = await world.halted_because()
    assert reason == f"too many rejects at {world.topic.name}/0, the last: it begins with bad"
    assert await world.consumed() == []
    async with world.consuming():
        await resume(world.database, world.kafka, CONSUMER, "keep")
        await until("what comes after", lambda: world.has_consumed("good"))


async def _consume_three(world: World) -> None:
    await world.publish("one", "two", "three")
    async with world.consuming():
        await until("three words", lambda: world.has_consumed("one", "two", "three"))


async def test_a_topic_recreated_with_other_records_halts(world: World) -> None:
    await _consume_three(world)
    await world.recreate_topic()
    await world.publish("other one", "other two", "other three", "other four")
    async with world.consuming():
        reason = await world.halted_because()
    assert "holds another record at 2 than was consumed there" in reason
    assert await world.has_consumed("one", "two", "three")


async def test_a_topic_recreated_under_a_running_consumer_halts(world: World) -> None:
    await world.publish("one", "two", "three")
    async with world.consuming():
        await until("three words", lambda: world.has_consumed("one", "two", "three"))
        await world.recreate_topic()
        await world.publish("other one")
        reason = await world.halted_because()
    assert "ends at 1, before the cursor 3" in reason
    assert await world.has_consumed("one", "two", "three")


async def test_a_cursor_ahead_of_its_log_halts(world: World) -> None:
    await _consume_three(world)
    async with world.database.transaction() as connection:
        await connection.execute("UPDATE consumer_cursor SET position = 9, last_offset = 8")
    async with world.consuming():
        reason = await world.halted_because()
    assert reason == f"{world.topic.name}/0 ends at 3, before the cursor 9: the topic was recreated or truncated"
    assert await world.has_consumed("one", "two", "three")


async def test_records_deleted_unread_halt_and_an_operator_decides(world: World) -> None:
    await _consume_three(world)
    await world.publish("four", "five")
    await world.truncate(4)
    async with world.consuming():
        reason = await world.halted_because()
        assert reason == f"{world.topic.name}/0 begins at 4, after the cursor 3: records were lost unread"
        await resume(world.database, world.kafka, CONSUMER, "keep")
        assert await world.halted_because() == reason
        await resume(world.database, world.kafka, CONSUMER, "beginning")
        await until("what is left", lambda: world.has_consumed("one", "two", "three", "five"))


async def test_records_deleted_after_they_were_read_are_not_missed(world: World) -> None:
    await _consume_three(world)
    await world.truncate(3)
    await world.publish("four")
    async with world.consuming():
        await until("the fourth", lambda: world.has_consumed("one", "two", "three", "four"))
