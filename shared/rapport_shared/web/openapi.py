"""What the OpenAPI document of every service says besides paths and models: problems, credentials, scopes."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from rapport_shared.web.limits import Application as AsgiApplication
from rapport_shared.web.limits import Receive, Scope, Send
from rapport_shared.web.routing import api_routes, is_public, required_scope

Document = dict[str, Any]

_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `type` names a page that explains the problem; `errors` says where the request is wrong.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON pointer into the request."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["pointer", "code", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_PROBLEM_ANSWER = {
    "description": "A problem.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes a repeat harmless: for seven days the same key gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_CREATING = (201, 202)
_REPLACED_BY_PROBLEM = ("HTTPValidationError", "ValidationError")


class Application(FastAPI):
    """An application whose document is completed once, when it is first asked for; `complete` may add to it.

    `front` is what meets a request before all of FastAPI's middleware.
    """

    complete: Callable[[Document], None] | None = None
    front: AsgiApplication | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request: by `front`, if there is one, which passes on to FastAPI what it does not answer."""
        await (self.front or self.pass_on)(scope, receive, send)

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request by FastAPI."""
        await super().__call__(scope, receive, send)

    def openapi(self) -> Document:
        """The document; do not change it."""
        if self.openapi_schema is None:
            document = super().openapi()
            describe(document, self)
            if self.complete is not None:
                self.complete(document)
        return self.openapi_schema or {}


def describe(document: Document, application: FastAPI) -> None:
    """Adds to `document` what the routes of `application` have in common."""
    for route in api_routes(application.router):
        if route.include_in_schema:
            for method in route.methods or ():
                _describe_operation(document["paths"][route.path_format][method.lower()], route)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _REPLACED_BY_PROBLEM:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    components["responses"] = {"Problem": _PROBLEM_ANSWER}
    components["parameters"] = {"IdempotencyKey": _IDEMPOTENCY_KEY}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}


def _describe_operation(operation: Document, route: APIRoute) -> None:
    if route.summary is None and operation.get("description"):
        summary, _, rest = operation.pop("description").partition(".")
        operation["summary"] = " ".join(summary.split())
        if rest.strip():
            operation["description"] = rest.strip()
    if route.status_code in _CREATING:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    if not is_public(route):
        operation["security"] = [{"key": []}]
        scope = required_scope(route)
        if scope is not None:
            operation["x-scope"] = scope
