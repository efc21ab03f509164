"""`/v1/freshness` tells what waits, what was rejected and what is not recorded yet; and it answers without Kafka."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, EVENT_TOPICS, SERVICES
from rapport_shared.database import Database
from rapport_shared.messaging.dead_letters import LetterFilter, dismiss
from tests.e2e.test_one_view import call, phone_number
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT_SECONDS = 30


async def freshness(caller: Caller) -> dict[str, Any]:
    return dict((await caller.call("GET", "/v1/freshness", 200)).json())


async def until(caller: Caller, seen: Any) -> dict[str, Any]:
    """The first answer that `seen` agrees to; each is at most a second old."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not seen(answer := await freshness(caller)):
        assert time.monotonic() < deadline, answer
    return answer


async def test_every_partition_is_listed_and_a_quiet_view_is_behind_in_none(caller: Caller) -> None:
    touchpoint_id = await caller.report(call(phone_number()))
    await caller.status(touchpoint_id)
    answer = await until(caller, lambda answer: all(line["behind"] == 0 for line in answer["partitions"]))
    assert {line["topic"] for line in answer["partitions"]} == {topic.name for topic in EVENT_TOPICS}
    assert {line["partition"] for line in answer["partitions"]} == {0, 1, 2}
    assert all(line["position"] == line["end"] and line["lag_ms"] == 0 for line in answer["partitions"])
    assert sum(line["end"] for line in answer["partitions"]) > 0
    assert answer["kafka"] is None
    assert 0 <= answer["lag_ms"] < LIMIT_SECONDS * 1000
    assert {line["service"] for line in answer["dead_letters"]["topics"]} == set(SERVICES)
    assert answer["unrecorded"]["among"] >= 1


async def test_what_is_accepted_and_not_recorded_is_counted_until_it_is(caller: Caller, stack: Stack) -> None:
    before = await until(caller, lambda answer: answer["unrecorded"]["count"] == 0)
    await stack.supervisor.stop("interaction")
    try:
        for _ in range(3):
            await caller.report(call(phone_number()))
        answer = await freshness(caller)
        assert answer["unrecorded"]["count"] == 3
        assert answer["unrecorded"]["among"] == min(10_000, before["unrecorded"]["among"] + 3)
        assert 0 <= answer["unrecorded"]["oldest_ms"] < LIMIT_SECONDS * 1000
    finally:
        stack.supervisor.start("interaction")
    answer = await until(caller, lambda answer: answer["unrecorded"]["count"] == 0)
    assert answer["unrecorded"]["oldest_ms"] is None


async def test_a_projector_that_hangs_shows_as_records_behind_and_as_lag(caller: Caller, stack: Stack) -> None:
    await until(caller, lambda answer: all(line["behind"] == 0 for line in answer["partitions"]))
    database = await asyncpg.connect(stack.addresses.databases["gateway"])
    try:
        held = database.transaction()
        await held.start()
        await database.execute("SELECT 1 FROM consumer_cursor FOR UPDATE")
        await caller.report(call(phone_number()))
        answer = await until(caller, lambda answer: any(line["behind"] for line in answer["partitions"]))
        waiting = [line for line in answer["partitions"] if line["behind"]]
        assert all(line["end"] - line["position"] == line["behind"] for line in waiting)
        assert all(line["lag_ms"] == answer["lag_ms"] for line in waiting)
        later = await until(caller, lambda later: later["lag_ms"] > answer["lag_ms"] + 1000)
        assert any(line["behind"] for line in later["partitions"])
    finally:
        await database.close()
    await until(caller, lambda answer: all(line["behind"] == 0 for line in answer["partitions"]))


async def test_a_rejected_record_is_counted_in_table_and_topic(caller: Caller, stack: Stack) -> None:
    def rejected(answer: dict[str, Any]) -> tuple[int, int]:
        own = sum(line["count"] for line in answer["dead_letters"]["consumers"])
        return own, sum(line["records"] for line in answer["dead_letters"]["topics"] if line["service"] == "gateway")

    before = rejected(await freshness(caller))
    async with AIOKafkaProducer(bootstrap_servers=stack.infrastructure.kafka) as producer:
        await producer.send_and_wait(CUSTOMER_EVENTS.name, b"no event", key=str(uuid4()).encode())
    answer = await until(caller, lambda answer: rejected(answer) == (before[0] + 1, before[1] + 1))
    assert f"view-{answer['run']}" in {line["consumer"] for line in answer["dead_letters"]["consumers"]}
    database = Database(stack.addresses.databases["gateway"], size=1, application="test")
    async with database, database.transaction() as connection:
        await dismiss(connection, LetterFilter())
    assert (await freshness(caller))["dead_letters"]["consumers"] == []


async def test_without_kafka_it_answers_soon_with_the_reason(caller: Caller, stack: Stack) -> None:
    await stack.infrastructure.broker.pause()
    try:
        answer = await until(caller, lambda answer: answer["kafka"] is not None)
        began = time.monotonic()
        answers = await asyncio.gather(*(freshness(caller) for _ in range(10)))
        assert time.monotonic() - began < 5
        for answer in answers:
            assert all(line["behind"] is None and line["lag_ms"] is None for line in answer["partitions"])
            assert all(line["records"] is None for line in answer["dead_letters"]["topics"])
            assert answer["partitions"]
            assert answer["unrecorded"]["among"] >= 1
            assert "Kafka does not answer" in answer["kafka"]
    finally:
        await stack.infrastructure.broker.resume()
    await until(caller, lambda answer: answer["kafka"] is None)
