"""Commands over HTTP: one transaction, repeatable by Idempotency-Key, guarded by If-Match."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request
from fastapi.responses import Response

from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.errors import (
    IN_FLIGHT,
    KEY_REUSED,
    PRECONDITION_FAILED,
    VALIDATION,
    FieldProblem,
    Problem,
)
from rapport_shared.messaging.outbox import OutboxSignal

KEPT = timedelta(days=7)
_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers. `events` are named in `Rapport-Event-Id`, which `after` accepts."""

    status: int
    body: dict[str, Any] | None = None
    events: tuple[UUID, ...] = ()
    etag: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """The headers of the response."""
        headers = dict(self.headers)
        if self.events:
            headers["Rapport-Event-Id"] = ",".join(str(event) for event in self.events)
        if self.etag is not None:
            headers["ETag"] = self.etag
        return headers


Work = Callable[[Connection], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class CommandRunner:
    """Carries out commands: the transaction, the idempotency of it, the wake-up of the relay."""

    database: Database
    signal: OutboxSignal
    clock: Clock

    async def run(
        self, request: Request, caller: Caller, work: Work, *, replayed_without: tuple[str, ...] = ()
    ) -> Response:
        """Runs `work` in one transaction and returns its answer.

        With an `Idempotency-Key` the answer is kept for seven days in that transaction: a repeat gets it again
        (with `Idempotency-Replayed: true`), the same key with another request a 422, one still running a 409.
        `replayed_without` names members of the answer that are not kept: secrets that are shown once.
        Raises `Problem`; nothing is written then. `work` may be run again after a deadlock.
        """
        key = idempotency_key(request)
        digest = await request_digest(request) if key is not None else ""

        async def once(connection: Connection) -> Response:
            if key is None:
                return _response(await work(connection))
            known = await _known_answer(connection, caller.principal, key, digest)
            if known is not None:
                return known
            answer = await work(connection)
            kept = replace(answer, body={n: v for n, v in (answer.body or {}).items() if n not in replayed_without})
            await _keep(connection, caller.principal, key, digest, kept, self.clock())
            return _response(answer)

        response = await self.database.in_transaction(once)
        self.signal.notify()
        return response


def idempotency_key(request: Request) -> str | None:
    """The request's `Idempotency-Key`, or None. Raises a 422 for one that is empty or over 255 characters."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (0 < len(key) <= _KEY_LENGTH):
        place = FieldProblem("/headers/idempotency-key", "length", "It must have 1 to 255 characters.")
        raise Problem(VALIDATION, "The Idempotency-Key is not valid.", errors=[place])
    return key


async def request_digest(request: Request) -> str:
    """What makes two requests the same: method, path and body."""
    digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    digest.update(await request.body())
    return digest.hexdigest()


def check_precondition(request: Request, revision: int) -> None:
    """Raises a 412 when the request has an `If-Match` that does not name the entity tag of `revision`."""
    wanted, etag = request.headers.get("if-match"), revision_etag(revision)
    if wanted is None or wanted.strip() == "*":
        return
    if etag not in {tag.strip() for tag in wanted.split(",")}:
        raise Problem(PRECONDITION_FAILED, "The record has changed since it was read.", headers={"ETag": etag})


def revision_etag(revision: int) -> str:
    """The strong entity tag of an owner's revision."""
    return f'"{revision}"'


async def _known_answer(connection: Connection, principal: str, key: str, digest: str) -> Response | None:
    if not await connection.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 1))", f"{principal}\x1f{key}"
    ):
        raise Problem(
            IN_FLIGHT,
            "A request with this Idempotency-Key is being carried out.",
            headers={"Retry-After": "1"},
        )
    row = await connection.fetchrow(
        "SELECT digest, status, headers, body FROM idempotent_answer WHERE principal = $1 AND key = $2",
        principal,
        key,
    )
    if row is None:
        return None
    if row["digest"] != digest:
        raise Problem(KEY_REUSED, "This Idempotency-Key was used for another request.")
    headers = {**json.loads(row["headers"]), "Idempotency-Replayed": "true"}
    return Response(row["body"], row["status"], headers, "application/json" if row["body"] else None)


async def _keep(connection: Connection, principal: str, key: str, digest: str, answer: Answer, now: datetime) -> None:
    await connection.execute(
        "INSERT INTO idempotent_answer (principal, key, digest, status, headers, body, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        principal,
        key,
        digest,
        answer.status,
        json.dumps(answer.all_headers()),
        _body(answer),
        now,
    )


def _body(answer: Answer) -> bytes:
    return b"" if answer.body is None else orjson.dumps(answer.body)


def _response(answer: Answer) -> Response:
    body = _body(answer)
    return Response(body, answer.status, answer.all_headers(), "application/json" if body else None)
