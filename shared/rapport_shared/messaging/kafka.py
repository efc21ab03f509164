"""Connections to Kafka: an idempotent producer, and what its errors mean."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    BrokerResponseError,
    DuplicateSequenceNumber,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    KafkaError,
    OutOfOrderSequenceNumber,
)
from aiokafka.partitioner import murmur2

from rapport_shared.contracts.catalogue import MAX_MESSAGE_BYTES
from rapport_shared.outages import Outage

_log = logging.getLogger("rapport.kafka")

FLUSH_SECONDS = 10.0

_PRODUCER_BROKEN = (
    OutOfOrderSequenceNumber,
    DuplicateSequenceNumber,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
)


@asynccontextmanager
async def idempotent_producer(
    servers: str,
    client_id: str,
    *,
    patience_ms: int = 30_000,
    flush_seconds: float = FLUSH_SECONDS,
) -> AsyncIterator[AIOKafkaProducer]:
    """An idempotent producer, started; flushed and stopped at the end. Waits for a broker without limit.

    Messages that are not flushed within `flush_seconds` are abandoned. A message that is not acknowledged within
    `patience_ms` fails with a retriable error: the broker may or may not have it.
    """
    outage = Outage(client_id)
    while True:
        producer = AIOKafkaProducer(
            bootstrap_servers=servers,
            client_id=client_id,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            partitioner=_partition,
            max_request_size=MAX_MESSAGE_BYTES,
            request_timeout_ms=patience_ms,
            retry_backoff_ms=50,
            metadata_max_age_ms=30_000,
        )
        try:
            await producer.start()
            break
        except (KafkaError, OSError) as error:
            await _stop(producer, flush_seconds)
            await outage.wait(error)
    try:
        yield producer
    finally:
        await asyncio.shield(_stop(producer, flush_seconds))


def _partition(key: bytes | None, partitions: list[int], available: list[int]) -> int:
    """The partition of a key as every client of Kafka chooses it. Keys repeat, and the hash is a loop of Python's."""
    if key is None:
        return random.choice(available or partitions)
    return partitions[_positive_hash(key) % len(partitions)]


@lru_cache(maxsize=65_536)
def _positive_hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


async def _stop(producer: AIOKafkaProducer, flush_seconds: float) -> None:
    """Ends the producer in any case: with a broker away its flush would last for ever, and so would its sender."""
    try:
        async with asyncio.timeout(flush_seconds):
            await producer.stop()
    except TimeoutError:
        _log.warning("a producer is given up", extra={"reason": "not flushed in time"})
        await producer._sender.close()
        await producer.client.close()


def is_refusal(error: BaseException) -> bool:
    """Whether the broker refused a message permanently. Otherwise the broker is away or the producer is broken.

    A producer whose sender died raises a bare `KafkaError`; after a lost batch its sequence numbers are refused.
    """
    return isinstance(error, BrokerResponseError) and not error.retriable and not isinstance(error, _PRODUCER_BROKEN)
