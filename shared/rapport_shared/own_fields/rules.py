"""The `fields` policy, ready to check with: pure, and the same at every door.

A null is a value that is not stated. Pointers lead into the document that carries `attributes`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import orjson

from rapport_shared.contracts.touchpoints import KINDS
from rapport_shared.contracts.touchpoints.errors import LIMIT_OF_ERRORS, FieldError, fault
from rapport_shared.own_fields.declarations import (
    ASSET_KINDS,
    PROFILE_KIND,
    READING,
    FieldsPolicy,
    KindField,
    OwnField,
    WhenField,
    WhenKind,
)
from rapport_shared.own_fields.schemas import compiled, data_faults
from rapport_shared.own_fields.values import Limits, value_fault

Attributes = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One field, ready to check."""

    field: OwnField
    limits: Limits


@dataclass(frozen=True, slots=True)
class Checks:
    """The fields that one kind of thing has. `is_open`: it may carry what is not declared, for nothing is."""

    rules: Mapping[str, Rule]
    is_open: bool = False
    never_required: frozenset[str] = frozenset()

    def faults(self, attributes: Attributes, *kinds: str | None) -> Iterator[FieldError]:
        """What is wrong with `attributes` of a thing of `kinds`: values, then what is missing."""
        yield from self.value_faults(attributes)
        yield from self.missing(attributes, *kinds)

    def value_faults(self, attributes: Attributes) -> Iterator[FieldError]:
        """What is wrong with those that are stated."""
        if self.is_open:
            return
        for name, value in attributes.items():
            rule = self.rules.get(name)
            if rule is None:
                yield fault("unknown_field", "attributes", name, because="is not declared here")
            elif value is not None and (found := value_fault(rule.field.type, rule.limits, value)) is not None:
                yield fault(found.code, "attributes", name, because=found.because)

    def missing(self, attributes: Attributes, *kinds: str | None) -> Iterator[FieldError]:
        """Those that are required and not stated."""
        for name, rule in self.rules.items():
            if name in self.never_required or attributes.get(name) is not None:
                continue
            if _is_required(rule.field, attributes, kinds):
                yield fault("missing", "attributes", name)

    def stated(self, attributes: Attributes) -> dict[str, Any]:
        """Those of `attributes` that are declared, stated and sound."""
        return {
            name: value
            for name, value in attributes.items()
            if value is not None
            and (rule := self.rules.get(name)) is not None
            and value_fault(rule.field.type, rule.limits, value) is None
        }


def _is_required(field: OwnField, attributes: Attributes, kinds: tuple[str | None, ...]) -> bool:
    match field.required_when:
        case None:
            return False
        case "always":
            return True
        case WhenKind(kind=wanted):
            return wanted in kinds
        case WhenField(field=other, equals=wanted):
            value = attributes.get(other)
            # True equals 1 in Python, and never in JSON
            if isinstance(value, list):
                return wanted in value
            return type(value) is type(wanted) and value == wanted


class OwnRules:
    """A `fields` policy, ready to check with."""

    def __init__(self, policy: FieldsPolicy) -> None:
        self.policy = policy
        self._schemas = {kind: compiled(own.data_schema) for kind, own in (policy.kinds or {}).items()}
        self._touchpoints = {kind: self._of_kind(kind) for kind in {*KINDS, *self._schemas}}
        self._other = self._of_kind("")
        self.profiles = _checks(policy.profiles)
        self.assets = _checks(policy.assets)

    def touchpoint_faults(self, body: Mapping[str, Any]) -> list[FieldError]:
        """What is wrong with a touchpoint that `parse_touchpoint` took: its own kind, its data, its attributes."""
        kind: str = body["kind"]
        if kind.startswith("custom.") and self.policy.kinds is not None and kind not in self._schemas:
            return [fault("unknown_kind", "kind")]
        faults: list[FieldError] = []
        if (schema := self._schemas.get(kind)) is not None:
            faults += data_faults(schema, body.get("data") or {})
        checks = self._touchpoints.get(kind, self._other)
        faults += checks.faults(body.get("attributes") or {}, kind, _kind_within(body))
        return faults[:LIMIT_OF_ERRORS]

    def touchpoints(self, kind: str) -> Checks:
        """The fields of touchpoints of a kind, those of the profile or the asset that it reports among them."""
        return self._touchpoints.get(kind, self._other)

    def tickets(self, kind: str) -> Checks:
        """The fields of tickets of a kind."""
        return _checks(_of(self.policy.tickets, kind))

    @cached_property
    def looked_up(self) -> Mapping[str, OwnField]:
        """The fields of profiles that customers are found by."""
        return {name: field for name, field in (self.policy.profiles or {}).items() if field.lookup}

    def _of_kind(self, kind: str) -> Checks:
        parts = [_of(self.policy.touchpoints, kind)]
        parts += [self.policy.profiles] if kind == PROFILE_KIND else []
        parts += [self.policy.assets] if kind in ASSET_KINDS else []
        if all(part is None for part in parts):
            return OPEN
        merged = {name: field for part in parts if part is not None for name, field in part.items()}
        # what an asset must have is asked for when it is delivered, not at each visit
        spared = self.policy.assets or {} if kind != "asset.delivered" else {}
        return Checks(_rules(merged), never_required=frozenset(spared) - frozenset(parts[0] or ()))


def _kind_within(body: Mapping[str, Any]) -> str | None:
    """Of a reported profile or asset its own kind."""
    name = {PROFILE_KIND: "kind", **dict.fromkeys(ASSET_KINDS, "type")}.get(body["kind"])
    return (body.get("data") or {}).get(name) if name else None


def _of(fields: Mapping[str, KindField] | None, kind: str) -> Mapping[str, OwnField] | None:
    if fields is None:
        return None
    return {name: field for name, field in fields.items() if field.kinds is None or kind in field.kinds}


def _checks(fields: Mapping[str, OwnField] | None) -> Checks:
    return Checks(_rules(fields or {}))


def _rules(fields: Mapping[str, OwnField]) -> dict[str, Rule]:
    return {name: Rule(field, field.limits) for name, field in fields.items()}


OPEN: Final = Checks({}, is_open=True)


@lru_cache(maxsize=16)
def read_fields(document: bytes) -> OwnRules:
    """The rules of a document as an event carried it. Cheap: it is read once. Raises `ValueError` for no such policy.

    What a later release declares and this one does not know is passed by.
    """
    return OwnRules(FieldsPolicy.model_validate(orjson.loads(document), extra="ignore", context=READING))


UNDECLARED: Final = read_fields(b"{}")
"""The rules where nothing is declared: version 0 of the policy, which is what is shipped."""
