"""API keys of channel applications: random, shown once, stored as a hash."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_gateway.access.store.holders import digest_of
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Connection, Database, Row
from rapport_shared.units import lies_in_sql

_SHOWN = "key_id, ending, name, channel, scopes, unit, may_verify, demo, created_at, revoked_at"
_WITHIN = lies_in_sql("unit", "$1")


class KeyRevoked(ValueError):
    """The key was revoked; it is never put in force again."""


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a new key is for and may do."""

    name: str
    channel: str
    scopes: Sequence[str]
    unit: str = ""
    may_verify: Sequence[str] = ()
    demo: bool = False


def new_key() -> str:
    """A fresh key of 256 random bits."""
    return f"rk_{secrets.token_urlsafe(32)}"


async def create_key(connection: Connection, key: str, grant: KeyGrant, now: datetime) -> UUID:
    """Stores a key and returns its id. The same key stored again keeps its id and gets the new grant.

    Raises `KeyRevoked` for a key that was revoked.
    """
    key_id: UUID | None = await connection.fetchval(
        "INSERT INTO api_key (key_id, digest, ending, name, channel, scopes, unit, may_verify, demo, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (digest) DO UPDATE SET name = excluded.name, "
        "channel = excluded.channel, scopes = excluded.scopes, unit = excluded.unit, "
        "may_verify = excluded.may_verify, demo = excluded.demo WHERE api_key.revoked_at IS NULL RETURNING key_id",
        new_id(now),
        digest_of(key),
        key[-4:],
        grant.name,
        grant.channel,
        list(grant.scopes),
        grant.unit,
        list(grant.may_verify),
        grant.demo,
        now,
    )
    if key_id is None:
        raise KeyRevoked("the key was revoked")
    return key_id


async def list_keys(database: Database, unit: str = "") -> list[dict[str, Any]]:
    """The keys of `unit` and of what is below it, without their secrets, the newest first."""
    rows = await database.fetch(f"SELECT {_SHOWN} FROM api_key WHERE {_WITHIN} ORDER BY created_at DESC, key_id", unit)
    return [dict(row) for row in rows]


async def channels_of_keys(database: Database) -> frozenset[str]:
    """The channels that keys in force report for."""
    rows = await database.fetch("SELECT DISTINCT channel FROM api_key WHERE revoked_at IS NULL")
    return frozenset(row["channel"] for row in rows)


async def find_key(database: Database, key_id: UUID) -> Row | None:
    """A key without its secret."""
    return await database.fetch_row(f"SELECT {_SHOWN} FROM api_key WHERE key_id = $1", key_id)


async def revoke_key(connection: Connection, key_id: UUID, now: datetime, unit: str = "") -> bool:
    """Revokes a key of `unit` or of a unit below. Returns False if there is no such key."""
    status = await connection.execute(
        f"UPDATE api_key SET revoked_at = coalesce(revoked_at, $3) WHERE key_id = $2 AND {_WITHIN}", unit, key_id, now
    )
    return status == "UPDATE 1"
