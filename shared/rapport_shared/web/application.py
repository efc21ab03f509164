"""The HTTP application every service has: problems, limits, probes, metrics."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import orjson
from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import Clock
from rapport_shared.database import CONNECTION_LOST, is_transient
from rapport_shared.errors import (
    INTERNAL,
    MALFORMED,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    UNAUTHENTICATED,
    VALIDATION,
    FieldProblem,
    Problem,
    unavailable,
)
from rapport_shared.telemetry import Metrics, describe_error
from rapport_shared.web.answers import Responses
from rapport_shared.web.hot import HotRoutes
from rapport_shared.web.limits import KEY_ID, MAX_BODY_BYTES, PROBLEM, BodyTooLarge, RequestLimits
from rapport_shared.web.openapi import Application, Document
from rapport_shared.web.routing import PUBLIC, Authenticator

_log = logging.getLogger("rapport.web")

_EXCLUDE = "Names of checks that do not count: database, roles, kafka; at the gateway also view."
_NO_TELEMETRY = TelemetryConfig(tracing=False, metrics=False, logs=False)
"""Of FastAPI's own: it looks its providers up in the environment at each request, a tenth of the time of one."""


class Alive(BaseModel):
    """The process runs."""

    status: Literal["alive"]


class Readiness(BaseModel):
    """Whether the service can do its work, and the reasons if not."""

    status: Literal["ready", "not ready"]
    amiss: list[str]


@dataclass(frozen=True, slots=True)
class Check:
    """A readiness check by its name; `ask` answers why the service is not ready, or None."""

    name: str
    ask: Callable[[], Awaitable[str | None]]


def make_application(
    title: str,
    *,
    metrics: Metrics,
    authenticate: Authenticator,
    checks: Sequence[Check] = (),
    refresh_metrics: Callable[[], Awaitable[None]] | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    larger_bodies: Mapping[str, int] | None = None,
    description: str = "",
    complete: Callable[[Document], None] | None = None,
) -> Application:
    """An application with `/livez`, `/readyz` and `/metrics`, that answers every error as a problem document.

    `larger_bodies` are limits of paths that keep a body while it arrives. `complete` adds to its OpenAPI document
    what no route can say.
    """
    app = Application(
        title=title, version="1", description=description, docs_url=None, redoc_url=None, telemetry=_NO_TELEMETRY
    )
    app.complete = complete
    app.state.authenticate = _noting_caller(authenticate)
    app.front = RequestLimits(
        HotRoutes(app.pass_on, application=app),
        metrics=metrics,
        max_body_bytes=max_body_bytes,
        larger_bodies=larger_bodies,
    )
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(BodyTooLarge, _on_body_too_large)
    app.add_exception_handler(asyncpg.PostgresError, _on_unavailable_or_internal)
    for lost in CONNECTION_LOST:
        app.add_exception_handler(lost, _on_unavailable_or_internal)
    app.add_exception_handler(Exception, _on_exception)

    @app.get("/livez", dependencies=[PUBLIC], tags=["probes"])
    async def livez() -> Alive:
        """The process runs."""
        return Alive(status="alive")

    not_ready: Responses = {503: {"model": Readiness, "description": "The service cannot do its work."}}

    @app.get("/readyz", dependencies=[PUBLIC], tags=["probes"], response_model=Readiness, responses=not_ready)
    async def readyz(exclude: Annotated[list[str] | None, Query(description=_EXCLUDE)] = None) -> Response:
        """200 if the service can do its work, else 503 with the reasons in `amiss`."""
        asked = _checks_without(checks, exclude or ())
        amiss = [reason for check in asked if (reason := await check.ask()) is not None]
        return json_response({"status": "not ready" if amiss else "ready", "amiss": amiss}, 503 if amiss else 200)

    @app.get("/metrics", dependencies=[PUBLIC], tags=["probes"], response_class=PlainTextResponse)
    async def metrics_page() -> Response:
        """Prometheus metrics."""
        if refresh_metrics is not None:
            await refresh_metrics()
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")

    return app


