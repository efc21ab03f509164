"""The limits of the HTTP figures: an ASGI application with nothing in it but the work that cannot be left out.

`POST /touchpoints` reads the JSON, produces one message a touchpoint and waits for the broker's word;
`GET /customers/<id>` fetches the customer's row and answers the view's bytes. No framework, no keys, no checks.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from deploy.local.ports import LOOPBACK, free_port
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.messaging import topics
from rapport_shared.messaging.kafka import idempotent_producer
from tests.benchmarks.http_load import Server
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["PARTITIONS", "TOPIC", "bare_application"]

TOPIC = "benchmark.intake"
PARTITIONS = 3
READY_SECONDS = 60

Message = MutableMapping[str, Any]


class BareApplication:
    """The application."""

    def __init__(self, producer: AIOKafkaProducer, pool: asyncpg.Pool[asyncpg.Record], schema: str) -> None:
        self._producer = producer
        self._pool = pool
        self._select = f"SELECT * FROM {schema}.customer_view WHERE customer_id = $1"

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["method"] == "POST":
            status, body = 202, await self._produce(await _body(receive))
        else:
            status, body = 200, await self._view(UUID(scope["path"].rpartition("/")[2]))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _produce(self, body: bytes) -> bytes:
        document = orjson.loads(body)
        items = document.get("touchpoints") or [document]
        futures = [
            await self._producer.send(
                TOPIC, orjson.dumps(item), item["id"].encode(), headers=[("ce_id", item["id"].encode())]
            )
            for item in items
        ]
        await asyncio.gather(*futures)
        answer: bytes = orjson.dumps({"accepted": [{"id": item["id"]} for item in items]})
        return answer

    async def _view(self, customer_id: UUID) -> bytes:
        row = await self._pool.fetchrow(self._select, customer_id)
        assert row is not None
        head = f'{{"customer_id":"{customer_id}","version":{row["version"]},"as_of":"{row["as_of"].isoformat()}"'
        parts = [f',"{name}":{row[name]}' for name in SECTIONS if row[name] is not None]
        view: str = head + ',"lag_ms":0' + "".join(parts) + "}"
        return view.encode()


async def _body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


@asynccontextmanager
async def bare_application(stack: StackUnderTest) -> AsyncIterator[Server]:
    """Runs the application in a process of its own, as the gateway runs."""
    await _ensure_topic(stack.kafka)
    port = free_port()
    arguments = [stack.kafka, stack.database("gateway"), await stack.view_schema(), str(port)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.bare", *arguments, stderr=DEVNULL
    )
    try:
        await _answering(port)
        yield Server(f"http://{LOOPBACK}:{port}", process.pid)
    finally:
        process.terminate()
        await process.wait()


async def _ensure_topic(kafka: str) -> None:
    async with topics.administration(kafka) as client:
        if TOPIC not in await client.list_topics():
            await client.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])


async def _answering(port: int) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def _nothing(_: object) -> None:
    """As the services do, the pool gives connections back as they are."""


async def _serve(kafka: str, dsn: str, schema: str, port: int) -> None:
    async with (
        idempotent_producer(kafka, "benchmark-bare") as producer,
        asyncpg.create_pool(dsn, min_size=0, max_size=10, reset=_nothing) as pool,
    ):
        application = BareApplication(producer, pool, schema)
        configuration = uvicorn.Config(
            application, host=LOOPBACK, port=port, loop="none", http="httptools", lifespan="off", access_log=False
        )
        await uvicorn.Server(configuration).serve()


if __name__ == "__main__":
    _, of_kafka, of_database, of_view, of_http = sys.argv
    uvloop.run(_serve(of_kafka, of_database, of_view, int(of_http)))
