"""The caller of a key or a token, found by hash."""

import hashlib
from typing import Final

from rapport_shared.database import Database, Row

_FIND: Final = """
SELECT k.key_id, k.channel, k.scopes, k.unit, k.may_verify, k.demo, k.revoked_at,
       NULL::uuid AS customer_id, NULL::timestamptz AS expires_at
FROM api_key k WHERE k.digest = $1
UNION ALL
SELECT k.key_id, k.channel, t.scopes, t.unit, '{}', k.demo, coalesce(k.revoked_at, t.revoked_at),
       t.customer_id, t.expires_at
FROM access_token t JOIN api_key k USING (key_id) WHERE t.digest = $1
"""


def digest_of(credential: str) -> bytes:
    """The stored hash of a key or a token. Keys are random, so a plain hash is enough."""
    return hashlib.sha256(credential.encode()).digest()


async def find_holder(database: Database, digest: bytes) -> Row | None:
    """The grant of a key or a token, also of one that was revoked or has expired; None for one that is not known."""
    return await database.fetch_row(_FIND, digest)
