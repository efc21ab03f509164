"""A record as a consumer meets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rapport_shared.contracts.codec import Event, decode_event


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of Kafka; `written_at` is the time of its producer, or of the broker where
    the topic is configured so.

    Headers that are not UTF-8 are left out and `malformed_headers` is set.
    """

    partition: Partition
    offset: int
    key: bytes | None
    headers: Mapping[str, str]
    value: bytes | None
    written_at: datetime
    malformed_headers: bool = False

    @property
    def event_id(self) -> str | None:
        """`ce_id`, unchecked."""
        return self.headers.get("ce_id")


def read_event(record: Record) -> Event[Any] | None:
    """The event of a record; None for one that was erased, or is of a type that this release does not know.

    Raises `EnvelopeInvalid` or `DataInvalid`.
    """
    event = decode_event(record.headers, record.value, record.key)
    return event if isinstance(event, Event) else None
