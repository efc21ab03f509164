"""Whether Kafka answers: a broker that does, one that hangs, and one that is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.local.infrastructure import Infrastructure
from rapport_shared.messaging.kafka_watch import SILENCE_SECONDS, KafkaWatch
from tests.support.conditions import until


@dataclass
class Dial:
    """A clock that a test sets."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def watching(watch: KafkaWatch) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(watch.run())
        yield
        running.cancel()


async def well(watch: KafkaWatch) -> bool:
    return await watch.check() is None


async def test_a_broker_that_answers_is_known_until_it_is_silent_for_too_long(infrastructure: Infrastructure) -> None:
    dial = Dial()
    watch = KafkaWatch(infrastructure.kafka, dial)
    assert await watch.check() == "Kafka has not answered yet"
    async with watching(watch):
        await until("an answer", lambda: well(watch))
    dial.seconds += SILENCE_SECONDS
    assert await watch.check() is None
    dial.seconds += 1
    assert await watch.check() == "Kafka has not answered for 6 s"
    assert watch.silence() == SILENCE_SECONDS + 1
    async with watching(watch):
        await until("an answer", lambda: well(watch))


async def test_the_broker_that_answers_is_found_behind_one_that_is_away(infrastructure: Infrastructure) -> None:
    watch = KafkaWatch(f"127.0.0.1:1,{infrastructure.kafka}")
    async with watching(watch):
        await until("an answer", lambda: well(watch))


async def test_a_broker_that_hangs_never_counts_as_answering() -> None:
    connected = asyncio.Event()
    connections: list[asyncio.StreamWriter] = []

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        connected.set()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        dial = Dial()
        watch = KafkaWatch(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", dial)
        async with watching(watch):
            await connected.wait()
            dial.seconds += 9
            assert await watch.check() == "Kafka has not answered yet"
            assert watch.silence() == 9
        for writer in connections:
            writer.close()
