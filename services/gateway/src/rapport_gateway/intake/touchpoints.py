"""Intake at the edge: touchpoints are checked for what can be checked here, and handed to Kafka."""

import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

from rapport_gateway.intake.accepted import Reported, body_digest
from rapport_gateway.intake.warnings import Warning, warnings_of
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.codec import Message, encode_touchpoint
from rapport_shared.contracts.customer import UnitState
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.contracts.interaction import ATTRIBUTION_ORDER, IdentifierType
from rapport_shared.contracts.touchpoints import (
    MAX_BATCH,
    MAX_TOUCHPOINT_BYTES,
    Touchpoint,
    TouchpointInvalid,
    check_times,
    parse_touchpoint,
)
from rapport_shared.errors import (
    FORBIDDEN,
    KEY_REQUIRED,
    MALFORMED,
    TOO_LARGE,
    VALIDATION,
    FieldProblem,
    Problem,
)
from rapport_shared.intake_headers import signed_headers
from rapport_shared.normalisation import (
    identifier_key,
    normalise_identifier,
    phone_region,
    source_record,
    system_and_record,
)
from rapport_shared.own_fields import UNDECLARED, OwnRules, refuse
from rapport_shared.units import lies_in

UNITS_REMEMBERED = timedelta(seconds=5)
"""A batch names one unit five hundred times, and its phone region hardly ever changes."""
_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_NEVER = len(ATTRIBUTION_ORDER)
_DECIDES: dict[str, int] = {
    type_: ATTRIBUTION_ORDER.index(type_) if type_.addressable else _NEVER for type_ in IdentifierType
}

NOT_VALID = "The touchpoint is not valid."

UnitFinder = Callable[[str], Awaitable[UnitState | None]]
OwnRulesFinder = Callable[[], Awaitable[OwnRules]]


async def nothing_declared() -> OwnRules:
    """The rules of a deployment that declares no fields of its own."""
    return UNDECLARED


@dataclass(frozen=True, slots=True)
class Checked:
    """A touchpoint that may go on: its JSON, and what the gateway knows of it."""

    touchpoint: Touchpoint
    body: bytes
    unit: UnitState | None

    @property
    def reported(self) -> Reported:
        """Its id, and the digest of what a repeat must have alike."""
        return self.touchpoint.id, body_digest(self.body)


@dataclass(frozen=True, slots=True)
class Usable:
    """An identifier that a touch can be routed by, and its place among those of the touchpoint."""

    type: IdentifierType
    key: str
    position: int
    normal: str

    @property
    def record_profile(self) -> UUID | None:
        """The profile of the source record that an external identifier names."""
        return source_profile_id(*system_and_record(self.normal)) if self.type is IdentifierType.EXTERNAL else None


