"""Limits of a request, and its time, as pure ASGI: what is refused here never reaches a route."""

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

MAX_BODY_BYTES = 1024 * 1024


class BodyTooLarge(Exception):
    """The body grew past the limit while it was read. The application answers it by a 413."""


class RequestLimits:
    """Refuses bodies over the limit (by their stated length, else while they arrive) and measures each request.

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
        status = 500
        limit = self._larger.get(scope["path"], self._limit)

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if self._stated_length(scope) > limit:
                await _refuse(sending)
            else:
                await self._app(scope, _limited(receive, limit), sending)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            elapsed = time.perf_counter() - started
            self._metrics.requests.labels(scope["method"], route, str(status)).observe(elapsed)

    @staticmethod
    def _stated_length(scope: Scope) -> int:
        for name, value in scope["headers"]:
            if name == b"content-length":
                return int(value) if value.isdigit() else 0
        return 0


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
