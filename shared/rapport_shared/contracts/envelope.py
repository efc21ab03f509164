"""CloudEvents 1.0 in Kafka's binary mode: attributes in `ce_*` headers, the bare JSON data as the value.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2; extension attributes are lower-case
letters and digits only (CloudEvents 1.0.2, section 3).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import PlainSerializer, WithJsonSchema

Headers = tuple[tuple[str, bytes], ...]

CONTENT_TYPE = ("content-type", b"application/json")
SPEC_VERSION = ("ce_specversion", b"1.0")


class EnvelopeInvalid(ValueError):
    """A record is not a CloudEvent that Rapport can read; the message names the attribute, never its value."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes of one event.

    `occurred_at` is when it was true in the world (`ce_time`), `recorded_at` when its owner committed it;
    `sequence` is dense per aggregate (`subject`), starting at 1. `customer_id` is a hint: the customer
    at the time of recording. `touchpoint_id` names the touchpoint of a recording that is not its first.
    """

    id: UUID
    source: str
    type: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    sequence: int
    profile_id: UUID | None = None
    customer_id: UUID | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    touchpoint_id: UUID | None = None
    traceparent: str | None = None


def instant_text(instant: datetime) -> str:
    """`instant` in UTC with microseconds and `Z`: equal instants are equal texts, and texts sort as instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


ShownInstant = Annotated[
    datetime,
    PlainSerializer(instant_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant of an answer: the one form that answers give instants in."""


def canonical_json(value: Any) -> bytes:
    """`value` as UTF-8 JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def encode_headers(envelope: Envelope) -> Headers:
    """The Kafka headers of an event with data."""
    pairs: list[tuple[str, bytes]] = [
        CONTENT_TYPE,
        SPEC_VERSION,
        ("ce_id", str(envelope.id).encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", instant_text(envelope.occurred_at).encode()),
        ("ce_recordedtime", instant_text(envelope.recorded_at).encode()),
        ("ce_sequence", str(envelope.sequence).encode()),
    ]
    optional = (
        ("ce_profileid", envelope.profile_id),
        ("ce_customerid", envelope.customer_id),
        ("ce_correlationid", envelope.correlation_id),
        ("ce_causationid", envelope.causation_id),
        ("ce_touchpointid", envelope.touchpoint_id),
        ("traceparent", envelope.traceparent),
    )
    pairs.extend((name, str(value).encode()) for name, value in optional if value is not None)
    return tuple(pairs)


def header_mapping(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Headers as text; of a repeated name the last counts. Raises `EnvelopeInvalid` for bytes that are not UTF-8."""
    try:
        return {name: value.decode() for name, value in headers if value is not None}
    except UnicodeDecodeError as error:
        raise EnvelopeInvalid("a header is not UTF-8") from error


def decode_envelope(headers: Mapping[str, str]) -> Envelope:
    """The envelope in `headers`. Raises `EnvelopeInvalid` naming the attribute that is missing or malformed."""
    if headers.get("ce_specversion") != "1.0":
        raise EnvelopeInvalid("ce_specversion is not 1.0")
    return Envelope(
        id=_uuid(headers, "ce_id"),
        source=_text(headers, "ce_source"),
        type=_text(headers, "ce_type"),
        subject=_text(headers, "ce_subject"),
        occurred_at=_instant(headers, "ce_time"),
        recorded_at=_instant(headers, "ce_recordedtime"),
        sequence=_sequence(headers),
        profile_id=_optional_uuid(headers, "ce_profileid"),
        customer_id=_optional_uuid(headers, "ce_customerid"),
        correlation_id=_optional_uuid(headers, "ce_correlationid"),
        causation_id=_optional_uuid(headers, "ce_causationid"),
        touchpoint_id=_optional_uuid(headers, "ce_touchpointid"),
        traceparent=headers.get("traceparent"),
    )


def _text(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise EnvelopeInvalid(f"{name} is missing")
    return value


def _uuid(headers: Mapping[str, str], name: str) -> UUID:
    text = _text(headers, name)
    try:
        return UUID(text)
    except ValueError as error:
        raise EnvelopeInvalid(f"{name} is not a UUID") from error


def _optional_uuid(headers: Mapping[str, str], name: str) -> UUID | None:
    return _uuid(headers, name) if name in headers else None


def _instant(headers: Mapping[str, str], name: str) -> datetime:
    text = _text(headers, name)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise EnvelopeInvalid(f"{name} is not an RFC 3339 instant") from error
    if instant.tzinfo is None:
        raise EnvelopeInvalid(f"{name} has no offset")
    return instant.astimezone(UTC)


def _sequence(headers: Mapping[str, str]) -> int:
    text = _text(headers, "ce_sequence")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise EnvelopeInvalid("ce_sequence is not a whole number")
    return int(text)
