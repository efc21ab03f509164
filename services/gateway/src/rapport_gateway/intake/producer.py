"""The producer of intake. The gateway answers 202 only after the broker has acknowledged the touchpoints."""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from rapport_gateway.intake.gathering import Gathering
from rapport_shared.contracts.codec import Message
from rapport_shared.errors import unavailable
from rapport_shared.messaging.kafka import idempotent_producer

_log = logging.getLogger("rapport.intake")

FLUSH_SECONDS = 0.5
"""A producer is replaced when its messages were not acknowledged in time; their senders got a 503."""


class IntakeProducer:
    """One idempotent producer, replaced when it breaks: after a lost batch its sequence numbers have a hole."""

    def __init__(self, servers: str, patience_ms: int) -> None:
        self._servers = servers
        self._patience_ms = patience_ms
        self._producer: AIOKafkaProducer | None = None
        self._broken = asyncio.Event()
        self._gathering = Gathering(self._send)

    async def run(self) -> None:
        """Starts a producer, and replaces it whenever it breaks. Never returns."""
        while True:
            async with idempotent_producer(
                self._servers,
                "rapport-gateway-intake",
                patience_ms=self._patience_ms,
                flush_seconds=FLUSH_SECONDS,
            ) as producer:
                self._broken = asyncio.Event()
                self._producer = producer
                try:
                    await self._broken.wait()
                finally:
                    self._producer = None
            _log.warning("the producer is replaced")

    async def send(self, messages: Sequence[Message]) -> None:
        """Returns when the broker has acknowledged all messages. Otherwise raises a 503: their fate is unknown.

        Messages of concurrent callers are sent together.
        """
        await self._gathering.add(messages)

    async def _send(self, messages: Sequence[Message]) -> None:
        producer, broken = self._producer, self._broken
        if producer is None:
            raise unavailable("Kafka")
        try:
            async with asyncio.timeout(self._patience_ms / 1000):
                futures = [
                    await producer.send(m.topic, key=m.key, value=m.value, headers=list(m.headers)) for m in messages
                ]
                await asyncio.gather(*futures)
        except (KafkaError, OSError, TimeoutError):
            broken.set()
            raise unavailable("Kafka") from None
