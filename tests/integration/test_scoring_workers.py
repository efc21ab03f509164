"""Scoring on real Kafka and PostgreSQL: workers that share partitions, die and come back give the plain values."""

import asyncio
import json
import os
import random
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local.infrastructure import Infrastructure
from deploy.local.ports import free_port
from rapport_scoring.commands.assessments import assess_customers
from rapport_scoring.commands.facts import Fact, take_facts
from rapport_scoring.commands.policies import SEGMENT
from rapport_scoring.consumers import decode
from rapport_scoring.domain.assessment import QUIET
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.segments import SegmentPolicy
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import (
    ALARM_RAISED,
    CUSTOMER_VALUE_STATE,
    SCORE_EVENTS,
    SCORE_UPDATED,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    STAGE_CHANGED,
    TOPICS,
    VALUE_PARAMETERS_STATE,
)
from rapport_shared.contracts.codec import Message
from rapport_shared.contracts.scoring import CustomerValueState, ScoreUpdated
from rapport_shared.database import Database
from rapport_shared.messaging import topics
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.messaging.relay import BATCH
from rapport_shared.migrations import migrate
from rapport_shared.policies import PolicyPlace, activate, add_version
from tests.support.conditions import until
from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts, values_alone

PARTITIONS = 3
EVENTS = int(os.environ.get("RAPPORT_WORKER_EVENTS", "3000"))
"""Of the test in which workers are killed."""


SEGMENTS = {
    "below-a-million": {"reading": "value:lifetime", "less_than": 1_000_000},
    "not-lapsed": {"not": {"reading": "stage", "is": "lapsed"}},
    "busy": {"count": "purchases", "within": "60 days", "at_least": 1},
}

_EVERYBODY = "SELECT customer_id FROM customer_score ORDER BY customer_id"
_WAITING = "SELECT count(*) FROM customer_score WHERE memory LIKE '%\"waiting\":true%'"
_NOTHING_LEFT = """
SELECT NOT EXISTS (SELECT FROM outbox) AND NOT EXISTS (SELECT FROM customer_score WHERE due_at <= $1)
"""


