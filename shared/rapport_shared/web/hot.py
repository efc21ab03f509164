"""Routes that are asked many times a second. FastAPI documents them, and answers every request that is not plain.

FastAPI's way from a request to an endpoint (routing, dependencies, validation of parameters) costs several times what
the endpoints of these routes do. A plain request names the path's parameters alone: no query, an id in its usual form.
It is answered in front of FastAPI by the same endpoint, with the defaults of its other parameters.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from rapport_shared.callers import Caller
from rapport_shared.errors import MALFORMED, Problem
from rapport_shared.web.limits import Application, Receive, Scope, Send
from rapport_shared.web.routing import Authenticator, api_routes, required_scope

Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])

_HOT = "rapport_hot"
_ID_LENGTH = 36


class NotPlain(TypeError):
    """An endpoint that is marked as hot has a parameter that a plain request cannot give."""


def hot(endpoint: Endpoint) -> Endpoint:
    """Marks the endpoint of a route as hot.

    Its parameters are a `Request`, a `Caller` by a scope, the UUID at the end of its path and a pydantic model of its
    body, each if it needs one. All further ones have defaults.
    """
    setattr(endpoint, _HOT, True)
    return endpoint


@dataclass(frozen=True, slots=True)
class HotRoute:
    """A route as a plain request finds it: the names of the endpoint's parameters, and the scope of the caller."""

    route: APIRoute
    scope: str
    request: str | None
    caller: str | None
    id: str | None
    body: tuple[str, type[BaseModel]] | None

    async def answer(self, request: Request, authenticate: Authenticator, id_: UUID | None) -> Response:
        """What the endpoint answers. Raises what it raises, and what is wrong with caller or body."""
        caller = await authenticate(request)
        caller.require(self.scope)
        arguments: dict[str, Any] = {}
        if self.request is not None:
            arguments[self.request] = request
        if self.caller is not None:
            arguments[self.caller] = caller
        if self.id is not None:
            arguments[self.id] = id_
        if self.body is not None:
            name, model = self.body
            arguments[name] = _read(model, await request.body())
        response: Response = await self.route.endpoint(**arguments)
        return response


class HotRoutes:
    """Answers plain requests of hot routes, and passes all others on.

    The routes are looked for at the first request, when all are known. `application` is the one that declares them.
    """

    def __init__(self, app: Application, *, application: FastAPI) -> None:
        self._app = app
        self._application = application
        self._table: Mapping[tuple[str, str], HotRoute] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._table is None:
            self._table = hot_routes(api_routes(self._application.router))
        found = self._find(scope) if scope["type"] == "http" and not scope["query_string"] else None
        if found is None:
            await self._app(scope, receive, send)
            return
        route, id_ = found
        scope["route"], scope["app"] = route.route, self._application
        request = Request(scope, receive)
        try:
            response = await route.answer(request, self._application.state.authenticate, id_)
        except Exception as error:
            response = await self._render(request, error)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[HotRoute, UUID | None] | None:
        assert self._table is not None
        method, path = scope["method"], scope["path"]
        route = self._table.get((method, path))
        if route is not None:
            return route, None
        parent, _, name = path.rpartition("/")
        route = self._table.get((method, f"{parent}/{{}}"))
        if route is None or len(name) != _ID_LENGTH:
            return None
        try:
            return route, UUID(name)
        except ValueError:
            return None

    async def _render(self, request: Request, error: Exception) -> Response:
        handlers: Mapping[Any, Any] = self._application.exception_handlers
        handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
        response: Response = await handler(request, error)
        return response


def hot_routes(routes: Iterable[APIRoute]) -> dict[tuple[str, str], HotRoute]:
    """The hot ones of `routes`, by method and path; `{}` is the placeholder of an id. Raises `NotPlain`."""
    return {
        (method, _pattern(route.path)): _hot_route(route)
        for route in routes
        if getattr(route.endpoint, _HOT, False)
        for method in route.methods or ()
    }


def _pattern(path: str) -> str:
    parent, _, name = path.rpartition("/")
    return f"{parent}/{{}}" if name.startswith("{") else path


def _hot_route(route: APIRoute) -> HotRoute:
    given: dict[str, str] = {}
    body: tuple[str, type[BaseModel]] | None = None
    hints = get_type_hints(route.endpoint)
    for name, parameter in signature(route.endpoint).parameters.items():
        kind = hints[name]
        if parameter.default is not Parameter.empty:
            continue
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            body = name, kind
        elif kind in _GIVEN:
            given[_GIVEN[kind]] = name
        else:
            raise NotPlain(f"{route.path}: {name}")
    scope = required_scope(route)
    if scope is None:
        raise NotPlain(f"{route.path} has no scope")
    return HotRoute(route, scope, given.get("request"), given.get("caller"), given.get("id"), body)


_GIVEN: Mapping[Any, str] = {Request: "request", Caller: "caller", UUID: "id"}


def _read(model: type[BaseModel], body: bytes) -> BaseModel:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Problem(MALFORMED, "The body is not JSON.") from None
    try:
        return model.model_validate(document, from_attributes=True)  # so FastAPI does
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
