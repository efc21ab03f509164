"""What the gateway's OpenAPI document says beyond its own routes: touchpoints of every kind, and the owners' commands.

The gateway passes commands on and imports no owner, so their bodies and answers come from the owners' own documents:
`make contracts` keeps the part that concerns the gateway in `owners/operations.json`.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from pydantic import TypeAdapter

from rapport_gateway.live.schemas import CustomerEvent, DeltaEvent, EndedEvent, MovedEvent, SnapshotEvent
from rapport_gateway.owners.names import NAME
from rapport_gateway.owners.routes import ROUTES, Owner
from rapport_gateway.view.timeline_schemas import DecisionList, FieldExplanation
from rapport_shared.contracts.touchpoints import MAX_BATCH, touchpoint_adapter
from rapport_shared.web.openapi import PLACE, Document, schemas_of, without_null_defaults

EXPLANATION_OF_VALUES: Final = "Explanation"
"""What scoring says of why a value is what it is; the gateway adds decisions."""
BORROWED: Final[Mapping[Owner, tuple[str, ...]]] = {"scoring": (EXPLANATION_OF_VALUES,)}
"""Schemas of owners that answers of the gateway's own are made of."""

TOUCHPOINT: Final = {"$ref": "#/components/schemas/Touchpoint"}
REPORT: Final = {"oneOf": [TOUCHPOINT, {"$ref": "#/components/schemas/TouchpointBatch"}]}
"""The body of a report: the schemas that it names are added to the document by `complete`."""

EVENT_STREAM: Final = {
    "type": "string",
    "contentMediaType": "text/event-stream",
    "contentSchema": {"$ref": PLACE + "CustomerEvent"},
}
"""A stream as its text; the schema of its events is added by `complete`."""
EXPLANATION: Final = {
    "anyOf": [{"$ref": PLACE + "FieldExplanation"}, {"$ref": PLACE + "ValueExplanation"}],
}
"""Why a field is what it is: one of the identity, or one that scoring states. `complete` adds the schemas."""
_VALUE_EXPLANATION = {
    "description": "Why a value, or a segment, is what it is, and what was decided about it lately.",
    "allOf": [{"$ref": PLACE + EXPLANATION_OF_VALUES}, {"$ref": PLACE + "DecisionList"}],
}
_NAME = {
    "anyOf": [{"type": "string"}, {"type": "null"}],
    "description": "What the customer is called. Null where nobody said it, or the key lacks `customers:read`; "
    "missing in answers to commands.",
}
_BATCH = {
    "type": "object",
    "properties": {"touchpoints": {"type": "array", "items": TOUCHPOINT, "minItems": 1, "maxItems": MAX_BATCH}},
    "required": ["touchpoints"],
}


def complete(document: Document, operations: Document | None = None) -> None:
    """Adds to the gateway's document; `operations` are what the owners say, as `owner_operations` makes it."""
    owners = operations if operations is not None else _kept_operations()
    for passed in ROUTES:
        path = passed.path.replace(":path}", "}")
        described = document["paths"][path][passed.method.lower()]
        stated = owners["operations"][f"{passed.method} {path}"]
        refusals = {status: answer for status, answer in described["responses"].items() if "$ref" in answer}
        described |= stated | {"responses": dict(sorted((refusals | stated["responses"]).items()))}
    schemas = document["components"]["schemas"]
    add_schemas(schemas, owners["schemas"])
    union = without_null_defaults(touchpoint_adapter().json_schema(ref_template=PLACE + "{model}"))
    add_schemas(schemas, union.pop("$defs"))
    add_schemas(schemas, {"Touchpoint": union, "TouchpointBatch": _BATCH})
    add_schemas(schemas, schemas_of(SnapshotEvent, DeltaEvent, MovedEvent, EndedEvent, DecisionList, FieldExplanation))
    event = TypeAdapter(CustomerEvent).json_schema(ref_template=PLACE + "{model}", mode="serialization")
    event.pop("$defs")
    add_schemas(schemas, {"CustomerEvent": event, "ValueExplanation": _VALUE_EXPLANATION})
    for name in sorted({passed.named for passed in ROUTES if passed.named}):
        schemas[name] = schemas[name] | {"properties": schemas[name]["properties"] | {NAME: _NAME}}
    for name in _touchpoint_schemas(union):
        schemas[name] = _with_optional_id(schemas[name])
    document["components"]["schemas"] = dict(sorted(schemas.items()))


def _touchpoint_schemas(union: Document) -> list[str]:
    built_in, own = union["oneOf"]
    return [branch["$ref"].removeprefix(PLACE) for branch in (*built_in["oneOf"], own)]


def _with_optional_id(schema: Document) -> Document:
    """A touchpoint as a request may have it: under an `Idempotency-Key` without an `id`."""
    id_ = schema["properties"]["id"] | {"description": "Required, unless the request has an `Idempotency-Key`."}
    required = [name for name in schema["required"] if name != "id"]
    return schema | {"properties": schema["properties"] | {"id": id_}, "required": required}


def owner_operations(documents: Mapping[str, Document]) -> Document:
    """What the owners' documents say of the routes that are passed on. Raises `KeyError` for one that they lack."""
    operations: Document = {}
    schemas: Document = {}
    for passed in ROUTES:
        path = passed.path.replace(":path}", "}")
        document = documents[passed.owner]
        operation = document["paths"][path][passed.method.lower()]
        operations[f"{passed.method} {path}"] = {
            part: operation[part] for part in ("parameters", "requestBody", "responses") if part in operation
        }
        needed = _named_in(operation, document["components"]["schemas"])
        add_schemas(schemas, {name: document["components"]["schemas"][name] for name in needed})
    for owner, names in BORROWED.items():
        stated = documents[owner]["components"]["schemas"]
        needed = [*names, *_named_in([stated[name] for name in names], stated)]
        add_schemas(schemas, {name: stated[name] for name in needed})
    return {"operations": operations, "schemas": dict(sorted(schemas.items()))}


def add_schemas(schemas: Document, more: Document) -> None:
    """Adds `more` to `schemas`. Raises `ValueError` for a name that has another schema there."""
    for name, schema in more.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are named {name}")


def _named_in(part: Any, schemas: Document) -> list[str]:
    found: list[str] = []
    waiting = [part]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            name = str(inner.get("$ref", "")).removeprefix(PLACE)
            if name in schemas and name not in found:
                found.append(name)
                waiting.append(schemas[name])
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
    return found


def _kept_operations() -> Document:
    kept: Document = json.loads((files("rapport_gateway.owners") / "operations.json").read_text(encoding="utf-8"))
    return kept
