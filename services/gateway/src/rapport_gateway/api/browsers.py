"""Pages of other origins that call the API: which may, and what their scripts may send and see."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware

from rapport_shared.web.openapi import Application

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SENT: Final = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
    *("Last-Event-ID", "traceparent"),
)
_SEEN: Final = ("ETag", "Location", "Retry-After", "Rapport-Event-Id", "Idempotency-Replayed", "WWW-Authenticate")
_REMEMBERED_SECONDS: Final = 600


def admit_browsers(application: Application, origins: Sequence[str]) -> None:
    """Answers preflights, and lets pages of `origins` read answers. Cookies play no part: a page sends a token."""
    if not origins:
        return
    assert application.front is not None
    application.front = CORSMiddleware(
        application.front,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_SENT,
        expose_headers=_SEEN,
        max_age=_REMEMBERED_SECONDS,
    )
