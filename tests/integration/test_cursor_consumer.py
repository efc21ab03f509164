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
from rapport_shared.messaging.consumer import SKIPPED_BATCHES, BatchProcessor, CursorConsumer, Subscription
from rapport_shared.messaging.cursors import begin_cursors
from rapport_shared.messaging.halts import Halted, halt_reason
from rapport_shared.messaging.leadership import CursorMoved, hold_role
from rapport_shared.messaging.outcomes import REJECTS_ALLOWED, Reject
from rapport_shared.messaging.pace import Pace
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.messaging.resume import resume
from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.infrastructure import Databases

CONSUMER = "sums"
WANTED = "wanted"


@dataclass
class World:
    """A topic of one partition, and a consumer that keeps the words it reads; it rejects those that begin with bad."""

    kafka: str
    database: Database
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


async def test_records_of_other_types_are_not_decoded_and_the_cursor_moves_past_them(world: World) -> None:
    await world.publish("worse is never decoded", "nor is bad", ce_type="other")
    async with world.consuming():
        await until("the cursor behind both", lambda: world.stands_at(2, "nor is bad"))
        await world.publish("one")
        await world.publish("passed by", ce_type="other")
        await until("one", lambda: world.has_consumed("one"))
        await until("the cursor behind all", lambda: world.stands_at(4, "passed by"))
    await world.publish("two")
    async with world.consuming():
        await until("two", lambda: world.has_consumed("one", "two"))
    assert await world.database.fetch_value("SELECT count(*) FROM dead_letter") == 0


async def test_skipped_batches_share_one_move_of_the_cursor(world: World) -> None:
    processor = await _processor(world)
    for number in range(SKIPPED_BATCHES - 1):
        await processor.process([_record(world, number, "other")])
        assert await world.cursor() == (0, None)
        assert processor.positions == {_partition(world): number + 1}
    await processor.process([_record(world, SKIPPED_BATCHES - 1, "other")])
    assert await world.cursor() == (SKIPPED_BATCHES, f"word {SKIPPED_BATCHES - 1}")


async def test_a_wanted_record_and_a_look_at_nothing_move_the_cursor_past_what_was_skipped(world: World) -> None:
    processor = await _processor(world)
    await processor.process([_record(world, 0, "other")])
    await processor.process([_record(world, 1, WANTED)])
    assert await world.cursor() == (2, "word 1")
    await processor.process([_record(world, 2, "other")])
    await processor.process([])
    assert await world.cursor() == (3, "word 2")
    assert await world.consumed() == ["word 1"]


async def test_a_rejected_record_between_skipped_ones_is_buried_alone(world: World) -> None:
    processor = await _processor(world)
    records = [_record(world, 0, "other"), _record(world, 1, WANTED, "bad"), _record(world, 2, "other")]
    await processor.process([*records, _record(world, 3, WANTED)])
    assert await world.consumed() == ["word 3"]
    assert await world.cursor() == (4, "word 3")
    assert [row["offset"] for row in await world.database.fetch('SELECT "offset" FROM dead_letter')] == [1]


async def test_a_cursor_that_another_moved_is_found_out_by_who_only_skips(world: World) -> None:
    first, second = await _processor(world), await _processor(world)
    await first.process([_record(world, 0, WANTED)])
    await second.process([_record(world, 0, "other")])
    with pytest.raises(CursorMoved):
        await second.process([])


async def _processor(world: World) -> BatchProcessor[str]:
    await begin_cursors(world.database, CONSUMER, {_partition(world): 0})
    return BatchProcessor(
        "customer", world.database, world.subscription(), Metrics(), system_clock, {_partition(world): 0}
    )


def _partition(world: World) -> Partition:
    return Partition(world.topic.name, 0)


def _record(world: World, offset: int, ce_type: str, word: str | None = None) -> Record:
    headers = {"ce_id": f"word {offset}", "ce_type": ce_type}
    return Record(_partition(world), offset, b"key", headers, (word or f"word {offset}").encode(), system_clock())


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


async def test_a_role_that_is_told_to_end_while_it_halts_ends(world: World) -> None:
    async def halts() -> None:
        asyncio.get_running_loop().call_soon(running.cancel)
        raise Halted("its ground is gone")

    running = asyncio.create_task(hold_role(world.database, "a role", halts, Metrics()))
    done, _ = await asyncio.wait({running}, timeout=30)
    running.cancel()
    assert done, "the role went on after it was cancelled"
    assert running.cancelled()
