"""Known channels: the standard ones, those of API keys, and those that have reported before."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from rapport_gateway.access.store.keys import channels_of_keys
from rapport_gateway.intake.store import channels as store
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints import CHANNELS
from rapport_shared.database import Database

NEW_FOR: Final = timedelta(days=1)
"""A slip of the pen in a configuration shows for a day, not in one answer alone."""
REMEMBERED: Final = 1_000
"""So many channels are remembered. A deployment has some dozens; whatever comes beyond is called new."""
LOOKED_EVERY: Final = timedelta(minutes=1)


@dataclass(slots=True)
class KnownChannels:
    """Says which channels are new. A request with known channels only needs no query."""

    database: Database
    clock: Clock
    _first_at: dict[str, datetime] = field(default_factory=dict)
    _keys: frozenset[str] = frozenset()
    _looked_at: datetime | None = None

    async def new(self, channels: Collection[str], *, remember: bool) -> frozenset[str]:
        """The channels whose first report is missing or less than a day old. With `remember`, notes first reports."""
        others = frozenset(channels) - CHANNELS - self._keys
        if not others:
            return frozenset()
        unseen = others - self._first_at.keys()
        if remember and unseen and len(self._first_at) < REMEMBERED:
            await self._remember(unseen)
        elif self._looked_at is None or self.clock() - self._looked_at >= LOOKED_EVERY:
            await self._look()
        now = self.clock()
        return frozenset(one for one in others - self._keys if now - self._first_at.get(one, now) < NEW_FOR)

    async def _remember(self, channels: Collection[str]) -> None:
        await store.remember(self.database, channels, self.clock())
        await self._look()

    async def _look(self) -> None:
        self._first_at = await store.seen(self.database, REMEMBERED)
        self._keys = await channels_of_keys(self.database)
        self._looked_at = self.clock()