@dataclass
class World:
    """Fresh topics, a fresh database, and the workers on them."""

    kafka: str
    dsn: str
    directory: Path
    database: Database
    group: str = field(default_factory=lambda: f"scoring-{uuid4().hex[:8]}")
    workers: list[Process] = field(default_factory=list)
    addresses: dict[int, str] = field(default_factory=dict)

    async def start_worker(self) -> Process:
        """One more process of the service."""
        address = f"127.0.0.1:{free_port()}"
        environment = {
            **os.environ,
            "RAPPORT_ENVIRONMENT": "local",
            "RAPPORT_KAFKA": self.kafka,
            "RAPPORT_DATABASE": self.dsn,
            "RAPPORT_LISTEN": address,
            "RAPPORT_TOKEN_SECRET": "s" * 32,
            "RAPPORT_WORKER_GROUP": self.group,
            "RAPPORT_WORK_DIRECTORY": str(self.directory),
            "RAPPORT_BATCH_SIZE": "50",
        }
        log = (self.directory / f"worker-{len(self.workers)}.log").open("ab")
        with log:
            worker = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "rapport_scoring", "run", env=environment, stdout=DEVNULL, stderr=log
            )
        self.workers.append(worker)
        self.addresses[worker.pid] = address
        return worker

    async def supervise(self, worker: Process) -> None:
        """Starts a worker anew whenever it ends, as a deployment does."""
        while True:
            await worker.wait()
            worker = await self.start_worker()

    async def has_consumed(self, worker: Process) -> bool:
        """Whether this very process has consumed anything."""
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"http://{self.addresses[worker.pid]}/metrics")
            except httpx.TransportError:
                return False
        return "rapport_consumed_total{" in answer.text

    async def end_workers(self) -> None:
        for worker in self.workers:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()

    async def publish(self, messages: Iterable[Message]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka, enable_idempotence=True)
        await producer.start()
        try:
            for message in messages:
                await producer.send(message.topic, message.value, message.key, headers=list(message.headers))
        finally:
            await producer.stop()

    async def publish_slowly(self, messages: Sequence[Message]) -> None:
        """Publishes for about half a minute, so that what happens to the workers happens in the middle."""
        portion = max(12, len(messages) // 280)
        for begin in range(0, len(messages), portion):
            await self.publish(messages[begin : begin + portion])
            await asyncio.sleep(0.08)

    async def read(self, topic: str) -> list[tuple[str, bytes | None]]:
        """Keys and values of all records of a topic, each partition's in order."""
        return [((record.key or b"").decode(), record.value) for record in await self.records(topic)]

    async def records(self, topic: str) -> list[Record]:
        """All records of a topic, each partition's in order."""
        async with BatchReader(self.kafka, "test", max_records=5000) as reader:
            bounds = await reader.bounds(await reader.partitions([topic]))
            left = sum(end - begin for begin, end in bounds.values())
            reader.assign({partition: begin for partition, (begin, _) in bounds.items()})
            found: list[Record] = []
            while len(found) < left:
                found += await reader.poll()
            return found

    async def consumed(self) -> bool:
        """Whether every cursor is at its end, nobody's score waits for a timer, and the outbox is empty."""
        try:
            return await self._consumed()
        except (asyncpg.PostgresError, OSError, TimeoutError, asyncpg.InterfaceError, KafkaError):
            return False

    async def _consumed(self) -> bool:
        rows = await self.database.fetch("SELECT topic, partition, position FROM consumer_cursor")
        if len(rows) < 2 * PARTITIONS:
            return False
        async with BatchReader(self.kafka, "test", max_records=1) as reader:
            bounds = await reader.bounds([Partition(row["topic"], row["partition"]) for row in rows])
        behind = [row for row in rows if bounds[Partition(row["topic"], row["partition"])][1] != row["position"]]
        return not behind and await self.database.fetch_value(_NOTHING_LEFT, datetime.now(UTC) + QUIET) is True


async def fresh_topics(servers: str) -> None:
    """The topics of the catalogue, without a record."""
    async with topics.administration(servers) as client:
        await _delete_topics(client)
        await topics.apply(client, PARTITIONS, 1)


async def _delete_topics(client: AIOKafkaAdminClient) -> None:
    ours = {topic.name for topic in TOPICS}
    present = sorted(ours & set(await client.list_topics()))
    if present:
        await client.delete_topics(present)

    async def gone() -> bool:
        return not ours & set(await client.list_topics())

    await until("the deletion of the topics", gone)


@asynccontextmanager
async def scoring_world(infrastructure: Infrastructure, dsn: str, directory: Path) -> AsyncIterator[World]:
    await fresh_topics(infrastructure.kafka)
    await asyncio.to_thread(migrate, "rapport_scoring", dsn)
    async with Database(dsn, size=4, application="test") as database:
        world = World(infrastructure.kafka, dsn, directory, database)
        try:
            yield world
        finally:
            await world.end_workers()


@pytest_asyncio.fixture
async def world(infrastructure: Infrastructure, databases: Databases, tmp_path: Path) -> AsyncIterator[World]:
    async with databases.fresh() as dsn, scoring_world(infrastructure, dsn, tmp_path) as made:
        yield made


def last_scores(records: list[tuple[str, bytes | None]]) -> dict[UUID, ScoreUpdated]:
    """The last score of each customer, those that say nothing left out, without what was decided once."""
    scores = {UUID(key): ScoreUpdated.model_validate_json(value) for key, value in records if value is not None}
    return {customer: values_alone(score) for customer, score in scores.items() if score.as_of is not None}


async def published_scores(world: World) -> dict[UUID, ScoreUpdated]:
    """The last published score of each customer."""
    records = [
        one for one in await world.records(SCORE_EVENTS.name) if one.headers.get("ce_type") == SCORE_UPDATED.wire
    ]
    return last_scores([((one.key or b"").decode(), one.value) for one in records])


async def assert_plain_values(world: World, facts: ScoringFacts) -> None:
    last = await published_scores(world)
    expected = facts.expected({customer: score.as_of for customer, score in last.items() if score.as_of})
    assert last == expected
    states = {
        UUID(key): CustomerValueState.model_validate_json(value)
        for key, value in await world.read(CUSTOMER_VALUE_STATE.name)
        if value is not None
    }
    assert {
        customer: values_alone(state.score)
        for customer, state in states.items()
        if state.score is not None and state.score.as_of is not None
    } == expected
    gaps = await world.database.fetch(
        "SELECT aggregate FROM event_log GROUP BY aggregate HAVING count(*) <> max(sequence) OR min(sequence) <> 1"
    )
    assert gaps == []
    await assert_published_as_logged(world)
    assert await world.database.fetch_value("SELECT count(*) FROM dead_letter") == 0


async def assert_published_as_logged(world: World) -> None:
    """Every logged event is in the topic and nothing else is.

    A batch whose answer was lost, with the relay or with the broker, is sent again: such a repeat has the same id and
    the same bytes, and there are no more of them than a batch for each worker that was started.
    """
    logged = {
        str(row["event_id"]): row["value"]
        for row in await world.database.fetch("SELECT event_id, value FROM event_log")
    }
    records = await world.records(SCORE_EVENTS.name)
    published: dict[str, bytes] = {}
    for record in records:
        assert record.event_id is not None
        assert record.value is not None
        assert published.setdefault(record.event_id, record.value) == record.value, "one id, two bodies"
    assert published == logged
    assert len(records) - len(published) <= BATCH * len(world.workers)


async def test_workers_that_share_partitions_come_and_die_give_the_plain_values(world: World) -> None:
    facts = ScoringFacts(seed=random.SystemRandom().randrange(10**6), profiles=max(40, EVENTS // 75))
    print("seed", facts.seed)
    messages = facts.happen(EVENTS)
    messages += messages[::7]  # some come twice
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(world.publish_slowly(messages))
        first = await world.start_worker()
        await until("the first worker's share", lambda: world.has_consumed(first))
        second = await world.start_worker()
        await until("the second worker's share", lambda: world.has_consumed(second))
        assert not publishing.done()
        first.send_signal(signal.SIGKILL)
        third = await world.start_worker()
        await until("the third worker's share", lambda: world.has_consumed(third))
    await until("the rest", world.consumed, seconds=90 + EVENTS / 100)
    await assert_plain_values(world, facts)


async def test_a_worker_that_is_asked_to_end_ends_and_leaves_nothing_behind(world: World) -> None:
    facts = ScoringFacts(seed=7, profiles=10)
    await world.publish(facts.happen(300))
    worker = await world.start_worker()
    await until("all", world.consumed)
    worker.terminate()
    assert await asyncio.wait_for(worker.wait(), 20) == 0
    await world.publish(facts.happen(50))
    await world.start_worker()
    await until("the rest", world.consumed)
    await assert_plain_values(world, facts)


async def test_a_worker_that_meets_a_fault_of_its_own_says_so_and_ends_its_process(world: World) -> None:
    facts = ScoringFacts(seed=9, profiles=10)
    await world.publish(facts.happen(100))
    worker = await world.start_worker()
    await until("all", world.consumed)
    async with world.database.transaction() as connection:
        await connection.execute("ALTER TABLE recording RENAME TO recording_away")
    await world.publish(facts.happen(100))
    assert await asyncio.wait_for(worker.wait(), 60) != 0, "who stays without working is taken for one that works"
    assert "UndefinedTableError" in (world.directory / "worker-0.log").read_text()
    async with world.database.transaction() as connection:
        await connection.execute("ALTER TABLE recording_away RENAME TO recording")
    await world.start_worker()
    await until("the rest", world.consumed)
    await assert_plain_values(world, facts)


async def test_a_broker_and_a_database_that_went_away_are_waited_for(
    world: World, infrastructure: Infrastructure
) -> None:
    facts = ScoringFacts(seed=random.SystemRandom().randrange(10**6), profiles=10)
    print("seed", facts.seed)
    await world.publish(facts.happen(200))
    supervising = asyncio.create_task(world.supervise(await world.start_worker()))
    try:
        await until("all", world.consumed)
        await infrastructure.database.restart()
        await world.publish(facts.happen(200))
        await until("what came after the database's restart", world.consumed)
        await infrastructure.broker.restart()
        await world.publish(facts.happen(200))
        await until("what came after the broker's restart", world.consumed)
    finally:
        supervising.cancel()
    await assert_plain_values(world, facts)


async def test_a_history_that_is_loaded_while_a_worker_dies_shows_nobody_passing_through_a_segment(
    world: World,
) -> None:
    facts = ScoringFacts(seed=12, profiles=30)
    passed = {"when": {"reading": "value:lifetime", "between": [1, 500]}}
    await _put_in_force(world.database, PolicyPlace("segment", "small"), SegmentPolicy.model_validate(passed))
    for month in range(12):
        for number in range(facts.profiles):
            lines = [{"line": "1", "quantity": "1", "net": 100, "cost": 0}]
            placed = {"order": f"{number}-{month}", "currency": "CNY", "net": 100, "gross": 100, "lines": lines}
            at = datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(days=30 * month)
            facts.state(facts.profile(number), "order.placed", placed, at, historical=True)
    worker = await world.start_worker()
    third = len(facts.messages) // 3
    for begin in range(0, 2 * third, facts.profiles):
        await world.publish(facts.messages[begin : begin + facts.profiles])
    await until("some of it", lambda: world.has_consumed(worker))
    worker.send_signal(signal.SIGKILL)
    await world.publish(facts.messages[2 * third :])
    await world.start_worker()
    await until("the rest, and every decision", world.consumed)
    moved: dict[str, list[datetime]] = {}
    stages: Counter[str] = Counter()
    for record in {one.event_id: one for one in await world.records(SCORE_EVENTS.name)}.values():
        kind, customer = record.headers["ce_type"], (record.key or b"").decode()
        stages[customer] += kind == STAGE_CHANGED.wire
        if kind in (SEGMENT_ENTERED.wire, SEGMENT_LEFT.wire):
            moved.setdefault(customer, []).append(datetime.fromisoformat(record.headers["ce_recordedtime"]))
    assert all(after - before >= QUIET for times in moved.values() for before, after in pairwise(sorted(times)))
    assert set(stages) == {str(facts.profile(number)) for number in range(facts.profiles)}
    assert await world.database.fetch_value(_WAITING) == 0, "everything is decided"
    await assert_plain_values(world, facts)


async def test_alarms_that_were_due_while_all_workers_were_down_are_raised_once_whoever_dies(world: World) -> None:
    facts = ScoringFacts(seed=11, profiles=300)
    silent_since = datetime.combine(datetime.now(UTC).date() - timedelta(days=180), time(9), UTC)
    for number in range(facts.profiles):
        lines = [{"line": "1", "quantity": "1", "net": 100, "cost": 50}]
        order = {"order": str(number), "currency": "CNY", "net": 100, "gross": 100, "lines": lines}
        facts.state(facts.profile(number), "order.placed", order, silent_since)
    await world.publish(facts.messages)
    supervising = asyncio.create_task(world.supervise(await world.start_worker()))
    second = await world.start_worker()

    async def raised() -> int:
        found = await world.database.fetch_value("SELECT count(*) FROM event_log WHERE type = $1", ALARM_RAISED.wire)
        return int(found)

    async def some() -> bool:
        return await raised() > 0

    async def all_of_them() -> bool:
        return await raised() >= facts.profiles

    try:
        await until("the first alarm", some)
        second.send_signal(signal.SIGKILL)
        await until("an alarm for everybody", all_of_them)
        await until("the outbox to be empty", world.consumed)
    finally:
        supervising.cancel()
    told = [one for one in await world.records(SCORE_EVENTS.name) if one.headers.get("ce_type") == ALARM_RAISED.wire]
    assert Counter(one.key for one in {one.event_id: one for one in told}.values()) == {
        str(facts.profile(number)).encode(): 1 for number in range(facts.profiles)
    }
    await assert_published_as_logged(world)


async def test_the_parameters_are_published_once(world: World) -> None:
    await world.start_worker()
    await until("the parameters", world.consumed)
    published = await world.read(VALUE_PARAMETERS_STATE.name)
    assert [(key, json.loads(value or b"null")["version"]) for key, value in published] == [("1", 1)]


async def test_any_order_of_arrival_gives_the_same_scores(databases: Databases) -> None:
    facts = ScoringFacts(seed=random.SystemRandom().randrange(10**6), profiles=8)
    print("seed", facts.seed)
    items = [fact for message in facts.happen(250) if (fact := decode(_record(message))) is not None]
    for attempt in range(3):
        arrivals = items + random.Random(attempt).sample(items, 40)
        random.Random(attempt).shuffle(arrivals)
        async with databases.fresh() as dsn:
            await asyncio.to_thread(migrate, "rapport_scoring", dsn)
            scores, rules = await _scores_after(dsn, arrivals)
            expected = facts.expected(rules=rules)
            assert scores == expected
            assert {name for one in expected.values() for name in one.segments} >= {"below-a-million", "not-lapsed"}


async def _scores_after(dsn: str, arrivals: list[Fact]) -> tuple[dict[UUID, ScoreUpdated], Rules]:
    rules = RulesInForce()
    async with Database(dsn, size=2, application="test") as database:
        for name, when in SEGMENTS.items():
            await _put_in_force(database, PolicyPlace("segment", name), SegmentPolicy.model_validate({"when": when}))
        for begin in range(0, len(arrivals), 9):
            async with database.transaction() as connection:
                await take_facts(connection, arrivals[begin : begin + 9], rules, system_clock)
        async with database.transaction() as connection:  # nothing more comes
            everybody = [row["customer_id"] for row in await connection.fetch(_EVERYBODY)]
            await assess_customers(connection, everybody, rules, system_clock, timed=True)
        rows = await database.fetch("SELECT customer_id, score FROM customer_score WHERE score IS NOT NULL")
        scores = last_scores([(str(row["customer_id"]), row["score"].encode()) for row in rows])
        return scores, await rules(database)


async def _put_in_force(database: Database, place: PolicyPlace, document: SegmentPolicy) -> None:
    async with database.transaction() as connection:
        version = await add_version(connection, place, document, None, "test", system_clock())
        await activate(connection, SEGMENT, place, version, "test", system_clock)


def _record(message: Message) -> Record:
    headers = {name: value.decode() for name, value in message.headers}
    return Record(Partition(message.topic, 0), 0, message.key, headers, message.value, system_clock())
