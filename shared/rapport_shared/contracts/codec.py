"""Events to Kafka messages and back. What Rapport does not know decodes to a value, never to a crash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import ValidationError

from rapport_shared.contracts.catalogue import (
    EVENT_TYPE_OF,
    GATEWAY_SOURCE,
    INTAKE,
    TOUCHPOINT_REPORTED,
    EventType,
    Topic,
)
from rapport_shared.contracts.envelope import (
    CONTENT_TYPE,
    SPEC_VERSION,
    Envelope,
    EnvelopeInvalid,
    Headers,
    decode_envelope,
    encode_headers,
    instant_text,
)
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints.envelope import TouchpointEnvelope

Data = TypeVar("Data", bound=Contract, covariant=True)


class DataInvalid(ValueError):
    """An event's data do not have the shape of its type. The message names places, never values."""


@dataclass(frozen=True, slots=True)
class Event(Generic[Data]):
    """A fact of a known type."""

    envelope: Envelope
    type: EventType
    data: Data


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a type or version that this release does not know. It is passed by, not rejected."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record without a value: what its key named has been erased."""

    key: bytes | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a producer sends: the wire form of an event, a state or a dead letter."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes | None


def new_event(
    event_type: EventType,
    subject: object,
    data: Contract,
    *,
    sequence: int,
    recorded_at: datetime,
    event_id: UUID | None = None,
    occurred_at: datetime | None = None,
    profile_id: UUID | None = None,
    customer_id: UUID | None = None,
    causation_id: UUID | None = None,
    touchpoint_id: UUID | None = None,
    traceparent: str | None = None,
) -> Event[Contract]:
    """The event `sequence` of the aggregate `subject`, with an id of its own unless `event_id` derives one.

    Without `occurred_at`, the event was true in the world when it was recorded.
    """
    envelope = Envelope(
        id=event_id or new_id(recorded_at),
        source=event_type.source,
        type=event_type.wire,
        subject=str(subject),
        occurred_at=occurred_at or recorded_at,
        recorded_at=recorded_at,
        sequence=sequence,
        profile_id=profile_id,
        customer_id=customer_id,
        causation_id=causation_id,
        touchpoint_id=touchpoint_id,
        traceparent=traceparent,
    )
    return Event(envelope, event_type, data)


def event_key(envelope: Envelope) -> bytes:
    """A profile's events are keyed by the profile, all others by their aggregate."""
    return str(envelope.profile_id or envelope.subject).encode()


def encode_event(event: Event[Contract], key: UUID | str | None = None) -> Message:
    """The message of `event`; `key` only where the aggregate's key is not its profile's id."""
    return Message(
        topic=event.type.topic.name,
        key=str(key).encode() if key is not None else event_key(event.envelope),
        headers=encode_headers(event.envelope),
        value=event.data.model_dump_json().encode(),
    )


def encode_state(topic: Topic, key: UUID | str, state: Contract | None) -> Message:
    """The record of a compacted topic with the present state of `key`; None erases the key."""
    return encode_state_text(topic, key, None if state is None else state.model_dump_json())


def encode_state_text(topic: Topic, key: UUID | str, text: str | None) -> Message:
    """The record of a compacted topic from JSON that has the shape of the topic's state; None erases it."""
    return Message(topic.name, str(key).encode(), (CONTENT_TYPE,), None if text is None else text.encode())


def encode_touchpoint(touchpoint: TouchpointEnvelope, body: bytes, key: UUID | str, further: Headers = ()) -> Message:
    """The message that the gateway reports `touchpoint` with; `body` is its JSON as the channel sent it."""
    identity = str(touchpoint.id).encode()
    headers = (
        CONTENT_TYPE,
        SPEC_VERSION,
        ("ce_id", identity),
        ("ce_source", GATEWAY_SOURCE.encode()),
        ("ce_type", TOUCHPOINT_REPORTED.encode()),
        ("ce_subject", identity),
        ("ce_time", instant_text(touchpoint.occurred_at).encode()),
    )
    return Message(INTAKE.name, str(key).encode(), headers + further, body)


def decode_event(
    headers: Mapping[str, str], value: bytes | None, key: bytes | None = None
) -> Event[Contract] | UnknownEvent | Tombstone:
    """The event of a record. Raises `EnvelopeInvalid` or `DataInvalid`, naming the place."""
    if value is None:
        return Tombstone(key)
    envelope = decode_envelope(headers)
    event_type = EVENT_TYPE_OF.get(envelope.type)
    if event_type is None:
        return UnknownEvent(envelope)
    try:
        data = event_type.model.model_validate_json(value)
    except ValidationError as error:
        raise DataInvalid(places(error)) from None
    return Event(envelope, event_type, data)


def decode_json(value: bytes) -> Any:
    """JSON of a message's value. Raises `DataInvalid` without echoing it."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise DataInvalid(f"not JSON ({type(error).__name__})") from None


def places(error: ValidationError) -> str:
    """Where and how data are wrong, without a value: `/ticket/number missing; …`."""
    found = [
        f"/{'/'.join(str(step) for step in item['loc'])} {item['type']}" for item in error.errors(include_input=False)
    ]
    return "; ".join(found[:5])


__all__ = [
    "DataInvalid",
    "EnvelopeInvalid",
    "Event",
    "Message",
    "Tombstone",
    "UnknownEvent",
    "decode_event",
    "decode_json",
    "encode_event",
    "encode_state",
    "encode_touchpoint",
    "event_key",
    "new_event",
    "places",
]
