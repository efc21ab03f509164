"""What the OpenAPI document of every service says besides paths and models: problems, credentials, scopes."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from rapport_shared.web.answers import Problem
from rapport_shared.web.limits import Application as AsgiApplication
from rapport_shared.web.limits import Receive, Scope, Send
from rapport_shared.web.routing import IF_MATCH, api_routes, is_public, required_scope

Document = dict[str, Any]

PLACE = "#/components/schemas/"
"""What references to schemas begin with."""
_REFUSED = {"$ref": "#/components/responses/Problem"}
_PROBLEM_ANSWER = {
    "description": "A problem.",
    "content": {"application/problem+json": {"schema": {"$ref": f"{PLACE}Problem"}}},
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
                _describe_operation(document["paths"][route.path_format][method.lower()], route, method)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _REPLACED_BY_PROBLEM:
        schemas.pop(name, None)
    schemas |= schemas_of(Problem)
    components["responses"] = {"Problem": _PROBLEM_ANSWER}
    components["parameters"] = {"IdempotencyKey": _IDEMPOTENCY_KEY}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}


def schemas_of(*models: Any) -> Document:
    """The schemas of models that are answered, and of what they name, as FastAPI writes them; by name."""
    _, generated = models_json_schema([(model, "serialization") for model in models], ref_template=PLACE + "{model}")
    return dict(without_null_defaults(generated["$defs"]))


def without_null_defaults(part: Any) -> Any:
    """As FastAPI writes schemas: the same model must look the same, wherever it comes from."""
    if isinstance(part, dict):
        return {
            name: without_null_defaults(value)
            for name, value in part.items()
            if not (name == "default" and value is None)
        }
    return [without_null_defaults(item) for item in part] if isinstance(part, list) else part


def _describe_operation(operation: Document, route: APIRoute, method: str) -> None:
    if route.summary is None and operation.get("description"):
        summary, _, rest = operation.pop("description").partition(".")
        operation["summary"] = " ".join(summary.split())
        if rest.strip():
            operation["description"] = rest.strip()
    if route.status_code in _CREATING:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
    answers = {status: answer for status, answer in operation["responses"].items() if status != "422"}
    for status in _refusals(operation, route, method):
        answers.setdefault(status, _REFUSED)
    operation["responses"] = {**dict(sorted(answers.items())), "default": _REFUSED}
    if not is_public(route):
        operation["security"] = [{"key": []}]
        scope = required_scope(route)
        if scope is not None:
            operation["x-scope"] = scope


def _refusals(operation: Document, route: APIRoute, method: str) -> Iterator[str]:
    """The statuses of problems that may answer an operation, by what its request has."""
    yield "422"
    if "requestBody" in operation:
        yield from ("400", "413")
    if "{" in route.path or method != "GET":
        yield "404"
    if not is_public(route):
        yield from ("401", "403", "503")
        if method != "GET":
            yield "409"
    if any(parameter.get("name") == IF_MATCH for parameter in operation.get("parameters", ())):
        yield "412"
