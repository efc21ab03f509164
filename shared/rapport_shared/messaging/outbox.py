"""Events and states leave a service through its outbox, in the transaction that makes them true."""

import asyncio
import json
from collections.abc import Sequence
from uuid import UUID

from rapport_shared.contracts.codec import Event, Message, encode_event
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection

_APPEND = """
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[],
                         $7::bytea[], $8::text[], $9::bytea[])
        WITH ORDINALITY AS t (event_id, topic, type, aggregate, sequence, recorded_at, key, headers, value, place)
), logged AS (
    INSERT INTO event_log (event_id, topic, type, aggregate, sequence, recorded_at, key, headers, value)
    SELECT event_id, topic, type, aggregate, sequence, recorded_at, key, headers, value FROM given
)
INSERT INTO outbox (topic, aggregate, key, headers, value)
SELECT topic, aggregate, key, headers, value FROM given ORDER BY place
"""

_QUEUE = """
INSERT INTO outbox (topic, aggregate, key, headers, value)
SELECT topic, aggregate, key, headers, value
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bytea[])
    WITH ORDINALITY AS t (topic, aggregate, key, headers, value, place)
ORDER BY place
"""


def headers_text(message: Message) -> str:
    """Headers as the tables keep them: one JSON object."""
    return json.dumps({name: value.decode() for name, value in message.headers}, ensure_ascii=False)


async def append(
    connection: Connection, events: Sequence[Event[Contract]], keys: Sequence[UUID | str | None] | None = None
) -> None:
    """Records `events` and queues them for sending, in the caller's transaction and in this order.

    `keys` overrides the partition key of an event whose aggregate is not one profile's. Each aggregate must be
    locked by the caller, so that sequences stay dense and the queue keeps their order. Raises
    `asyncpg.UniqueViolationError` for a sequence that exists, `asyncpg.CheckViolationError` for data over 512 KiB.
    """
    if not events:
        return
    messages = [encode_event(event, key) for event, key in zip(events, keys or [None] * len(events), strict=True)]
    await connection.execute(
        _APPEND,
        [event.envelope.id for event in events],
        [message.topic for message in messages],
        [event.envelope.type for event in events],
        [f"{event.type.aggregate}:{event.envelope.subject}" for event in events],
        [event.envelope.sequence for event in events],
        [event.envelope.recorded_at for event in events],
        [message.key for message in messages],
        [headers_text(message) for message in messages],
        [message.value for message in messages],
    )


async def queue(connection: Connection, messages: Sequence[Message]) -> None:
    """Queues messages that are no events (states, dead letters) for sending, in the caller's transaction."""
    if not messages:
        return
    await connection.execute(
        _QUEUE,
        [message.topic for message in messages],
        [f"{message.topic}:{message.key.hex()}" for message in messages],
        [message.key for message in messages],
        [headers_text(message) for message in messages],
        [message.value for message in messages],
    )


class OutboxSignal:
    """Tells the relay of the same process that something was committed, so that it need not wait for its poll."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wakes the relay. Call it after the commit."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Returns at the next `notify`, or after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()
