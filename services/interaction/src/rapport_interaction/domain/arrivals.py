"""What arrives on the intake topic, read: a touchpoint with its normal forms, or the reason it cannot be one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_interaction.domain.conversations import conversation_clue
from rapport_shared.contracts.catalogue import TOUCHPOINT_REPORTED
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import QuarantineReason
from rapport_shared.contracts.touchpoints import (
    MAX_TOUCHPOINT_BYTES,
    Touchpoint,
    TouchpointInvalid,
    content_digest,
    corrected_occurred_at,
    parse_touchpoint,
)
from rapport_shared.contracts.touchpoints.errors import fault
from rapport_shared.contracts.touchpoints.reading import AHEAD_AT_MOST
from rapport_shared.intake_headers import Vetting, read_vetting
from rapport_shared.messaging.records import Record


@dataclass(frozen=True, slots=True)
class Arrival:
    """A touchpoint as it arrived, checked. `vetted`: the gateway has checked unit and rights already, and signed it.

    `region` is the phone region that the gateway decided on; `may_verify` the identifier types that the
    channel's key may verify; `value` and `headers` are the record as it came.
    """

    touchpoint: Touchpoint
    body: dict[str, Any]
    digest: str
    occurred_at: datetime
    received_at: datetime
    vetted: bool
    region: str | None
    may_verify: frozenset[str]
    value: bytes
    headers: Mapping[str, str]

    @property
    def traceparent(self) -> str | None:
        """The trace that it came with."""
        return self.headers.get("traceparent")

    @property
    def conversation_clue(self) -> str | None:
        """What names the conversation: unique per channel and source system."""
        return conversation_clue(self.body)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that is no touchpoint. `touchpoint_id` where at least that could be read."""

    reason: str
    errors: tuple[QuarantineReason, ...]
    touchpoint_id: UUID | None
    body: bytes | None
    headers: Mapping[str, str]
    received_at: datetime
    place: str

    @property
    def quarantine_id(self) -> UUID:
        """The same for the same report, so that a repeat quarantines nothing new; without an id, for the record."""
        if self.touchpoint_id is None or self.body is None:
            return derived_id("quarantine", self.place)
        return derived_id("unreadable", self.touchpoint_id, hashlib.sha256(self.body).hexdigest())


def read_arrival(secret: bytes, record: Record) -> Arrival | Unreadable:
    """The touchpoint in a record of the intake topic. Never raises: what cannot be read is a value too.

    `secret` proves what the gateway added. A record without its signature is a connector's, whatever its headers say.
    """
    try:
        return _read(secret, record)
    except TouchpointInvalid as error:
        reasons = reasons_of(error)
        return unreadable(record, reasons[0].code, reasons, _touchpoint_id(record))
    except _Unfit as error:
        return unreadable(record, error.code, (error.reason(),), _touchpoint_id(record))


def reasons_of(error: TouchpointInvalid) -> tuple[QuarantineReason, ...]:
    """What is wrong with a touchpoint, as the quarantine keeps it."""
    return tuple(QuarantineReason(pointer=e.pointer, code=e.code, message=e.message) for e in error.errors[:20])


def unreadable(
    record: Record, reason: str, errors: tuple[QuarantineReason, ...], touchpoint_id: UUID | None
) -> Unreadable:
    """A record to quarantine, with what is wrong."""
    place = f"{record.partition}/{record.offset}"
    return Unreadable(reason, errors, touchpoint_id, record.value, record.headers, record.written_at, place)


class _Unfit(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    def reason(self) -> QuarantineReason:
        return QuarantineReason(pointer="", code=self.code, message=self.message)


def _read(secret: bytes, record: Record) -> Arrival:
    if record.malformed_headers:
        raise _Unfit("malformed_header", "a header is not UTF-8")
    if record.value is None:
        raise _Unfit("empty", "the record has no value")
    if len(record.value) > MAX_TOUCHPOINT_BYTES:
        raise _Unfit("too_large", "a touchpoint may have 256 KiB")
    if record.headers.get("ce_type") != TOUCHPOINT_REPORTED:
        raise _Unfit("unknown_type", f"ce_type is not {TOUCHPOINT_REPORTED}")
    try:
        body = orjson.loads(record.value)
    except ValueError:
        raise _Unfit("not_json", "the value is not JSON in UTF-8") from None
    vetting = read_vetting(secret, record.headers, record.value)
    return check_arrival(body, record.value, record.headers, vetting, record.written_at, record.written_at)


def check_arrival(
    body: Any, value: bytes, headers: Mapping[str, str], vetting: Vetting, received_at: datetime, now: datetime
) -> Arrival:
    """The touchpoint `body`, which is what `value` says, received with `headers` and looked at `now`.

    Raises `TouchpointInvalid` and nothing else: also for one that will have happened more than five minutes ahead.
    """
    touchpoint = parse_touchpoint(body, strict=vetting.vetted)
    occurred_at = corrected_occurred_at(touchpoint, received_at)
    if occurred_at > now + AHEAD_AT_MOST:
        raise TouchpointInvalid([fault("time_ahead", "occurred_at")])
    return Arrival(
        touchpoint=touchpoint,
        body=body,
        digest=content_digest(body),
        occurred_at=occurred_at,
        received_at=received_at,
        vetted=vetting.vetted,
        region=vetting.region,
        may_verify=vetting.may_verify,
        value=value,
        headers=headers,
    )


def _touchpoint_id(record: Record) -> UUID | None:
    """The id of a touchpoint that is otherwise unreadable, so that its reporter finds what became of it."""
    try:
        body = orjson.loads(record.value or b"")
        return UUID(body["id"])
    except (ValueError, TypeError, KeyError, AttributeError):
        try:
            return UUID(record.headers.get("ce_id", ""))
        except ValueError:
            return None
