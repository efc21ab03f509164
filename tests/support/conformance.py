"""Whether answers are what the gateway's document says: status, kind of content, every member, the form of instants."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from tests.support.generated import DOCUMENT

__all__ = ["conform", "document", "operation_of"]

METHODS = frozenset({"get", "put", "post", "patch", "delete"})
_PLACE = "#/components/schemas/"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_FORMATS = FormatChecker(("uuid", "date"))


def _is_instant(value: object) -> bool:
    """Instants of answers have one form; an instant of a request may have another."""
    return not isinstance(value, str) or _INSTANT.fullmatch(value) is not None


_FORMATS.checks("date-time")(_is_instant)


@cache
def document() -> dict[str, Any]:
    """The gateway's document; do not change it."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def conform(method: str, path: str, answer: httpx.Response) -> None:
    """Raises an `AssertionError` for an answer that the document does not describe."""
    place, operation = operation_of(method, path)
    status = str(answer.status_code)
    assert status in operation["responses"], f"{place} answers {status}: {answer.text[:500]}"
    described = _resolved(operation["responses"][status])
    if "content" not in described:
        assert not answer.content, f"{place} {status} has a body"
        return
    kind = answer.headers.get("content-type", "").partition(";")[0]
    assert kind in described["content"], f"{place} {status} is {kind}"
    if kind.endswith("json"):
        faults = list(_faults(described["content"][kind]["schema"], answer.json()))
        assert not faults, f"{place} {status}: {'; '.join(faults[:5])}"


def operation_of(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The operation of a path, and how the document calls it. Raises `KeyError` for one that it lacks."""
    bare = path.partition("?")[0]
    for template, pattern in _templates():
        if pattern.fullmatch(bare) and method.lower() in document()["paths"][template]:
            return f"{method} {template}", document()["paths"][template][method.lower()]
    raise KeyError(f"{method} {bare}")


@cache
def _templates() -> list[tuple[str, re.Pattern[str]]]:
    """Paths, those with fewer parameters first: a word is no id. The path of a unit has slashes."""
    ordered = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(path, re.compile(_pattern(path))) for path in ordered]


def _pattern(path: str) -> str:
    parts = re.split(r"\{(\w+)\}", path)
    return "".join(
        re.escape(part) if place % 2 == 0 else (".+" if part == "path" else "[^/]+") for place, part in enumerate(parts)
    )


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    found: Any = part
    if "$ref" in part:
        found = document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)


def _faults(schema: dict[str, Any], body: Any) -> Iterator[str]:
    validator = Draft202012Validator(_closed(schema) | {"components": _components()}, format_checker=_FORMATS)
    for error in validator.iter_errors(body):
        deepest = min([error, *(error.context or ())], key=lambda one: -len(one.absolute_path))
        yield f"/{'/'.join(map(str, deepest.absolute_path))} {deepest.message[:300]}"


@cache
def _components() -> dict[str, Any]:
    schemas = document()["components"]["schemas"]
    return {"schemas": {name: schema if name in _joined() else _closed(schema) for name, schema in schemas.items()}}


@cache
def _joined() -> frozenset[str]:
    """The schemas that are part of others: these have more members."""
    return frozenset(_joined_in(document()))


def _joined_in(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        several = part.get("allOf", ())
        yield from (one["$ref"].removeprefix(_PLACE) for one in several if len(several) > 1)
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _joined_in(inner)


def _closed(part: Any) -> Any:
    """A schema that refuses members which it does not name."""
    if isinstance(part, list):
        return [_closed(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(inner) for name, inner in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
