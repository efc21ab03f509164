"""Who calls: the key or token of a request is looked up by its hash, and remembered for a moment."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache
from fastapi import Request

from rapport_gateway.access.store.holders import digest_of, find_holder
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.database import Database, Row
from rapport_shared.errors import UNAUTHENTICATED, Problem
from rapport_shared.web.application import bearer

REMEMBERED: Final = timedelta(seconds=2)
"""A revoked key or token works for at most this time. Streams end within twice this time."""
_MEMORY: Final = 2048


@dataclass(slots=True)
class Credentials:
    """Finds the caller of a request. Demo keys count where they are allowed."""

    database: Database
    clock: Clock
    demo_keys_allowed: bool
    _known: LRUCache[bytes, tuple[datetime, Caller]] = field(default_factory=lambda: LRUCache(_MEMORY))

    async def authenticate(self, request: Request) -> Caller:
        """The caller. Raises a 401 for a key or token that is unknown, revoked or expired, or is a demo key in
        production."""
        digest, now = digest_of(bearer(request)), self.clock()
        known = self._known.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        row = await find_holder(self.database, digest)
        caller = self._caller(row, now)
        expires_at = row["expires_at"] if row is not None else None
        until = now + REMEMBERED if expires_at is None else min(now + REMEMBERED, expires_at)
        self._known[digest] = (until, caller)
        return caller

    def _caller(self, row: Row | None, now: datetime) -> Caller:
        if row is None or row["revoked_at"] is not None:
            raise _refused("The key or token is not in force.")
        if row["expires_at"] is not None and row["expires_at"] <= now:
            raise _refused("The token has expired.")
        if row["demo"] and not self.demo_keys_allowed:
            raise Problem(UNAUTHENTICATED, "Demo keys are refused in production.")
        return Caller(
            principal=str(row["key_id"]),
            channel=row["channel"],
            scopes=frozenset(row["scopes"]),
            unit=row["unit"],
            may_verify=frozenset(row["may_verify"]),
            customer_id=row["customer_id"],
            expires_at=row["expires_at"],
        )


def _refused(detail: str) -> Problem:
    return Problem(UNAUTHENTICATED, detail, headers={"WWW-Authenticate": "Bearer"})
