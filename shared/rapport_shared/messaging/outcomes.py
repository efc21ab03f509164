"""The outcomes of a record: done, already done, retried without limit, or rejected to the dead letters."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

from rapport_shared.contracts.catalogue import DEAD_LETTERS, Service
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_shared.messaging.records import Record

P = ParamSpec("P")
T = TypeVar("T")

REJECTS_ALLOWED = 10
REJECT_WINDOW = 1000
"""More rejects than this among the last thousand records of a partition are a bad deploy, not bad records."""

_INSERT = """
INSERT INTO dead_letter (consumer, topic, partition, "offset", event_id, reason, key, headers, value, rejected_at,
                         written_at, malformed_headers)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (consumer, topic, partition, "offset") DO UPDATE
SET event_id = excluded.event_id, reason = excluded.reason, key = excluded.key, headers = excluded.headers,
    value = excluded.value, rejected_at = excluded.rejected_at, written_at = excluded.written_at,
    malformed_headers = excluded.malformed_headers, state = 'open', replays = 0, decided_at = NULL
WHERE (dead_letter.headers, dead_letter.value) IS DISTINCT FROM (excluded.headers, excluded.value)
"""
"""A record that is rejected a second time keeps its letter; in a recreated topic another record has its place."""
_RECENT = """
SELECT count(*) FROM dead_letter d JOIN consumer_cursor c USING (consumer, topic, partition)
WHERE d.consumer = $1 AND d.topic = $2 AND d.partition = $3
AND d."offset" > $4::bigint - $5::bigint AND d."offset" >= c.counted_from
"""


class Reject(Exception):
    """A record can never be consumed. The message says why, without personal data."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected record and the reason."""

    record: Record
    reason: str


def rejecting(rule: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs pure code on a record's data; turns any exception into `Reject`."""
    try:
        return rule(*args, **kwargs)
    except Reject:
        raise
    except Exception as error:
        raise Reject(f"{getattr(rule, '__qualname__', 'rule')} raised {type(error).__name__}") from error


async def bury(
    connection: Connection, service: Service, consumer: str, letters: Sequence[DeadLetter], now: datetime
) -> None:
    """Keeps `letters` as dead letters and mirrors them to the dead-letter topic, in the caller's transaction."""
    for letter in letters:
        record = letter.record
        await connection.execute(
            _INSERT,
            consumer,
            record.partition.topic,
            record.partition.number,
            record.offset,
            record.event_id,
            letter.reason,
            record.key,
            json.dumps(dict(record.headers)),
            record.value,
            now,
            record.written_at,
            record.malformed_headers,
        )
    await outbox.queue(connection, [_mirror(service, letter) for letter in letters])


async def too_many_rejects(connection: Connection, consumer: str, record: Record) -> bool:
    """Whether the partition of `record` has more recent rejects than the limit for single bad records."""
    recent: int = await connection.fetchval(
        _RECENT, consumer, record.partition.topic, record.partition.number, record.offset, REJECT_WINDOW
    )
    return recent > REJECTS_ALLOWED


def _mirror(service: Service, letter: DeadLetter) -> Message:
    record = letter.record
    headers = {
        **record.headers,
        "rapport_reason": letter.reason,
        "rapport_from": f"{record.partition}/{record.offset}",
    }
    return Message(
        topic=DEAD_LETTERS[service].name,
        key=record.key if record.key is not None else b"",
        headers=tuple((name, text.encode()) for name, text in headers.items()),
        value=record.value,
    )
