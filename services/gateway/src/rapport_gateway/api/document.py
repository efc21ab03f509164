"""What the gateway's OpenAPI document says beyond its own routes: touchpoints of every kind, and the owners' commands.

The gateway passes commands on and imports no owner, so their bodies and answers come from the owners' own documents:
`make contracts` keeps the part that concerns the gateway in `owners/operations.json`.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from rapport_gateway.owners.routes import ROUTES
from rapport_shared.contracts.touchpoints import MAX_BATCH, touchpoint_adapter

Document = dict[str, Any]

TOUCHPOINT: Final = {"$ref": "#/components/schemas/Touchpoint"}
REPORT: Final = {"oneOf": [TOUCHPOINT, {"$ref": "#/components/schemas/TouchpointBatch"}]}
"""The body of a report: the schemas that it names are added to the document by `complete`."""

_BATCH = {
    "type": "object",
    "properties": {"touchpoints": {"type": "array", "items": TOUCHPOINT, "minItems": 1, "maxItems": MAX_BATCH}},
    "required": ["touchpoints"],
}
_PLACE = "#/components/schemas/"


def complete(document: Document, operations: Document | None = None) -> None:
    """Adds to the gateway's document; `operations` are what the owners say, as `owner_operations` makes it."""
    owners = operations if operations is not None else _kept_operations()
    for passed in ROUTES:
        path = passed.path.replace(":path}", "}")
        described = document["paths"][path][passed.method.lower()]
        for part in ("parameters", "requestBody", "responses"):
            if part in owners["operations"][f"{passed.method} {path}"]:
                described[part] = owners["operations"][f"{passed.method} {path}"][part]
    schemas = document["components"]["schemas"]
    add_schemas(schemas, owners["schemas"])
    union = _without_null_defaults(touchpoint_adapter().json_schema(ref_template=_PLACE + "{model}"))
    add_schemas(schemas, union.pop("$defs"))
    add_schemas(schemas, {"Touchpoint": union, "TouchpointBatch": _BATCH})
    document["components"]["schemas"] = dict(sorted(schemas.items()))


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
    return {"operations": operations, "schemas": dict(sorted(schemas.items()))}


def add_schemas(schemas: Document, more: Document) -> None:
    """Adds `more` to `schemas`. Raises `ValueError` for a name that stands for something else there."""
    for name, schema in more.items():
        if schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are named {name}")


def _named_in(part: Any, schemas: Document) -> list[str]:
    found: list[str] = []
    waiting = [part]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            name = str(inner.get("$ref", "")).removeprefix(_PLACE)
            if name in schemas and name not in found:
                found.append(name)
                waiting.append(schemas[name])
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
    return found


def _without_null_defaults(part: Any) -> Any:
    """As FastAPI writes schemas: the same model must look the same, wherever it comes from."""
    if isinstance(part, dict):
        return {
            name: _without_null_defaults(value)
            for name, value in part.items()
            if not (name == "default" and value is None)
        }
    return [_without_null_defaults(item) for item in part] if isinstance(part, list) else part


def _kept_operations() -> Document:
    kept: Document = json.loads((files("rapport_gateway.owners") / "operations.json").read_text(encoding="utf-8"))
    return kept
