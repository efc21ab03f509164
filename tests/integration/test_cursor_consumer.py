"""A cursor consumer on real Kafka and PostgreSQL: records that cannot be, and logs that changed under it."""

import asyncio

import pytest

from rapport_shared.clock import system_clock
from rapport_shared.messaging.consumer import SKIPPED_BATCHES, BatchProcessor
from rapport_shared.messaging.cursors import begin_cursors
from rapport_shared.messaging.halts import Halted
from rapport_shared.messaging.leadership import CursorMoved, hold_role
from rapport_shared.messaging.outcomes import REJECTS_ALLOWED
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.messaging.resume import resume
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.consumed_words import CONSUMER, WANTED, World


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
