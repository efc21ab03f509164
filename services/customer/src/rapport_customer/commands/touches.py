"""Touchpoints and retractions as the customer service reads and stores them. A later retraction needs them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_customer import store
from rapport_shared.contracts.catalogue import INTERACTION_RETRACTED
from rapport_shared.contracts.envelope import decode_envelope
from rapport_shared.database import Connection
from rapport_shared.messaging.outcomes import rejecting
from rapport_shared.messaging.records import Record


@dataclass(frozen=True, slots=True)
class RecordedTouch:
    """The parts of a recorded touchpoint that profiles and assets use. `body` is the touchpoint as it was sent.

    `own` are the attributes that are declared for the reported profile or asset.
    """

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    kind: str
    identifiers: tuple[dict[str, Any], ...]
    assets: tuple[dict[str, Any], ...]
    body: dict[str, Any]
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def source_record(self) -> dict[str, str] | None:
        """System and record of the source; None if the source names no record."""
        source = self.body.get("source") or {}
        return source if source.get("system") and source.get("record") else None

    @property
    def keys(self) -> set[str]:
        """The identifiers that a touchpoint may add to its profile."""
        return {identifier["key"] for identifier in self.identifiers if identifier.get("routable", True)}


@dataclass(frozen=True, slots=True)
class Retraction:
    """A recorded touchpoint of a profile no longer counts."""

    event_id: UUID
    profile_id: UUID
    retracted: UUID


def read_touch(record: Record) -> RecordedTouch | Retraction | None:
    """The touchpoint or the retraction in an event; None for an anonymous touchpoint."""
    if record.value is None or "ce_profileid" not in record.headers:
        return None
    envelope = decode_envelope(record.headers)
    assert envelope.profile_id is not None
    data = orjson.loads(record.value)
    if record.headers["ce_type"] == INTERACTION_RETRACTED.wire:
        return rejecting(_retraction, envelope.id, envelope.profile_id, data)
    return rejecting(_touch, envelope.id, envelope.profile_id, envelope.occurred_at, data)


def _touch(event_id: UUID, profile_id: UUID, occurred_at: datetime, data: dict[str, Any]) -> RecordedTouch:
    return RecordedTouch(
        event_id=event_id,
        profile_id=profile_id,
        occurred_at=occurred_at,
        kind=data["kind"],
        identifiers=tuple(data.get("identifiers", ())),
        assets=tuple(data.get("assets", ())),
        body=data["touchpoint"],
    )


def _retraction(event_id: UUID, profile_id: UUID, data: dict[str, Any]) -> Retraction:
    return Retraction(event_id, profile_id, UUID(data["event_id"]))


async def keep_touch(connection: Connection, touch: RecordedTouch) -> bool:
    """Stores a touchpoint. Returns whether it counts: False if it was retracted already."""
    told = orjson.dumps({"occurred_at": touch.occurred_at, "body": touch.body, "own": touch.own}).decode()
    return await store.keep_report(connection, touch.event_id, touch.profile_id, told)


def kept_touch(event_id: UUID, profile_id: UUID, text: str) -> RecordedTouch:
    """Reads a stored touchpoint."""
    told = orjson.loads(text)
    return RecordedTouch(
        event_id,
        profile_id,
        datetime.fromisoformat(told["occurred_at"]),
        told["body"]["kind"],
        (),
        (),
        told["body"],
        told.get("own") or {},
    )
