"""How fast one scoring worker drains a backlog, beside a plain consumer that does the same work."""

import asyncio
import os
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.ports import free_port
from rapport_scoring.consumers import subscription
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, INTERACTION_EVENTS, TOPICS
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Database
from rapport_shared.messaging import topics
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.pace import background_pace
from rapport_shared.messaging.relay import Relay
from rapport_shared.migrations import migrate
from rapport_shared.telemetry import Metrics
from tests.benchmarks.figures import Figure, rate
from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts

PARTITIONS = 3
GROUP = "rapport-scoring-benchmark"


async def measure(kafka: str, postgres: str, events: int = 10_000) -> list[Figure]:
    """Drains `events` facts four times. Deletes and makes the topics of the catalogue at `kafka`.

    `scoring_drain`: a first start, Faust begins at the end of the log; `scoring_drain_reread`: the group stands at 0,
    so that Faust hands over every record of the backlog too; `scoring_drain_two_workers`: two processes share the
    partitions. Limit of all: the same subscription under one plain consumer with a relay.
    """
    messages = ScoringFacts(seed=1, profiles=max(10, events // 5)).happen(events)
    await _publish_afresh(kafka, messages)
    plain = await _drained(kafka, postgres, len(messages), ["-m", "tests.benchmarks.scoring"])
    worker = ["-m", "rapport_scoring", "run"]
    ahead = await _drained(kafka, postgres, len(messages), worker)
    await _stand_at_zero(kafka)
    reread = await _drained(kafka, postgres, len(messages), worker)
    shared = await _drained(kafka, postgres, len(messages), worker, processes=2)
    figures = {"scoring_drain": ahead, "scoring_drain_reread": reread, "scoring_drain_two_workers": shared}
    return [rate(name, value, plain, "events/s") for name, value in figures.items()]


async def run_plain(kafka: str, dsn: str) -> None:
    """The limit: consumer and relay without Faust, until killed."""
    metrics, signal = Metrics(), OutboxSignal()
    async with Database(dsn, size=10, application="benchmark") as database:
        reading = subscription(RulesInForce(), system_clock, signal)
        consumer = CursorConsumer("scoring", database, kafka, reading, metrics, system_clock, 500, background_pace(0.1))
        await asyncio.gather(consumer.run(), Relay("scoring", database, kafka, signal, metrics).run())


async def _publish_afresh(kafka: str, messages: Sequence[Message]) -> None:
    async with topics.administration(kafka) as client:
        ours = {topic.name for topic in TOPICS}
        await client.delete_topics(sorted(ours & set(await client.list_topics())))
        while ours & set(await client.list_topics()):  # noqa: ASYNC110 - the broker offers no event for it
            await asyncio.sleep(0.1)
        await topics.apply(client, PARTITIONS, 1)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    try:
        for message in messages:
            await producer.send(message.topic, message.value, message.key, headers=list(message.headers))
    finally:
        await producer.stop()


async def _drained(kafka: str, postgres: str, events: int, command: Sequence[str], processes: int = 1) -> float:
    """Events per second of the processes `command`, from their first commit to their last."""
    databases = Databases(postgres)
    async with databases.fresh() as dsn:
        await asyncio.to_thread(migrate, "rapport_scoring", dsn)
        async with (
            Database(dsn, size=2, application="benchmark") as database,
            topics.administration(kafka),
            AsyncExitStack() as running,
        ):
            for _ in range(processes):
                await running.enter_async_context(_process(kafka, dsn, command))
            begun_at, begun = await _position_above(database, 0)
            ended_at, ended = await _position_above(database, events - 1)
            return (ended - begun) / (ended_at - begun_at)


async def _position_above(database: Database, position: int) -> tuple[float, int]:
    while True:
        consumed = await database.fetch_value("SELECT coalesce(sum(position), 0)::bigint FROM consumer_cursor")
        if consumed > position:
            return time.perf_counter(), consumed
        await asyncio.sleep(0.01)


@asynccontextmanager
async def _process(kafka: str, dsn: str, command: Sequence[str]) -> AsyncIterator[Process]:
    with tempfile.TemporaryDirectory() as directory:
        environment = {
            **os.environ,
            "RAPPORT_ENVIRONMENT": "local",
            "RAPPORT_KAFKA": kafka,
            "RAPPORT_DATABASE": dsn,
            "RAPPORT_LISTEN": f"127.0.0.1:{free_port()}",
            "RAPPORT_TOKEN_SECRET": "s" * 32,
            "RAPPORT_WORKER_GROUP": GROUP,
            "RAPPORT_WORK_DIRECTORY": str(Path(directory)),
        }
        process = await asyncio.create_subprocess_exec(sys.executable, *command, env=environment, stderr=DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            await process.wait()


async def _stand_at_zero(kafka: str) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=GROUP, enable_auto_commit=False)
    await consumer.start()
    try:
        names = (CUSTOMER_EVENTS.name, INTERACTION_EVENTS.name)
        partitions = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await consumer.stop()


if __name__ == "__main__":
    uvloop.run(run_plain(os.environ["RAPPORT_KAFKA"], os.environ["RAPPORT_DATABASE"]))
