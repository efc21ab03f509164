"""The relay on real Kafka and PostgreSQL: order, refusals, a log that the database does not know, two leaders."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from deploy.local.infrastructure import Infrastructure
from rapport_shared.contracts.catalogue import MAX_MESSAGE_BYTES, SCORE_EVENTS
from rapport_shared.database import Database
from rapport_shared.messaging import relay as relay_module
from rapport_shared.messaging import topics
from rapport_shared.messaging.halts import halt_reason
from rapport_shared.messaging.leadership import hold_role
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.relay import BATCH, Relay, Unsendable
from rapport_shared.messaging.tables import DEAD_LETTER_DECISIONS, MESSAGING_TABLES
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.infrastructure import Databases


@dataclass
class World:
    """An outbox, and the topic that its messages go to."""

    kafka: str
    database: Database
    topic: str = field(default_factory=lambda: f"test.{uuid4().hex}")

    async def queue(self, *messages: tuple[str, bytes]) -> None:
        """Queues messages, each under its aggregate, in this order."""
        async with self.database.transaction() as connection:
            await connection.executemany(
                "INSERT INTO outbox (topic, aggregate, key, headers, value) VALUES ($1, $2, $3, $4, $5)",
                [
                    (self.topic, aggregate, aggregate.encode(), json.dumps({"ce_id": value[:40].decode()}), value)
                    for aggregate, value in messages
                ],
            )

    def relay(self) -> Relay:
        """A relay of a service that has no events of its own, so that any topic will do."""
        return Relay("gateway", self.database, self.kafka, OutboxSignal(), Metrics())

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[None]:
        """A relay runs meanwhile; what breaks it ends the test."""
        async with asyncio.TaskGroup() as group:
            running = group.create_task(hold_role(self.database, "relay", self.relay().run, Metrics()))
            yield
            running.cancel()

    async def left(self) -> int:
        """How many messages wait."""
        return int(await self.database.fetch_value("SELECT count(*) FROM outbox"))

    async def is_empty(self) -> bool:
        return await self.left() == 0

    async def sent(self, topic: str = "") -> list[bytes | None]:
        """The values of all records, in the order of each partition."""
        async with BatchReader(self.kafka, "test", max_records=5000) as reader:
            bounds = await reader.bounds(await reader.partitions([topic or self.topic]))
            left = sum(end - begin for begin, end in bounds.values())
            reader.assign({partition: begin for partition, (begin, _) in bounds.items()})
            found: list[bytes | None] = []
            while len(found) < left:
                found += [record.value for record in await reader.poll()]
            return found


@pytest_asyncio.fixture
async def world(infrastructure: Infrastructure, databases: Databases) -> AsyncIterator[World]:
    async with databases.fresh() as dsn, Database(dsn, size=6, application="test") as database:
        async with database.transaction() as connection:
            await connection.execute(MESSAGING_TABLES + DEAD_LETTER_DECISIONS)
        made = World(infrastructure.kafka, database)
        async with topics.administration(infrastructure.kafka) as client:
            await client.create_topics([NewTopic(made.topic, 1, 1)])
        yield made


async def test_an_outbox_is_sent_in_its_order_and_emptied(world: World) -> None:
    words = [f"{number:05d}".encode() for number in range(BATCH * 2 + 7)]
    await world.queue(*((f"a:{number % 5}", word) for number, word in enumerate(words)))
    async with world.relaying():
        await until("an empty outbox", world.is_empty)
    assert await world.sent() == words


async def test_a_message_that_the_broker_refuses_is_parked_and_others_go_on(world: World) -> None:
    await world.queue(("a:1", b"first"), ("a:2", b"x" * (MAX_MESSAGE_BYTES + 1)), ("a:2", b"after"), ("a:3", b"third"))
    for _ in range(3):
        with pytest.raises(ExceptionGroup) as failed:
            async with world.relaying():
                await until("an empty outbox", world.is_empty)
        assert failed.group_contains(Unsendable, match="MessageSizeTooLargeError", depth=1)
    parked = await world.database.fetch("SELECT aggregate, reason FROM parked_aggregate")
    assert [tuple(row) for row in parked] == [("a:2", "MessageSizeTooLargeError")]
    async with world.relaying():
        await until("all but what is parked", lambda: _left(world, 2))
    assert await world.sent() == [b"first", b"third"]


async def _left(world: World, count: int) -> bool:
    return await world.left() == count


async def test_one_of_two_relays_sends_and_the_other_takes_over(world: World) -> None:
    words = [f"{number:05d}".encode() for number in range(1000)]
    async with world.relaying():
        async with world.relaying():
            await world.queue(*(("a:1", word) for word in words[:500]))
            await until("the first half", world.is_empty)
        await world.queue(*(("a:1", word) for word in words[500:]))
        await until("the second half", world.is_empty)
    assert await world.sent() == words


async def test_a_relay_hears_of_what_another_process_commits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "POLL_SECONDS", 3600)
    elsewhere = OutboxSignal(world.database)
    async with world.relaying():
        await world.queue(("a:1", b"first"))
        elsewhere.notify()
        await until("an empty outbox", world.is_empty)
        await world.queue(("a:1", b"second"))
        elsewhere.notify()
        await until("an empty outbox again", world.is_empty)
    assert await world.sent() == [b"first", b"second"]


async def test_a_topic_with_events_that_the_log_does_not_hold_halts_the_relay(
    world: World, infrastructure: Infrastructure
) -> None:
    async with topics.administration(infrastructure.kafka) as client:
        await topics.apply(client, 3, 1)
    producer = AIOKafkaProducer(bootstrap_servers=world.kafka)
    await producer.start()
    try:
        await producer.send_and_wait(SCORE_EVENTS.name, b"{}", b"k", headers=[("ce_id", str(uuid4()).encode())])
    finally:
        await producer.stop()
    relay = Relay("scoring", world.database, world.kafka, OutboxSignal(), Metrics())
    async with asyncio.TaskGroup() as group:
        running = group.create_task(hold_role(world.database, "relay", relay.run, Metrics()))
        await until("the halt", lambda: _halted(world.database))
        running.cancel()
    reason = await halt_reason(world.database, "relay")
    assert reason is not None
    assert "ends with an event that the event log does not hold" in reason


async def _halted(database: Database) -> bool:
    return await halt_reason(database, "relay") is not None
