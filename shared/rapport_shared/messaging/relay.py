"""The relay: the only producer of a service's messages. It deletes acknowledged messages from the outbox."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from rapport_shared.contracts.catalogue import EVENT_TOPIC_OF, Service
from rapport_shared.database import Database, Row
from rapport_shared.messaging.halts import Halted
from rapport_shared.messaging.kafka import idempotent_producer, is_refusal
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.reader import last_records
from rapport_shared.telemetry import Metrics

_log = logging.getLogger("rapport.relay")

BATCH = 500
POLL_SECONDS = 1.0
"""How often the relay looks by itself, should a signal have been lost."""
ATTEMPTS_BEFORE_PARKING = 3

_NEXT = f"""
WITH sent AS (DELETE FROM outbox WHERE id = ANY($1))
SELECT id, topic, key, headers, value FROM outbox o
WHERE id <> ALL($1) AND NOT EXISTS (SELECT 1 FROM parked_aggregate p WHERE p.aggregate = o.aggregate)
ORDER BY id LIMIT {BATCH}
"""
"""Deletes what was sent, and reads on, in one round trip: the SELECT sees the rows that the DELETE removes."""
_PARK = """
WITH failed AS (UPDATE outbox SET attempts = attempts + 1 WHERE id = $1 RETURNING aggregate, attempts)
INSERT INTO parked_aggregate (aggregate, reason)
SELECT aggregate, $2 FROM failed WHERE attempts >= $3 ON CONFLICT DO NOTHING
"""


class Unsendable(Exception):
    """The broker refused a message permanently. After three refusals in a row the relay parks the aggregate."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Sends a service's outbox in id order. Run it under the role `relay`: two relays would double messages."""

    service: Service
    database: Database
    servers: str
    signal: OutboxSignal
    metrics: Metrics

    async def run(self) -> None:
        """Sends without end. Raises `Halted` when the topic holds events that the event log lacks, and
        `Unsendable` when the broker refuses a message."""
        await self._verify_log()
        async with self.signal.listening(self.database):
            while True:
                async with idempotent_producer(self.servers, f"rapport-{self.service}-relay") as producer:
                    await self._send_until_broken(producer)

    async def _send_until_broken(self, producer: AIOKafkaProducer) -> None:
        """Sends batch after batch. Returns when a fresh producer is needed: this one's sequence numbers may have a
        hole, for the broker did not answer for all messages of a batch."""
        acknowledged: list[int] = []
        while True:
            rows = await self._next(acknowledged)
            if not rows:
                acknowledged = []
                await self.signal.wait(POLL_SECONDS)
                continue
            answers = await _send(producer, rows)
            outcomes = list(zip(rows, answers, strict=False))
            acknowledged = [row["id"] for row, answer in outcomes if not isinstance(answer, BaseException)]
            if len(acknowledged) < len(rows):
                await self._next(acknowledged)
                for row, answer in outcomes:
                    if isinstance(answer, BaseException) and is_refusal(answer):
                        await self._refused(row["id"], answer)
                return

    async def _next(self, acknowledged: list[int]) -> list[Row]:
        """Deletes the acknowledged messages and returns the next ones to send."""
        rows = await self.database.fetch(_NEXT, acknowledged)
        self.metrics.relayed.inc(len(acknowledged))
        return rows

    async def _refused(self, row_id: int, error: BaseException) -> None:
        reason = type(error).__name__
        async with self.database.transaction() as connection:
            await connection.execute(_PARK, row_id, reason, ATTEMPTS_BEFORE_PARKING)
        raise Unsendable(f"the broker refused outbox row {row_id}: {reason}") from error

    async def _verify_log(self) -> None:
        """The last record of each partition must be in the event log. Otherwise the database is older than the topic,
        and new events would repeat sequences that consumers have seen."""
        if self.service not in EVENT_TOPIC_OF:
            return
        topic = EVENT_TOPIC_OF[self.service].name
        for partition, record in (await last_records(self.servers, topic)).items():
            known = await self.database.fetch_value(
                "SELECT true FROM event_log WHERE event_id::text = $1", record.event_id
            )
            if not known:
                raise Halted(
                    f"{partition} ends with an event that the event log does not hold: "
                    "the database was restored from an older backup, or the topic is another deployment's"
                )


async def _send(producer: AIOKafkaProducer, rows: Sequence[Row]) -> list[object]:
    """The broker's answer for each of `rows`, an exception where it has none; fewer where sending itself failed."""
    sent: list[asyncio.Future[object]] = []
    failed: list[KafkaError] = []
    try:
        for row in rows:
            headers = [(name, text.encode()) for name, text in orjson.loads(row["headers"]).items()]
            sent.append(await producer.send(row["topic"], key=row["key"], value=row["value"], headers=headers))
    except KafkaError as error:
        failed = [error]  # it befell the row after those sent
    return [*await asyncio.gather(*sent, return_exceptions=True), *failed]
