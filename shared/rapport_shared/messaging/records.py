"""A record as a consumer meets it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of Kafka. `headers` is empty and `malformed_headers` set where a header is not UTF-8."""

    partition: Partition
    offset: int
    key: bytes | None
    headers: Mapping[str, str]
    value: bytes | None
    malformed_headers: bool = False

    @property
    def event_id(self) -> str | None:
        """`ce_id`, unchecked."""
        return self.headers.get("ce_id")
