"""The compacted state of each customer, for data consumers: present state of what changed, in order of change.

It is published at a pace of its own: of a customer that changes ten times in a second the last state is enough.
Compaction keeps the last value of a key, so a new publisher repeats the last quarter of an hour: whatever a former
one may still have sent late is followed by what is true.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from aiokafka import AIOKafkaProducer

from rapport_gateway.projection.rebuild import keep_working
from rapport_gateway.projection.store import views
from rapport_gateway.projection.store.runs import Run, find_run, keep_published, read_published
from rapport_gateway.projection.store.views import StoredView
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import CUSTOMER_VIEW_STATE
from rapport_shared.contracts.codec import encode_state_text
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.database import Database
from rapport_shared.messaging.kafka import idempotent_producer

REPEATED = timedelta(minutes=15)
BATCH = 200
PACE_SECONDS = 1.0
_CHANGES_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class StatePublisher:
    """Publishes the live run's customers. Run it under a role: of two publishers one would send what is old."""

    database: Database
    open_run: Callable[[Run], Database]
    servers: str
    clock: Clock
    pace_seconds: float = PACE_SECONDS

    async def run(self) -> None:
        """Publishes without end. Raises when Kafka is away, so that the role starts again."""
        async with idempotent_producer(self.servers, "rapport-gateway-state") as producer:
            await keep_working(self._live, partial(self._publish_run, producer))

    async def _live(self) -> Run | None:
        async with self.database.connection() as connection:
            return await find_run(connection, "live")

    async def _publish_run(self, producer: AIOKafkaProducer, run: Run) -> None:
        """Publishes a run's changes for ever."""
        async with self.open_run(run) as view:
            published = await self._begin(run.run, view)
            while True:
                rows = await views.changed_customers(view, published, _CHANGES_AT_ONCE)
                for start in range(0, len(rows), BATCH):
                    customers = [row["customer_id"] for row in rows[start : start + BATCH]]
                    await self._publish(producer, run.run, view, customers)
                if rows:
                    published = rows[-1]["seq"]
                    await keep_published(self.database, run.run, published)
                await asyncio.sleep(self.pace_seconds)

    async def _begin(self, run: int, view: Database) -> int:
        kept = await read_published(self.database, run)
        recent = await views.first_change_since(view, self.clock() - REPEATED)
        return kept if recent is None else min(kept, recent - 1)

    async def _publish(self, producer: AIOKafkaProducer, run: int, view: Database, customers: Sequence[UUID]) -> None:
        async with view.connection() as connection:
            rows = await views.load(connection, customers)
        sent = [
            await producer.send(message.topic, key=message.key, value=message.value, headers=list(message.headers))
            for message in (
                encode_state_text(CUSTOMER_VIEW_STATE, row.customer_id, state_text(row, run)) for row in rows.values()
            )
        ]
        await asyncio.gather(*sent)


def state_text(view: StoredView, run: int) -> str:
    """A customer's state as data consumers get it, a `CustomerViewState`; sections pass through as they are stored."""
    head = f'{{"customer_id":"{view.customer_id}","run":{run},"version":{view.version}'
    if view.moved_to is not None:
        return f'{head},"as_of":null,"sections":null,"moved_to":"{view.moved_to}"}}'
    sections = ",".join(f'"{name}":{text}' for name, text in view.sections.items())
    return f'{head},"as_of":"{instant_text(view.as_of)}","sections":{{{sections}}},"moved_to":null}}'
