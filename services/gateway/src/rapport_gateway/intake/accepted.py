"""The ids of touchpoints that were accepted lately, and what each was accepted for."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import orjson
from cachetools import LRUCache

from rapport_gateway.intake.gathering import Gathering
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints import content_digest
from rapport_shared.database import Connection, Database

KEPT = timedelta(days=7)
"""How long an id is remembered."""
RECENT: Final = 20_000
"""So many of the latest ids are known without asking the database: 5 MiB."""

_DIGITS: Final = 32
Place = TypeVar("Place", bound=Hashable)
Reported = tuple[UUID, bytes]
"""The id of a touchpoint, and the digest of what a repeat must have alike."""

_REMEMBER = """
WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bytea[]) AS given (touchpoint_id, digest) ORDER BY touchpoint_id)
INSERT INTO accepted_touchpoint (touchpoint_id, accepted_at, digest) SELECT touchpoint_id, $3, digest FROM given
ON CONFLICT (touchpoint_id) DO UPDATE SET digest = coalesce(accepted_touchpoint.digest, excluded.digest)
RETURNING touchpoint_id, digest
"""
"""In the order of ids: two replicas that write the same ids must not wait for each other."""


def body_digest(body: bytes) -> bytes:
    """What a repeat of a touchpoint must have alike, as 128 bits; `body` is its JSON."""
    return bytes.fromhex(content_digest(orjson.loads(body))[:_DIGITS])


async def remember(connection: Connection, digests: Mapping[UUID, bytes], now: datetime) -> dict[UUID, bytes]:
    """Keeps ids with what they were first accepted for, and answers that."""
    rows = await connection.fetch(_REMEMBER, list(digests.keys()), list(digests.values()), now)
    return {row["touchpoint_id"]: row["digest"] for row in rows}


async def forget_old(connection: Connection, now: datetime) -> None:
    """Forgets the ids that were accepted too long ago."""
    await connection.execute("DELETE FROM accepted_touchpoint WHERE accepted_at < $1", now - KEPT)


async def latest(connection: Connection, limit: int) -> dict[UUID, datetime]:
    """The ids that were accepted last, and when."""
    rows = await connection.fetch(
        "SELECT touchpoint_id, accepted_at FROM accepted_touchpoint ORDER BY accepted_at DESC LIMIT $1", limit
    )
    return {row["touchpoint_id"]: row["accepted_at"] for row in rows}


class AcceptedIds:
    """Remembers accepted ids. Requests that come together share one commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._gathering = Gathering(self._insert)
        self._recent: LRUCache[UUID, bytes] = LRUCache(RECENT)

    def reused(self, reported: Mapping[Place, Reported]) -> frozenset[Place]:
        """The places of those whose id was lately accepted here for another body; the database is not asked."""
        return _differing(reported, self._recent)

    async def remember(self, reported: Mapping[Place, Reported]) -> frozenset[Place]:
        """Returns when the ids are committed: the places of those whose id was accepted for another body before."""
        stored: dict[UUID, bytes] = {}
        await self._gathering.add([(reported.values(), stored)])
        return _differing(reported, stored)

    async def look_up(self, reported: Mapping[Place, Reported]) -> frozenset[Place]:
        """The places of those whose id was accepted for another body; nothing is remembered."""
        rows = await self._database.fetch(
            "SELECT touchpoint_id, digest FROM accepted_touchpoint "
            "WHERE touchpoint_id = ANY($1) AND digest IS NOT NULL",
            [touchpoint_id for touchpoint_id, _ in reported.values()],
        )
        return _differing(reported, {row["touchpoint_id"]: row["digest"] for row in rows})

    async def accepted_at(self, touchpoint_id: UUID) -> datetime | None:
        """When an id was accepted, if it was lately."""
        at: datetime | None = await self._database.fetch_value(
            "SELECT accepted_at FROM accepted_touchpoint WHERE touchpoint_id = $1", touchpoint_id
        )
        return at

    async def _insert(self, requests: Sequence[tuple[Collection[Reported], dict[UUID, bytes]]]) -> None:
        given: dict[UUID, bytes] = {}
        for reported, _ in requests:
            for touchpoint_id, digest in reported:
                given.setdefault(touchpoint_id, digest)
        async with self._database.connection() as connection:
            kept = await remember(connection, given, self._clock())
        self._recent.update(kept)
        for _, stored in requests:
            stored.update(kept)


def _differing(reported: Mapping[Place, Reported], known: Mapping[UUID, bytes]) -> frozenset[Place]:
    return frozenset(place for place, (id_, digest) in reported.items() if known.get(id_, digest) != digest)
