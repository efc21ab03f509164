"""The routes that the owners serve, passed on as they came, within the limits of callers of a unit."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Request, Response

from rapport_gateway.access.audience import VALUES, readable_json
from rapport_gateway.owners.client import Owners
from rapport_gateway.owners.limits import Limits
from rapport_gateway.owners.names import with_names
from rapport_gateway.owners.routes import ROUTES, Passed
from rapport_shared.callers import Caller
from rapport_shared.web.routing import any_query, scoped


def router(owners: Owners, limits: Limits) -> APIRouter:
    """All routes that are passed on, within the limits of callers of a unit."""
    routes = APIRouter()
    for passed in ROUTES:
        routes.add_api_route(
            passed.path,
            _endpoint(owners, limits, passed),
            methods=[passed.method],
            summary=passed.summary.rstrip("."),
            tags=[f"{passed.owner} commands" if passed.method != "GET" else f"{passed.owner} reads"],
            operation_id=re.sub(r"\W+", "_", f"{passed.method.lower()}{passed.path.replace(':path', '')}").rstrip("_"),
        )
    return routes


def _endpoint(owners: Owners, limits: Limits, passed: Passed) -> Callable[..., Awaitable[Response]]:
    @any_query
    async def endpoint(request: Request, caller: Annotated[Caller, scoped(passed.scope)]) -> Response:
        limited = caller.customer_id is not None or (bool(caller.unit) and passed.reach != "any")
        if limited:
            await limits.admit(passed.reach, request, caller)
        answer = await owners.pass_on(passed.owner, request, caller)
        if passed.owner == "ticket":
            answer = _readable(answer, caller)
        if limited:
            answer = await limits.narrow(passed.reach, answer, caller)
        return await with_names(limits.visibility, answer, caller) if passed.named else answer

    return endpoint


def _readable(answer: Response, caller: Caller) -> Response:
    """An answer about tickets, without what the caller may not read."""
    if caller.may(VALUES) or not answer.body or answer.headers.get("content-type") != "application/json":
        return answer
    body = orjson.dumps(readable_json(caller, orjson.loads(answer.body)))
    kept = {name: text for name, text in answer.headers.items() if name != "content-length"}
    return Response(body, answer.status_code, kept)
