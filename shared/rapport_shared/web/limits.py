"""Limits of a request, and its time, as pure ASGI: what is refused here never reaches a route."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import orjson

from rapport_shared.errors import TOO_LARGE, Problem
from rapport_shared.telemetry import Metrics

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("rapport.web")

MAX_BODY_BYTES = 1024 * 1024
FIRST_REFUSAL, FIRST_FAILURE = 400, 500
KEY_ID = "rapport.key_id"
"""Where a request's scope says whose key it has."""
PROBLEM = "rapport.problem"
"""Where a request's scope says what it was refused with."""
_WAIT = re.compile(rb"(?:^|&)wait_ms=(\d{1,9})(?=&|$)")


# Not FastAPI's `max_body_size`: the routes of `hot` are answered before FastAPI meets a request, and have a limit, too.
class BodyTooLarge(Exception):
    """The body grew past the limit while it was read. The application answers it by a 413."""


class RequestLimits:
    """Refuses bodies over the limit (by their stated length, else while they arrive); measures and logs requests.

    Requests that wait on purpose (`wait_ms`, event streams) are counted, not timed. Each refused or failed request is
    one line of the log: the template of its route, status, problem and the id of its key, nothing of what it says.
    `larger_bodies` names paths that have a limit of their own: those that keep a body while it arrives.
    """

    def __init__(
        self,
        app: Application,
        *,
        metrics: Metrics,
        max_body_bytes: int,
        larger_bodies: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._limit = max_body_bytes
        self._larger = dict(larger_bodies or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, waits = 500, _asks_to_wait(scope)
        limit = self._larger.get(scope["path"], self._limit)

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status, waits
            if message["type"] == "http.response.start":
                status = message["status"]
                waits = waits or _is_event_stream(message)
            await send(message)

        try:
            if self._stated_length(scope) > limit:
                scope[PROBLEM] = TOO_LARGE.code
                await _refuse(sending)
            else:
                await self._app(scope, _limited(receive, limit), sending)
        finally:
            self._finish(scope, status, time.perf_counter() - started, waits=waits)

    def _finish(self, scope: Scope, status: int, seconds: float, *, waits: bool) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        labels = (scope["method"], route, str(status))
        if waits:
            self._metrics.waiting_requests.labels(*labels).inc()
        else:
            self._metrics.requests.labels(*labels).observe(seconds)
        if status >= FIRST_REFUSAL:
            _log.log(
                logging.WARNING if status >= FIRST_FAILURE else logging.INFO,
                "a request failed" if status >= FIRST_FAILURE else "a request was refused",
                extra={
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "problem": scope.get(PROBLEM),
                    "key_id": scope.get(KEY_ID),
                    "duration_ms": round(seconds * 1000),
                },
            )

    @staticmethod
    def _stated_length(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() else 0
        return 0


def _asks_to_wait(scope: Scope) -> bool:
    """Whether a request waits on purpose. How long that takes says nothing of how fast the service is."""
    return any(int(number) for number in _WAIT.findall(scope["query_string"]))


def _is_event_stream(start: Mapping[str, Any]) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


def _limited(receive: Receive, limit: int) -> Receive:
    received = 0

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal received
        message = await receive()
        received += len(message.get("body") or b"")
        if received > limit:
            raise BodyTooLarge
        return message

    return receiving


async def _refuse(send: Send) -> None:
    body = orjson.dumps(Problem(TOO_LARGE, "The body is larger than this path takes.").document())
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": TOO_LARGE.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
