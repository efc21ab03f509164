"""From JSON to a touchpoint, and back to what must be equal for a repeat."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, cast

from pydantic import TypeAdapter, ValidationError

from rapport_shared.contracts.envelope import canonical_json
from rapport_shared.contracts.pii import REFUSE_ERASED
from rapport_shared.contracts.touchpoints.assets import Asset
from rapport_shared.contracts.touchpoints.commerce_checks import document_faults
from rapport_shared.contracts.touchpoints.commerce_touchpoints import CommerceTouchpoint
from rapport_shared.contracts.touchpoints.envelope import Identifier
from rapport_shared.contracts.touchpoints.errors import FieldError, TouchpointInvalid, fault, faults_of
from rapport_shared.contracts.touchpoints.feedback import Referral
from rapport_shared.contracts.touchpoints.kinds import MODEL_OF, Touchpoint, model_of
from rapport_shared.contracts.touchpoints.profile import ProfileReported
from rapport_shared.contracts.touchpoints.soundness import soundness_fault

AHEAD_AT_MOST: Final = timedelta(minutes=5)
CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""A difference of sending and receiving below this is the network's, not the device's clock."""

KINDS: Final = frozenset(MODEL_OF)


def parse_touchpoint(data: object, *, strict: bool) -> Touchpoint:
    """The touchpoint in `data` (decoded JSON), as a channel reports it. With `strict`, unknown fields are refused.

    Checks everything that one touchpoint can be checked for without a clock, units or other documents. Raises
    `TouchpointInvalid` and nothing else.
    """
    flaw = soundness_fault(data)
    if flaw is not None:
        raise TouchpointInvalid([flaw])
    model = _model_for(data)
    try:
        touchpoint = model.__pydantic_validator__.validate_python(
            data, extra="forbid" if strict else "ignore", context=REFUSE_ERASED
        )
    except ValidationError as error:
        raise TouchpointInvalid(faults_of(error)) from None
    faults = list(_faults(touchpoint))
    if faults:
        raise TouchpointInvalid(faults)
    return cast(Touchpoint, touchpoint)


def read_touchpoint(data: object) -> Touchpoint:
    """The touchpoint of a recorded event: unknown fields are passed by, erased values come as `ERASED`.

    What was checked when it was reported is not checked again. Raises `TouchpointInvalid` and nothing else.
    """
    model = _model_for(data)
    try:
        return cast(Touchpoint, model.__pydantic_validator__.validate_python(data, extra="ignore"))
    except ValidationError as error:
        raise TouchpointInvalid(faults_of(error)) from None


@cache
def touchpoint_adapter() -> TypeAdapter[Touchpoint]:
    """The union as one pydantic type, for schemas; built at the first call (it takes a moment)."""
    return TypeAdapter(Touchpoint)


def corrected_occurred_at(touchpoint: Touchpoint, received_at: datetime) -> datetime:
    """When it happened by our clock: `occurred_at` moved by what the device's clock was off when it sent.

    `sent_at` is stamped when sending, so `received_at - sent_at` is the error of its clock plus the way; up to
    `CLOCK_TOLERANCE` it is taken for the way and nothing is moved. Without `sent_at` the channel's clock counts.
    """
    if touchpoint.sent_at is None:
        return touchpoint.occurred_at
    error = received_at - touchpoint.sent_at
    return touchpoint.occurred_at if abs(error) <= CLOCK_TOLERANCE else touchpoint.occurred_at + error


def check_times(touchpoint: Touchpoint, now: datetime) -> None:
    """Raises `TouchpointInvalid` (`time_ahead`) if it happened, corrected, more than five minutes after `now`."""
    if corrected_occurred_at(touchpoint, now) > now + AHEAD_AT_MOST:
        raise TouchpointInvalid([fault("time_ahead", "occurred_at")])


def content_digest(touchpoint: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what two reports under one id must have alike, over JSON that `parse_touchpoint` took.

    Left out are `id`, `sent_at`, and where there is a `sent_at` the `occurred_at` that it corrects.
    """
    left_out = {"id", "sent_at"} | ({"occurred_at"} if touchpoint.get("sent_at") is not None else set())
    body = {name: value for name, value in touchpoint.items() if name not in left_out}
    return hashlib.sha256(canonical_json(body)).hexdigest()


def _model_for(data: object) -> type[Any]:
    if not isinstance(data, dict):
        raise TouchpointInvalid([fault("wrong_type", because="must be a JSON object")])
    kind = data.get("kind")
    if kind is None:
        raise TouchpointInvalid([fault("missing", "kind")])
    model = model_of(kind) if isinstance(kind, str) else None
    if model is None:
        raise TouchpointInvalid([fault("unknown_kind", "kind")])
    return model


def _faults(touchpoint: Any) -> Iterator[FieldError]:
    for index, identifier in enumerate(touchpoint.identifiers):
        yield from _identifier_faults(identifier, "identifiers", index)
    data = touchpoint.data
    if isinstance(touchpoint, CommerceTouchpoint):
        yield from document_faults(touchpoint)
    elif isinstance(data, Asset):
        if data.serial is None and data.plate is None:
            yield fault("missing", "data", "serial", because="serial or plate is required")
    elif isinstance(data, Referral):
        yield from _identifier_faults(data.referred, "data", "referred")
    elif isinstance(touchpoint, ProfileReported):
        yield from _nobody(touchpoint)


def _identifier_faults(identifier: Identifier, *place: str | int) -> Iterator[FieldError]:
    if identifier.system is None and identifier.type in ("external", "social"):
        yield fault("missing", *place, "system", because="is required of an external or social identifier")


def _nobody(touchpoint: ProfileReported) -> Iterator[FieldError]:
    record = touchpoint.source is not None and touchpoint.source.record is not None
    if not (record or touchpoint.identifiers or touchpoint.conversation):
        yield fault("missing", "source", because="a profile needs a source record, an identifier or a conversation")
