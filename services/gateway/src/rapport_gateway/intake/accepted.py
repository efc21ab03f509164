"""The ids of touchpoints that were accepted lately, and what each was accepted for."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

import orjson
from cachetools import LRUCache

from rapport_gateway.intake.gathering import Gathering
from rapport_gateway.intake.store import accepted as store
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints import content_digest
from rapport_shared.database import Database

RECENT: Final = 20_000
"""So many of the latest ids are known without asking the database: 5 MiB."""

_DIGITS: Final = 32
Place = TypeVar("Place", bound=Hashable)
Reported = tuple[UUID, bytes]
"""The id of a touchpoint, and the digest of what a repeat must have alike."""


def body_digest(body: bytes) -> bytes:
    """What a repeat of a touchpoint must have alike, as 128 bits; `body` is its JSON."""
    return bytes.fromhex(content_digest(orjson.loads(body))[:_DIGITS])


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
        known = await store.digests_of(self._database, [touchpoint_id for touchpoint_id, _ in reported.values()])
        return _differing(reported, known)

    async def accepted_at(self, touchpoint_id: UUID) -> datetime | None:
        """When an id was accepted, if it was lately."""
        return await store.accepted_at(self._database, touchpoint_id)

    async def _insert(self, requests: Sequence[tuple[Collection[Reported], dict[UUID, bytes]]]) -> None:
        given: dict[UUID, bytes] = {}
        for reported, _ in requests:
            for touchpoint_id, digest in reported:
                given.setdefault(touchpoint_id, digest)
        async with self._database.connection() as connection:
            kept = await store.remember(connection, given, self._clock())
        self._recent.update(kept)
        for _, stored in requests:
            stored.update(kept)


def _differing(reported: Mapping[Place, Reported], known: Mapping[UUID, bytes]) -> frozenset[Place]:
    return frozenset(place for place, (id_, digest) in reported.items() if known.get(id_, digest) != digest)