def _checks_without(checks: Sequence[Check], excluded: Sequence[str]) -> list[Check]:
    names = {check.name for check in checks}
    unknown = sorted(set(excluded) - names)
    if unknown:
        raise Problem(VALIDATION, f"There are no such checks: there are {', '.join(sorted(names)) or 'none'}.")
    return [check for check in checks if check.name not in excluded]


def _noting_caller(authenticate: Authenticator) -> Authenticator:
    """Notes in the request's scope whose key it is, for the log."""

    async def noting(request: Request) -> Caller:
        caller = await authenticate(request)
        request.scope[KEY_ID] = caller.principal
        return caller

    return noting


def token_authenticator(tokens: CallerTokens, clock: Clock) -> Authenticator:
    """Finds the caller in the gateway's signed token; for the owners."""

    async def authenticate(request: Request) -> Caller:
        return tokens.read(bearer(request), clock())

    return authenticate


def bearer(request: Request) -> str:
    """The bearer credential of a request. Raises a 401 where there is none."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise Problem(
            UNAUTHENTICATED,
            "The request has no Authorization: Bearer header.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return credential.strip()


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`content` as JSON, without FastAPI's encoder in between."""
    return Response(orjson.dumps(content), status, headers, "application/json")


def problem_response(problem: Problem) -> Response:
    """A problem as its document, with its headers."""
    return Response(
        orjson.dumps(problem.document()),
        problem.problem_type.status,
        problem.headers,
        "application/problem+json",
    )


def moved_response(request: Request, customer_id: UUID, part: str = "") -> Response:
    """307 to a part of a customer, with the query of the request; not to be kept, for what moved may move back."""
    path = f"/v1/customers/{customer_id}{part}"
    location = f"{path}?{request.url.query}" if request.url.query else path
    moved = {"customer_id": str(customer_id), "location": location}
    return json_response(moved, 307, {"Location": location, "Cache-Control": "no-store"})


def _refuse(request: Request, problem: Problem) -> Response:
    """The answer to a request that is refused, noted in its scope for the log."""
    request.scope[PROBLEM] = problem.problem_type.code
    return problem_response(problem)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _refuse(request, error)


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return _refuse(request, Problem(MALFORMED, "The body is not JSON."))
    return _refuse(request, Problem(VALIDATION, "The request is not valid.", errors=field_problems(found)))


def field_problems(errors: Sequence[Any]) -> list[FieldProblem]:
    """Pydantic's errors as places: pointer, code and sentence, without the input."""
    return [
        FieldProblem(
            pointer="/" + "/".join(str(step) for step in item["loc"] if step != "body"),
            code=str(item["type"]),
            message=_sentence(item),
        )
        for item in errors[:100]
    ]


def _sentence(item: Any) -> str:
    # A literal's or enum's message lists what is expected; a validator's own may quote the input, so it is not used.
    if item["type"] in {"value_error", "assertion_error"}:
        return "The value is not allowed here."
    return str(item["msg"]) + "."


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _refuse(request, Problem(NOT_FOUND, "There is no such path."))
    if error.status_code == 405:
        headers = dict(error.headers or {})
        return _refuse(request, Problem(METHOD_NOT_ALLOWED, "The path has no such method.", headers=headers))
    return _refuse(request, Problem(MALFORMED, "The request cannot be read."))


async def _on_body_too_large(request: Request, error: Exception) -> Response:
    return _refuse(request, Problem(TOO_LARGE, "The body is larger than this path takes."))


async def _on_unavailable_or_internal(request: Request, error: Exception) -> Response:
    if is_transient(error):
        return _refuse(request, unavailable("The database"))
    return await _on_exception(request, error)


async def _on_exception(request: Request, error: Exception) -> Response:
    name, places = describe_error(error)
    _log.error("a request broke", extra={"method": request.method, "error": name, "place": places})
    return _refuse(request, Problem(INTERNAL, "An internal error occurred. It has been logged."))
