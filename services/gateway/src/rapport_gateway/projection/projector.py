"""The projector: the one writer of a run of the view. One poll, one batch, one transaction."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from rapport_gateway.projection.batch import Batch
from rapport_gateway.projection.cache import Cache
from rapport_gateway.projection.folding import fold_facts
from rapport_gateway.projection.rendering import render_customers, write
from rapport_gateway.projection.store import facts as store
from rapport_gateway.projection.store import relations
from rapport_gateway.projection.store.runs import Run, read_turn, touch_caught_up
from rapport_gateway.projection.store.upgrade import upgrade
from rapport_gateway.view.facts import Fact, read_fact
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import EVENT_TOPICS
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.consumer import Subscription

_CAUGHT_UP_SECONDS: Final = 1.0
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Projector:
    """Folds facts into one run. `announce` is awaited after each commit that changed something."""

    run: Run
    database: Database
    clock: Clock
    announce: Callable[[], Awaitable[None]]
    cache: Cache = field(default_factory=Cache)
    _last_caught_up: float = field(default=0.0)
    _upgraded: bool = field(default=False)

    def subscription(self) -> Subscription[Fact]:
        """What the run's consumer reads and does."""
        return Subscription(
            consumer=self.run.consumer,
            topics=EVENT_TOPICS,
            decode=read_fact,
            apply=self.apply,
            committed=self.announce,
            caught_up=self._caught_up,
            urgent=True,
        )

    async def apply(self, connection: Connection, batch: Sequence[Fact]) -> None:
        """Folds a batch of facts in the caller's transaction; known facts change nothing."""
        await self._take_over(connection)
        facts = list({fact.event_id: fact for fact in batch}.values())
        new = await store.insert(connection, self.run.run, facts)
        if new is None:
            return
        facts = [fact for fact in facts if fact.event_id in new.event_ids]
        turn = Batch(connection, self.cache, self.run.run, new.turn, new.seq)
        moved, led_to = await fold_facts(turn, facts, new)
        as_of = max(fact.recorded_at for fact in facts)
        renamed = await render_customers(turn, as_of)
        if led_to or (turn.linked and (moved or renamed)):
            await relations.mark_stale(connection, led_to, moved | renamed, turn.identified)
            turn.cache.some_stale = True
        await self._render_stale(turn, as_of)
        await write(turn, self.clock())

    async def _take_over(self, connection: Connection) -> None:
        """Upgrades a run of an earlier release before the first write; repeats until that is committed."""
        if not self._upgraded and not await upgrade(connection, self.run.run):
            self._upgraded = True

    async def _render_stale(self, turn: Batch, as_of: datetime) -> None:
        """Renders customers that a change elsewhere made stale, as many as are rendered at once."""
        if not self.cache.some_stale:
            return
        stale = await relations.take_stale(turn.connection)
        self.cache.some_stale = len(stale) == relations.AT_ONCE
        await turn.need(stale, stale)
        for customer_id in stale:
            turn.dirty[customer_id] |= {*SECTIONS}
        await render_customers(turn, as_of)

    async def _caught_up(self) -> bool:
        changed = await self._finish() if self.cache.some_stale or not self._upgraded else False
        if time.monotonic() - self._last_caught_up >= _CAUGHT_UP_SECONDS:
            self._last_caught_up = time.monotonic()
            await touch_caught_up(self.database, self.run.run, self.clock())
        return changed

    async def _finish(self) -> bool:
        """Does what is left to do when there is nothing to read; answers whether that changed something."""
        async with self.database.transaction() as connection:
            await self._take_over(connection)
            turn, seq = await read_turn(connection, self.run.run)
            batch = Batch(connection, self.cache, self.run.run, turn, seq)
            await self._render_stale(batch, _LONG_AGO)
            changed = await write(batch, self.clock())
        if changed:
            await self.announce()
        return changed