def read_batch(body: bytes) -> tuple[list[Any], bool]:
    """The touchpoints of a request's body, and whether they came as a batch. Raises a 400, a 413 or a 422."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(MALFORMED, "The body is not a JSON document in UTF-8.") from None
    if not isinstance(document, dict):
        raise _invalid("", "wrong_type", "It must be a touchpoint or a batch of them.")
    if "touchpoints" not in document:
        return [document], False
    batch = document["touchpoints"]
    if not isinstance(batch, list) or len(document) > 1:
        raise _invalid("/touchpoints", "wrong_type", "A batch is a list under touchpoints, and nothing beside it.")
    if not batch:
        raise _invalid("/touchpoints", "out_of_range", "A batch has one touchpoint at least.")
    if len(batch) > MAX_BATCH:
        raise _too_large("/touchpoints", f"A batch may have {MAX_BATCH} touchpoints.")
    return batch, True


@dataclass(slots=True)
class TouchpointRules:
    """What touchpoints are judged by, whichever way they come in. `default_region` is the deployment's, for phones."""

    secret: bytes
    units: UnitFinder
    clock: Clock
    own: OwnRulesFinder = nothing_declared
    default_region: str | None = None
    _known_units: dict[str, tuple[datetime, UnitState]] = field(default_factory=dict)

    async def check(self, item: Any, index: int, caller: Caller, idempotency_key: str | None) -> Checked:
        """A touchpoint that the caller may report. Raises the `Problem` that says what is wrong and where.

        One without a unit is of its key's unit, where the key has one.
        """
        if isinstance(item, dict) and "id" not in item:
            if idempotency_key is None:
                place = FieldProblem("/id", "missing", "It is required, or the request's Idempotency-Key.")
                detail = "The touchpoint has no id, and the request no Idempotency-Key."
                raise Problem(KEY_REQUIRED, detail, errors=[place])
            item = {"id": str(uuid5(UUID(caller.principal), f"{idempotency_key}/{index}")), **item}
        if isinstance(item, dict) and item.get("unit") is None and caller.unit:
            item = {**item, "unit": caller.unit}
        touchpoint = self._parse(item)
        refuse((await self.own()).touchpoint_faults(item), NOT_VALID)
        body = orjson.dumps(item)
        if len(body) > MAX_TOUCHPOINT_BYTES:
            raise _too_large("", "A touchpoint may have 256 KiB.")
        if caller.channel not in ("*", touchpoint.channel):
            raise _forbidden("/channel", f"The key reports for the channel {caller.channel} alone.")
        unit = await self._unit(touchpoint.unit, caller)
        return Checked(touchpoint, body, unit)

    def region(self, checked: Checked) -> str | None:
        """The region that reads the phone numbers of a touchpoint that name none. The record says it from then on."""
        return phone_region(None, checked.unit.phone_region if checked.unit else None, self.default_region)

    def source_profile(self, checked: Checked) -> UUID | None:
        """The profile of the touchpoint's source record; None where it names none."""
        record = source_record(checked.touchpoint)
        return source_profile_id(*record) if record is not None else None

    def message(self, checked: Checked, caller: Caller, traceparent: str | None) -> Message:
        """What is sent of a checked touchpoint: its JSON as it came, keyed by an identifier of it as it was written."""
        touchpoint = checked.touchpoint
        further = signed_headers(self.secret, str(touchpoint.id), checked.body, caller.may_verify, self.region(checked))
        if traceparent and _TRACE.fullmatch(traceparent):
            further = (*further, ("traceparent", traceparent.encode()))
        return encode_touchpoint(touchpoint, checked.body, self._intake_key(touchpoint), further)

    def warnings(self, checked: Checked, caller: Caller, most: int) -> list[Warning]:
        """What the caller should know of a touchpoint that is accepted, of its first `most` identifiers."""
        return list(warnings_of(checked.touchpoint, self.region(checked), caller.may_verify, most))

    def identifiers(self, checked: Checked) -> list[tuple[str, str]]:
        """Type and key of the identifiers that the touch can be routed by, the deciding one first."""
        return [(one.type, one.key) for one in self.usable(checked)]

    def usable(self, checked: Checked) -> list[Usable]:
        """The identifiers that the touch can be routed by, the deciding one first."""
        default = self.region(checked)
        found: dict[tuple[str, str], Usable] = {}
        for position, identifier in enumerate(checked.touchpoint.identifiers):
            region = phone_region(identifier.region, default, None)
            form = normalise_identifier(identifier.type, str(identifier.value), region, identifier.system)
            type_ = IdentifierType(identifier.type)
            if form.usable and type_.addressable:
                key = identifier_key(self.secret, type_, form.normal)
                found.setdefault((type_, key), Usable(type_, key, position, form.normal))
        return sorted(found.values(), key=lambda one: (ATTRIBUTION_ORDER.index(one.type), one.key))

    def would_mint(self, checked: Checked, blocked: Collection[str] = ()) -> bool:
        """Whether a customer is made where the touch meets none; identifiers with a key of `blocked` make none."""
        usable = [one for one in self.usable(checked) if one.key not in blocked]
        return self.source_profile(checked) is not None or bool(usable)

    def _intake_key(self, touchpoint: Touchpoint) -> str:
        """The same for the same spelling of an identifier; the touchpoint's id where it has none that can be routed by.

        The interaction service finds out what an identifier is: nothing relies on this key.
        """
        written = [(_DECIDES[one.type], one.type, str(one.value)) for one in touchpoint.identifiers]
        place, type_, value = min(written, default=(_NEVER, "", ""))
        return str(touchpoint.id) if place == _NEVER else identifier_key(self.secret, type_, value)

    def _parse(self, item: Any) -> Touchpoint:
        try:
            touchpoint = parse_touchpoint(item, strict=True)
            check_times(touchpoint, self.clock())
        except TouchpointInvalid as error:
            refuse(error.errors, NOT_VALID)
            raise
        return touchpoint

    async def _unit(self, path: str | None, caller: Caller) -> UnitState | None:
        if path is None:
            return None
        if not lies_in(path, caller.unit):
            raise _forbidden("/unit", "The unit lies outside the key's.")
        now = self.clock()
        known = self._known_units.get(path)
        if known is not None and known[0] > now:
            return known[1]
        unit = await self.units(path)
        if unit is None:
            raise _invalid("/unit", "unknown_unit", "The unit does not exist.")
        self._known_units[path] = (now + UNITS_REMEMBERED, unit)
        return unit


def _invalid(pointer: str, code: str, message: str) -> Problem:
    return Problem(VALIDATION, "The request is not valid.", errors=[FieldProblem(pointer, code, message)])


def _too_large(pointer: str, message: str) -> Problem:
    return Problem(TOO_LARGE, "The request is too large.", errors=[FieldProblem(pointer, "too_large", message)])


def _forbidden(pointer: str, message: str) -> Problem:
    return Problem(FORBIDDEN, message, errors=[FieldProblem(pointer, "forbidden", message)])
