"""Whether a contract still keeps what it promised: what old writers wrote, new readers read, and the reverse.

A writer sends the fields of its schema and no others; a reader passes by what it does not know. Values are compared
by set inclusion (jsoncompat), which does not look at patterns, formats and marks: those are compared as they stand.
An object of which a schema says nothing may be described by a later schema.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsoncompat

Schema = Mapping[str, Any]
_AS_THEY_STAND = ("pattern", "format")


def breaking_changes(released: Mapping[str, Schema], present: Mapping[str, Schema]) -> list[str]:
    """What of the `released` types the `present` ones break, a sentence each; types that are new break nothing."""
    found = [f"{name}: the type is gone" for name in released if name not in present]
    for name, old in released.items():
        if name in present:
            found += [f"{name}: {change}" for change in _changes(_described(old, present[name]), present[name])]
    return found


def _described(old: Schema, new: Schema) -> Schema:
    """`old` with the fields of `new` in objects of which `old` says nothing: no reader counts on anything there."""
    filled = _filled(old, new, new)
    return {**filled, "$defs": {**new.get("$defs", {}), **filled.get("$defs", {})}}


def _filled(old: Any, new: Any, root: Schema) -> Any:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        says_nothing = old.get("type") == "object" and old.get("additionalProperties") is True
        if says_nothing and "properties" not in old and "properties" in _resolve(new, root):
            return new
        return {name: _filled(part, new.get(name), root) for name, part in old.items()}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [_filled(one, other, root) for one, other in zip(old, new, strict=True)]
    return old


def _changes(old: Schema, new: Schema) -> list[str]:
    if old == new:
        return []
    found = list(dict.fromkeys(_Comparison(old, new).of(old, new, "")))
    if not found and not _both_ways(old, new):
        found.append("the data as a whole: old and new readers and writers do not understand each other")
    return found


def _both_ways(old: Schema, new: Schema) -> bool:
    return _included(_closed(old), new) and _included(_closed(new), old)


def _included(written: Any, read: Any) -> bool:
    return bool(jsoncompat.check_compat(json.dumps(written), json.dumps(read), jsoncompat.Role.DESERIALIZER))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    if schema.get("type") == "object" and isinstance(schema.get("properties"), Mapping):
        closed["additionalProperties"] = False
    return closed


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Walks two schemas side by side to say where they part."""

    old_root: Schema
    new_root: Schema
    seen: tuple[tuple[str, str], ...] = ()

    def of(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        """The breaking changes at `place` and below."""
        refs = (str(old.get("$ref")), str(new.get("$ref")))
        if refs in self.seen:
            return
        inside = self if refs == ("None", "None") else _Comparison(self.old_root, self.new_root, (*self.seen, refs))
        yield from inside._resolved(_resolve(old, self.old_root), _resolve(new, self.new_root), place)

    def _resolved(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        if old.get("x-personal") and not new.get("x-personal"):
            yield f"{place or '/'} is no longer personal"
        below = list(self._below(old, new, place))
        yield from below
        if not below and old != new:
            yield from self._here(old, new, place or "/")

    def _below(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        if "properties" in old and "properties" in new:
            yield from self._fields(old, new, place)
        elif "anyOf" in old and len(old["anyOf"]) == len(new.get("anyOf", ())):
            for one, other in zip(old["anyOf"], new["anyOf"], strict=True):
                yield from self.of(one, other, place)
        for keyword, step in (("items", "[]"), ("additionalProperties", "{}")):
            if isinstance(old.get(keyword), Mapping) and isinstance(new.get(keyword), Mapping):
                yield from self.of(old[keyword], new[keyword], f"{place}{step}")

    def _fields(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        for name, field in old["properties"].items():
            if name not in new["properties"]:
                yield f"{place}/{name} is gone"
            else:
                yield from self.of(field, new["properties"][name], f"{place}/{name}")
        before, after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(after - before):
            yield f"{place}/{name} is required now, and was not always there"
        for name in sorted((before - after) & set(new["properties"])):
            yield f"{place}/{name} is no longer required, and readers count on it"

    def _here(self, old: Schema, new: Schema, place: str) -> Iterator[str]:
        values = set(_values(old)) ^ set(_values(new))
        for value in sorted(values):
            yield f"{place} {'may now be' if value in _values(new) else 'may no longer be'} {value}"
        for keyword in _AS_THEY_STAND:
            if old.get(keyword) != new.get(keyword):
                yield f"{place} has another {keyword}"
        if not values and not _both_ways(self._alone(old, self.old_root), self._alone(new, self.new_root)):
            yield f"{place} takes other values than before"

    @staticmethod
    def _alone(part: Schema, root: Schema) -> Schema:
        return {**part, "$defs": root.get("$defs", {})}


def _values(schema: Schema) -> list[str]:
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return [json.dumps(value, ensure_ascii=False) for value in values]


def _resolve(schema: Schema, root: Schema) -> Schema:
    """The schema itself, through references and the single `allOf` that a mark is put around."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][str(schema["$ref"]).rpartition("/")[2]]
        elif len(schema.get("allOf", ())) == 1:
            schema = {**_resolve(schema["allOf"][0], root), **{n: v for n, v in schema.items() if n != "allOf"}}
        else:
            return schema
