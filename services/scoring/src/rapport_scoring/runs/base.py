"""The whole base, page by page."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from rapport_scoring import store
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.loading import load_composed
from rapport_scoring.store import runs
from rapport_scoring.store.registers import time_zones
from rapport_shared.database import Database

PAGE = 100


@dataclass(slots=True)
class Progress:
    """How far a run has come; `tell` keeps it where everybody sees it."""

    database: Database
    run_id: UUID
    total: int | None = None
    done: int = 0

    async def tell(self, more: int = 0) -> None:
        """So many more are done."""
        self.done += more
        async with self.database.transaction() as connection:
            await runs.progress(connection, self.run_id, self.done, self.total)


async def everybody(database: Database, progress: Progress) -> AsyncIterator[list[CustomerFacts]]:
    """All customers that have a score, a page at a time, in the order of their ids. Others are served in between."""
    progress.total = await store.count_scored(database)
    await progress.tell()
    after = UUID(int=0)
    while page := await store.scored_customers(database, after, PAGE):
        async with (
            database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            composition = await store.compositions(connection, page)
            found = await load_composed(connection, composition)
        yield [facts for customer in page if (facts := found[customer]).known]
        after = page[-1]
        await progress.tell(len(page))
        await asyncio.sleep(0)


async def local_today(database: Database, now: datetime) -> date:
    """The latest day that it is anywhere in the firm: what is dated today in one of its units is not of tomorrow."""
    zones = await time_zones(database)
    return max(now.astimezone(zone).date() for zone in (UTC, *(ZoneInfo(zone) for zone in zones)))
