"""What a policy's words mean, computed the slow and plain way from the document."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rapport_scoring.domain.segments import CustomerReadings, SegmentPolicy

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}


def members(segments: Mapping[str, SegmentPolicy], customer: CustomerReadings, at: datetime) -> frozenset[str]:
    documents = {name: made.model_dump(mode="json", exclude_none=True)["when"] for name, made in segments.items()}
    return frozenset(name for name, when in documents.items() if holds(when, customer, at))


def holds(when: Mapping[str, Any], customer: CustomerReadings, at: datetime) -> bool:
    if "all" in when:
        return all(holds(part, customer, at) for part in when["all"])
    if "any" in when:
        return any(holds(part, customer, at) for part in when["any"])
    if "not" in when:
        return not holds(when["not"], customer, at)
    if "absent" in when:
        return _absent(when, customer, at)
    return _answers(when, _value(when, customer, at))


def _value(when: Mapping[str, Any], customer: CustomerReadings, at: datetime) -> Any:
    if "reading" in when:
        name = when["reading"]
        value = customer.values.get(name)
        missing = 0 if name.startswith("tickets") else False if name.startswith("alarm") else None
        return missing if value is None else None if value != value else value
    if "age" in when:
        since = customer.since.get(when["age"])
        return None if since is None or since > at else at - since
    operation = next(name for name in ("count", "sum", "min", "max") if name in when)
    stream, _, field = when[operation].partition(".")
    facts = _facts(when, stream, when.get("within"), customer, at)
    amounts = [getattr(fact, field) for fact in facts] if field else []
    match operation:
        case "count":
            return len(facts)
        case "sum":
            return None if None in amounts else sum(amounts)
        case "min":
            return min(amounts, default=None)
        case _:
            return max(amounts, default=None)


def _facts(
    when: Mapping[str, Any], stream: str, within: str | None, customer: CustomerReadings, at: datetime
) -> list[Any]:
    return [
        fact
        for fact in customer.facts(stream)
        if fact.at <= at
        and (within is None or fact.at > at - _length(within))
        and all(_in(getattr(fact, name), values) for name, values in when.get("where", {}).items())
    ]


def _in(value: Any, values: list[str]) -> bool:
    return bool(value & set(values)) if isinstance(value, frozenset) else value in values


def _absent(when: Mapping[str, Any], customer: CustomerReadings, at: datetime) -> bool:
    if _facts(when, when["absent"], when["for"], customer, at):
        return False
    since = customer.since.get("customer")
    match when.get("among"):
        case "ever":
            return bool(_facts(when, when["absent"], None, customer, at))
        case "as_long":
            return since is not None and at - since >= _length(when["for"])
        case _:
            return True


def _answers(when: Mapping[str, Any], value: Any) -> bool:
    asked = {name: when[name] for name in _ASKED if name in when}
    if "missing" in asked:
        return value is None and len(asked) == 1
    return value is not None and all(_ASKED[name](value, operand) for name, operand in asked.items())


_ASKED: Mapping[str, Any] = {
    "is": lambda value, operand: value == operand,
    "in": lambda value, operand: value in operand,
    "under": lambda value, operand: f"{value}/".startswith(f"{operand}/"),
    "at_least": lambda value, operand: value >= _of(operand),
    "at_most": lambda value, operand: value <= operand,
    "more_than": lambda value, operand: value > operand,
    "less_than": lambda value, operand: value < _of(operand),
    "between": lambda value, operand: operand[0] <= value <= operand[1],
    "exists": lambda value, operand: True,
    "missing": lambda value, operand: False,
}


def _of(operand: Any) -> Any:
    return _length(operand) if isinstance(operand, str) else operand


def _length(text: str) -> timedelta:
    number, unit = text.split(" ")
    return timedelta(seconds=int(number) * _UNITS[unit.rstrip("s")])
