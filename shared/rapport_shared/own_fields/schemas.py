"""JSON Schemas (2020-12) of own touchpoint kinds, bounded so that no schema can make a check slow.

Patterns run on an engine whose time is linear in the text (it has no look-around and no back-references); nothing is
fetched; references stay inside the schema and make no cycle, and all that a schema comes to, with its references
followed, is counted. A check then costs at most that count for each value of the data.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import jsonschema_rs
import orjson

from rapport_shared.contracts.touchpoints.errors import FieldError, fault

MAX_SCHEMA_BYTES: Final = 32 * 1024
MAX_SCHEMA_DEPTH: Final = 24
MAX_SUBSCHEMAS: Final = 2_000
MAX_ERRORS: Final = 20
PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_REFUSED: Final = (
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$vocabulary",
)
_ONE: Final = (
    *("additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else"),
    *("unevaluatedProperties", "unevaluatedItems", "contentSchema"),
)
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas")
_CODES: Final = {
    "required": "missing",
    "dependentRequired": "missing",
    "type": "wrong_type",
    "pattern": "wrong_format",
    "format": "wrong_format",
    "uniqueItems": "duplicate",
    "additionalProperties": "unknown_field",
    "unevaluatedProperties": "unknown_field",
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties"), "too_large"),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), "too_short"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "out_of_range"),
}


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises `ValueError` for a schema that is none, or that goes beyond the bounds."""
    if len(orjson.dumps(schema)) > MAX_SCHEMA_BYTES:
        raise ValueError("a schema may have 32 KiB")
    if schema.get("$schema", DIALECT) != DIALECT:
        raise ValueError(f"the dialect is {DIALECT}")
    if schema.get("type") != "object":
        raise ValueError("the schema describes the data of a touchpoint: its type is object")
    _Counter(schema).count(schema, 0, ())
    try:
        compiled(schema)
    except jsonschema_rs.ValidationError as error:
        place = "/".join(str(step) for step in error.instance_path)
        raise ValueError(f"it is no JSON Schema of 2020-12, at /{place}") from None


def compiled(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """The schema as it is checked with. Fetches nothing. Raises `jsonschema_rs.ValidationError` for none."""
    return jsonschema_rs.Draft202012Validator(
        dict(schema), validate_formats=True, pattern_options=PATTERNS, offline=True
    )


def data_faults(validator: jsonschema_rs.Draft202012Validator, data: Mapping[str, Any]) -> Iterator[FieldError]:
    """What is wrong with the `data` of a touchpoint."""
    if validator.is_valid(data):
        return
    for error in islice(validator.iter_errors(data), MAX_ERRORS):
        keyword = error.kind.name
        missing = (error.kind.property,) if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required) else ()
        code = _CODES.get(keyword, "not_allowed")
        because = "" if code != "unknown_field" else "has a field that the kind's schema does not know"
        yield fault(code, "data", *error.instance_path, *missing, because=because)


def check_personal(schema: Mapping[str, Any], pointers: Sequence[str]) -> None:
    """Raises `ValueError` for a pointer that leads to no property of the schema."""
    for pointer in pointers:
        place: Any = schema
        for step in pointer.split("/")[1:]:
            place = _followed(schema, place)
            properties = place.get("properties") if isinstance(place, dict) else None
            place = properties.get(_unescaped(step)) if isinstance(properties, dict) else None
            if place is None:
                raise ValueError("a personal field is a JSON pointer to a property of the schema")


class _Counter:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root, self.subschemas = root, 0

    def count(self, schema: Any, depth: int, references: tuple[str, ...]) -> None:
        """Counts a schema with all that it comes to."""
        self.subschemas += 1
        if self.subschemas > MAX_SUBSCHEMAS:
            raise ValueError(f"with its references followed a schema may have {MAX_SUBSCHEMAS} parts")
        if depth > MAX_SCHEMA_DEPTH:
            raise ValueError(f"a schema may be {MAX_SCHEMA_DEPTH} deep")
        if not isinstance(schema, Mapping):
            return
        if any(name in schema for name in _REFUSED):
            raise ValueError(f"{', '.join(_REFUSED)} are not taken")
        for part in _parts(schema):
            self.count(part, depth + 1, references)
        if (reference := schema.get("$ref")) is not None:
            if reference in references:
                raise ValueError("references of a schema may not lead back to themselves")
            self.count(_target(self.root, reference), depth + 1, (*references, reference))


def _parts(schema: Mapping[str, Any]) -> Iterator[Any]:
    yield from (schema[name] for name in _ONE if name in schema)
    for name in _LISTS:
        yield from schema[name] if isinstance(schema.get(name), list) else ()
    for name in _MAPS:
        yield from schema[name].values() if isinstance(schema.get(name), dict) else ()


def _followed(root: Mapping[str, Any], schema: Any) -> Any:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = _target(root, schema["$ref"])
    return schema


def _target(root: Mapping[str, Any], reference: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
        raise ValueError("a reference stays inside the schema: it begins with #/$defs/")
    place: Any = root
    for step in reference[2:].split("/"):
        place = place.get(_unescaped(step)) if isinstance(place, Mapping) else None
    if place is None:
        raise ValueError("a reference leads nowhere")
    return place


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
