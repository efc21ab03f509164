"""Tokens: what an application hands to a browser instead of its key. Short-lived, and narrower than the key."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from rapport_gateway.access.store.holders import digest_of
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Connection

PREFIX: Final = "rt_"
LONGEST: Final = timedelta(minutes=60)
FORGOTTEN_AFTER: Final = timedelta(days=1)
OF_ONE_CUSTOMER: Final = frozenset({"customers:read", "values:read", "segments:read"})
"""The scopes that a token of one customer may have: those whose every answer is about a customer that is named."""

_INSERT = """
INSERT INTO access_token (token_id, key_id, digest, scopes, unit, customer_id, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a token may do, for how long; `customer_id` limits it to one customer."""

    scopes: Sequence[str]
    unit: str
    lifetime: timedelta
    customer_id: UUID | None = None


def new_token() -> str:
    """A fresh token of 256 random bits."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}"


async def create_token(
    connection: Connection, token: str, key_id: UUID, grant: TokenGrant, now: datetime
) -> tuple[UUID, datetime]:
    """Stores a token of a key. Returns its id and its expiry."""
    token_id, expires_at = new_id(now), now + grant.lifetime
    await connection.execute(
        _INSERT, token_id, key_id, digest_of(token), list(grant.scopes), grant.unit, grant.customer_id, expires_at
    )
    return token_id, expires_at


async def revoke_token(connection: Connection, token_id: UUID, key_id: UUID, now: datetime) -> bool:
    """Revokes a token of a key. Returns False if there is no such token."""
    status = await connection.execute(
        "UPDATE access_token SET revoked_at = coalesce(revoked_at, $3) WHERE token_id = $1 AND key_id = $2",
        token_id,
        key_id,
        now,
    )
    return status == "UPDATE 1"


async def forget_tokens(connection: Connection, now: datetime) -> None:
    """Forgets tokens that expired a day ago and more."""
    await connection.execute("DELETE FROM access_token WHERE expires_at < $1", now - FORGOTTEN_AFTER)
