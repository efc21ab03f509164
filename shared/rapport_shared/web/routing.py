"""Routes with declared access: every route names the scope it needs, or that it is public.

None ignores a query parameter that it does not know: a misspelt filter would answer something else than was asked.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Request
from fastapi.routing import APIRoute

from rapport_shared.callers import SCOPES, Caller
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.nearest import unknown_name

Authenticator = Callable[[Request], Awaitable[Caller]]
"""Finds the caller of a request, or raises a 401 problem. Kept at `app.state.authenticate`."""


Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_ANY_QUERY = "rapport_any_query"


def any_query(endpoint: Endpoint) -> Endpoint:
    """Marks the endpoint of a route that passes the query on: whoever answers knows the parameters."""
    setattr(endpoint, _ANY_QUERY, True)
    return endpoint


def refuse_unknown_query(request: Request) -> None:
    """Raises a 422 that names each parameter of the query that the route does not have, and the nearest that it has."""
    if not request.url.query:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or getattr(route.endpoint, _ANY_QUERY, False):
        return
    known = query_parameters(route)
    places = [
        FieldProblem(f"/query/{name}", "unknown", unknown_name("parameter", name, known))
        for name in dict.fromkeys(request.query_params.keys())
        if name not in known
    ]
    if places:
        raise Problem(VALIDATION, "The request has a query parameter that the path does not know.", errors=places)


def query_parameters(route: APIRoute) -> list[str]:
    """The names of the query parameters that a route has."""
    return sorted({field.alias for dependant in _dependants(route.dependant) for field in dependant.query_params})


class RequiresScope:
    """A dependency that answers the caller, after checking one scope."""

    def __init__(self, scope: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"unknown scope {scope}")
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:
        authenticate: Authenticator = request.app.state.authenticate
        caller = await authenticate(request)
        caller.require(self.scope)
        refuse_unknown_query(request)
        return caller


class RequiresCaller:
    """A dependency that answers the caller, whatever it may do."""

    async def __call__(self, request: Request) -> Caller:
        authenticate: Authenticator = request.app.state.authenticate
        caller = await authenticate(request)
        refuse_unknown_query(request)
        return caller


class Public:
    """Marks a route that serves everybody."""

    async def __call__(self, request: Request) -> None:
        refuse_unknown_query(request)


PUBLIC = Depends(Public())
"""For `dependencies=[PUBLIC]`: the route serves everybody, on purpose."""

KnownCaller = Annotated[Caller, Depends(RequiresCaller())]
"""For a route that any known caller may use."""


def scoped(scope: str) -> Any:
    """For `caller: Annotated[Caller, scoped("customers:read")]`, or `dependencies=[scoped(…)]`."""
    return Depends(RequiresScope(scope))


def documented_header(name: str, description: str) -> Any:
    """For `dependencies=[…]` of a route that reads a header of the request itself: the document says so."""

    async def read(value: Annotated[str | None, Header(alias=name, description=description)] = None) -> None:
        """Documents."""

    return Depends(read)


IF_MATCH = "If-Match"
GUARDED = documented_header(IF_MATCH, "The `ETag` that was read: the command is refused if the record changed since.")
"""For `dependencies=[GUARDED]`: the route looks at `If-Match`."""
REVALIDATED = documented_header("If-None-Match", "The `ETag` that was read: 304 if nothing changed since.")
"""For `dependencies=[REVALIDATED]`: the route looks at `If-None-Match`."""


def undeclared_routes(router: APIRouter) -> list[str]:
    """Routes that declare neither a scope, nor a known caller, nor that they are public."""
    found = []
    for route in api_routes(router):
        calls = _dependency_calls(route.dependant)
        if not any(isinstance(call, RequiresScope | RequiresCaller | Public) for call in calls):
            found.append(f"{'|'.join(sorted(route.methods or ()))} {route.path}")
    return found


def required_scope(route: APIRoute) -> str | None:
    """The scope that a caller of `route` needs; None where any caller will do."""
    calls = _dependency_calls(route.dependant)
    return next((call.scope for call in calls if isinstance(call, RequiresScope)), None)


def is_public(route: APIRoute) -> bool:
    """Whether `route` serves everybody."""
    return any(isinstance(call, Public) for call in _dependency_calls(route.dependant))


def api_routes(router: APIRouter) -> Iterator[APIRoute]:
    """The routes of `router` and of those it includes."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if isinstance(route, APIRoute):
            yield route
        elif included is not None:
            yield from api_routes(included)


def _dependency_calls(dependant: Any) -> list[Any]:
    return [inner.call for inner in _dependants(dependant) if inner is not dependant]


def _dependants(dependant: Any) -> Iterator[Any]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _dependants(inner)
