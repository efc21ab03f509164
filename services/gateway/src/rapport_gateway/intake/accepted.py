"""The ids of touchpoints that were accepted lately."""

from datetime import datetime
from uuid import UUID

from rapport_gateway.intake.gathering import Gathering
from rapport_gateway.intake.store import accepted as store
from rapport_shared.clock import Clock
from rapport_shared.database import Database


class AcceptedIds:
    """Remembers accepted ids. Requests that come together share one commit."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._gathering = Gathering(self._insert)

    async def remember(self, ids: list[UUID]) -> None:
        """Returns when the ids are committed."""
        await self._gathering.add(ids)

    async def accepted_at(self, touchpoint_id: UUID) -> datetime | None:
        """When an id was accepted, if it was lately."""
        return await store.accepted_at(self._database, touchpoint_id)

    async def _insert(self, ids: list[UUID]) -> None:
        async with self._database.connection() as connection:
            await store.remember(connection, ids, self._clock())
