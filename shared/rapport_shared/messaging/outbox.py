"""The outbox: a service writes events and states to it, in the transaction that changes its own tables."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import orjson

from rapport_shared.contracts.codec import Event, Message, encode_event
from rapport_shared.contracts.model import Contract
from rapport_shared.database import CONNECTION_LOST, Connection, Database

CHANNEL = "outbox"

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
    return orjson.dumps({name: value.decode() for name, value in message.headers}).decode()


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
    """Queues messages other than events (states, dead letters) for sending, in the caller's transaction."""
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
    """Tells the relay about a commit, so that the relay need not poll.

    A relay of the same process is woken at once. With a `database`, a relay of another process hears it by a NOTIFY.
    That NOTIFY is a transaction of its own: in a business transaction it would serialise commits.
    """

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._event = asyncio.Event()
        self._relay_is_here = False
        self._telling: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Wakes the relay. Call it after the commit."""
        self._event.set()
        if not self._relay_is_here and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell_others())

    async def committed(self) -> None:
        """What a subscription does after each commit of a reaction that appends events."""
        self.notify()

    async def wait(self, seconds: float) -> None:
        """Waits for the next `notify`, at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()

    @asynccontextmanager
    async def listening(self, database: Database) -> AsyncIterator[None]:
        """For the relay: inside this context, `wait` also returns when another process commits.

        A lost connection only delays the relay until its next poll.
        """
        connection = await asyncpg.connect(
            database.dsn, timeout=5, server_settings={"application_name": "rapport-relay"}
        )
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._event.set())
            self._relay_is_here = True
            yield
        finally:
            self._relay_is_here = False
            connection.terminate()

    async def _tell_others(self) -> None:
        while self._event.is_set() and self._database is not None and not self._relay_is_here:
            self._event.clear()
            try:
                async with self._database.connection() as connection:
                    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
            except (asyncpg.PostgresError, *CONNECTION_LOST):
                return  # the relay looks by itself, too
