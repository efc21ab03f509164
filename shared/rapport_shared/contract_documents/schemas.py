"""The JSON Schema of every type: what a reader may count on, open to fields that come later."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from rapport_shared.contract_documents.files import json_text
from rapport_shared.contracts.catalogue import EVENT_TYPES, STATE_MODELS
from rapport_shared.contracts.touchpoints import MODEL_OF
from rapport_shared.contracts.touchpoints.feedback import Custom

Schema = dict[str, Any]

FOLDER: Final = "shared/contracts/schemas"
CUSTOM: Final = "custom"
"""Stands for the kinds `custom.<name>` that a deployment registers."""

MODELS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType(
    {f"events/{event_type.wire}": event_type.model for event_type in EVENT_TYPES}
    | {f"states/{topic}": model for topic, model in STATE_MODELS.items()}
    | {f"touchpoints/{kind}": model for kind, model in MODEL_OF.items()}
    | {f"touchpoints/{CUSTOM}": Custom}
)
"""By the name of the schema's file: events by `ce_type`, states by topic, touchpoints by kind."""


class _Untitled(GenerateJsonSchema):
    """Without a title for each field, which says its name once more."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


_ERASED: Final[Schema] = {
    "description": "What is left of a personal value after its erasure.",
    "type": "object",
    "properties": {"erased": {"const": True}},
    "required": ["erased"],
}

_ORDER = ("$schema", "title", "description", "type", "properties", "required", "$defs")


@cache
def schema_of(name: str) -> Schema:
    """The schema of one type. `x-personal` marks personal fields, erased or not; do not change what you get."""
    generated = MODELS[name].model_json_schema(schema_generator=_Untitled)
    if not name.startswith("touchpoints/"):
        generated = _with_erasure(generated)
    schema = generated | {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name.partition("/")[2]}
    return {keyword: schema[keyword] for keyword in sorted(schema, key=_ORDER.index)}


def _with_erasure(schema: Schema) -> Schema:
    """The schema of what Rapport publishes: a personal value may be replaced by `{"erased": true}`."""
    erasable = _erasable(schema)
    if erasable != schema:
        erasable["$defs"] = {**erasable.get("$defs", {}), "Erased": _ERASED}
    return cast(Schema, erasable)


def _erasable(part: Any) -> Any:
    if isinstance(part, list):
        return [_erasable(item) for item in part]
    if not isinstance(part, dict):
        return part
    if not part.get("x-personal"):
        return {keyword: _erasable(value) for keyword, value in part.items()}
    kept = {keyword: part[keyword] for keyword in ("description", "default") if keyword in part}
    plain = {keyword: value for keyword, value in part.items() if keyword not in (*kept, "x-personal")}
    return {"anyOf": [plain, {"$ref": "#/$defs/Erased"}], "x-personal": True, **kept}


def path_of(name: str) -> str:
    """Where the schema of a type is, in the repository."""
    return f"{FOLDER}/{name}.json"


def text_of(name: str) -> str:
    """The schema's file."""
    return json_text(schema_of(name))


def texts() -> dict[str, str]:
    """All schemas, by path."""
    return {path_of(name): text_of(name) for name in MODELS}
