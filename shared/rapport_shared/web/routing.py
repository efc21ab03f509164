"""Routes that say whom they serve: every route names the scope it needs, or that it is public."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from rapport_shared.callers import SCOPES, Caller

Authenticator = Callable[[Request], Awaitable[Caller]]
"""Finds the caller of a request, or raises a 401 problem. Kept at `app.state.authenticate`."""


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
        return caller


class RequiresCaller:
    """A dependency that answers the caller, whatever it may do."""

    async def __call__(self, request: Request) -> Caller:
        authenticate: Authenticator = request.app.state.authenticate
        return await authenticate(request)


class Public:
    """Marks a route that serves everybody."""

    async def __call__(self) -> None:
        return


PUBLIC = Depends(Public())
"""For `dependencies=[PUBLIC]`: the route serves everybody, on purpose."""

KnownCaller = Annotated[Caller, Depends(RequiresCaller())]
"""For a route that any known caller may use."""


def scoped(scope: str) -> Any:
    """For `caller: Annotated[Caller, scoped("customers:read")]`, or `dependencies=[scoped(…)]`."""
    return Depends(RequiresScope(scope))


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
    calls = []
    for inner in dependant.dependencies:
        calls.append(inner.call)
        calls.extend(_dependency_calls(inner))
    return calls
