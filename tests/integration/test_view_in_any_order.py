"""The same events in any order and doubled, through real Kafka: the same sections, byte for byte, merges included."""

import asyncio
import dataclasses
import random
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from deploy.local.infrastructure import Infrastructure
from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.store.runs import Run, live_run
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import EVENT_TOPICS, Topic
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Database
from rapport_shared.messaging import topics
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.pace import Pace
from rapport_shared.migrations import migrate
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.infrastructure import Databases
from tests.support.view_facts import Sections, ViewFacts, sections_of

PARTITIONS = 3


@pytest.mark.parametrize("batch_size", [7, 500])
async def test_events_in_any_order_and_doubled_make_the_same_view(
    infrastructure: Infrastructure, databases: Databases, batch_size: int
) -> None:
    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_gateway", dsn)

    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    messages = ViewFacts(seed, profiles=8).happen(400)
    doubled = messages + chance.choices(messages, k=len(messages) // 2)
    chance.shuffle(doubled)
    views = []
    for published in (messages, doubled):
        async with databases.fresh(await databases.template("gateway", prepare)) as dsn:
            views.append(await _view_of(published, infrastructure.kafka, dsn, batch_size))
    assert views[1] == views[0], f"seed {seed}"
    assert views[0] == sections_of(messages), f"seed {seed}"


async def _view_of(messages: Sequence[Message], kafka: str, dsn: str, batch_size: int) -> Sections:
    """The sections that a projector makes of `messages`, published in this order to topics of their own."""
    own = {topic.name: dataclasses.replace(topic, name=f"test.{uuid4().hex}") for topic in EVENT_TOPICS}
    async with topics.administration(kafka) as client:
        await client.create_topics([NewTopic(topic.name, PARTITIONS, 1) for topic in own.values()])
    await _publish([(own[message.topic].name, message) for message in messages], kafka)
    async with Database(dsn, size=2, application="test") as database, database.connection() as connection:
        run = await live_run(connection)
        async with Database(dsn, size=4, application="test", search_path=f"{run.schema}, public") as tables:
            await _project(run, tables, kafka, tuple(own.values()), len(messages), batch_size)
            await _assert_merged_ids_lead_to_their_customers(tables)
            return await _sections(tables)


async def _publish(messages: Sequence[tuple[str, Message]], kafka: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    try:
        for topic, message in messages:
            await producer.send(topic, message.value, message.key, headers=list(message.headers))
    finally:
        await producer.stop()


async def _project(run: Run, tables: Database, kafka: str, own: tuple[Topic, ...], count: int, batch_size: int) -> None:
    async def nobody() -> None:
        return

    async def consumed() -> bool:
        position = await tables.fetch_value("SELECT coalesce(sum(position), 0)::bigint FROM consumer_cursor")
        return bool(position == count)

    projector = Projector(run, tables, system_clock, nobody)
    subscription = dataclasses.replace(projector.subscription(), topics=own)
    consumer = CursorConsumer("gateway", tables, kafka, subscription, Metrics(), system_clock, batch_size, Pace(0, 0))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(consumer.run())
        await until("all events in the view", consumed)
        running.cancel()
    assert await tables.fetch_value("SELECT count(*) FROM dead_letter") == 0


async def _sections(tables: Database) -> Sections:
    rows = await tables.fetch(f"SELECT customer_id, {', '.join(SECTIONS)} FROM customer_view WHERE moved_to IS NULL")
    found: defaultdict[UUID, dict[str, str]] = defaultdict(dict)
    for row in rows:
        found[row["customer_id"]] = {name: row[name] for name in SECTIONS}
    return dict(found)


async def _assert_merged_ids_lead_to_their_customers(tables: Database) -> None:
    rows = await tables.fetch(
        "SELECT v.customer_id, v.moved_to, m.customer_id AS belongs_to FROM customer_view v "
        "JOIN membership m ON m.profile_id = v.customer_id WHERE v.moved_to IS NOT NULL"
    )
    assert [row["moved_to"] for row in rows] == [row["belongs_to"] for row in rows]
