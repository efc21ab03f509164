"""A run of the view on a real database, and the events that services publish of a few records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest_asyncio

from rapport_gateway.projection.hub import Hub
from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.store.runs import Run, live_run
from rapport_gateway.view.facts import Fact
from rapport_shared.clock import system_clock
from rapport_shared.contracts.ids import derived_id, new_id, source_profile_id
from rapport_shared.database import Database
from rapport_shared.migrations import migrate
from tests.support.infrastructure import Databases

__all__ = ["AT", "Desk", "desk"]

AT = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Desk:
    """A run of the view, and the events that the customer service publishes."""

    run: Run
    tables: Database
    projector: Projector
    sequences: dict[UUID, int] = field(default_factory=dict)
    count: int = 0

    @property
    def live(self) -> LiveView:
        """The run as reads find it."""
        hub = Hub(self.tables, lambda _: self.tables)
        hub.run, hub.view = self.run, self.tables
        return LiveView(hub, system_clock)

    async def take(self, facts: Sequence[Fact]) -> None:
        """The projector reads a batch."""
        async with self.tables.transaction() as connection:
            await self.projector.apply(connection, facts)

    def profile(self, record: str, name: str, *relations: tuple[str, str]) -> Fact:
        """A record states its name, and its relations to others."""
        profile_id = source_profile_id("crm", record)
        stated = {"source": f"crm:{record}", "occurred_at": AT.isoformat(), "event_id": str(new_id(AT))}
        register = {
            "profile_id": str(profile_id),
            "registered": True,
            "created_at": AT.isoformat(),
            "fields": {"name": [{"value": {"display": name}, **stated}]},
            "relations": [
                {
                    "type": type_,
                    "to": {"system": "crm", "record": to},
                    "profile_id": str(source_profile_id("crm", to)),
                    **stated,
                }
                for type_, to in relations
            ],
        }
        return self.fact("customer.profile_changed", profile_id, profile_id, {"profile": register, "changed": []})

    def recorded(self, record: str, kind: str, data: dict[str, Any], entry_of: UUID | None = None) -> Fact:
        """A touchpoint of a record, in an interaction of its own unless one is given."""
        profile_id, touchpoint_id = source_profile_id("crm", record), new_id(AT)
        interaction_id = entry_of or touchpoint_id
        touchpoint = {"id": str(touchpoint_id), "kind": kind, "source": {"system": "crm"}, "data": data}
        body = {
            "interaction_id": str(interaction_id),
            "touchpoint_id": str(touchpoint_id),
            "kind": kind,
            "channel": "phone",
            "touchpoint": touchpoint,
        }
        return self.fact("interaction.recorded", interaction_id, profile_id, body, touchpoint_id)

    def retracted(self, recording: Fact) -> Fact:
        """A recording no longer counts."""
        data = {name: recording.data[name] for name in ("interaction_id", "touchpoint_id")}
        data |= {"event_id": str(recording.event_id), "reason": "reported_in_error"}
        return self.fact("interaction.retracted", UUID(data["interaction_id"]), recording.profile_id, data)

    def ticket(self, record: str, ticket_id: UUID, *, is_open: bool = True) -> Fact:
        """A ticket of a record is opened, or resolved."""
        ticket = {"ticket_id": str(ticket_id), "kind": "service", "open": is_open, "opened_at": AT.isoformat()}
        kind = "ticket.opened" if is_open else "ticket.resolved"
        return self.fact(kind, ticket_id, source_profile_id("crm", record), {"ticket": ticket, "changed": []})

    def score(self, record: str, orders: int) -> Fact:
        """Scoring states a customer's figures."""
        customer_id = source_profile_id("crm", record)
        data = {"customer_id": str(customer_id), "profiles": [str(customer_id)], "commerce": {"orders": orders}}
        return self.fact("score.updated", customer_id, None, data)

    def merged(self, from_: str, into: str, *, undone: bool = False) -> Fact:
        one, other = source_profile_id("crm", from_), source_profile_id("crm", into)
        merge_id = derived_id("merge", one, other)
        sequence = 2 if undone else 1
        move = {
            "profile_id": str(one),
            "mapping_seq": sequence,
            "customer_id": str(one if undone else other),
        }
        kind = "customer.unmerged" if undone else "customer.merged"
        return self.fact(kind, merge_id, None, {"merge_id": str(merge_id), "moves": [move]})

    def fact(
        self, kind: str, subject: UUID, profile_id: UUID | None, data: dict[str, Any], event_id: UUID | None = None
    ) -> Fact:
        """An event, the next of its aggregate, a second after the one before."""
        sequence = self.sequences[subject] = self.sequences.get(subject, 0) + 1
        self.count += 1
        at, text = AT + timedelta(seconds=self.count), orjson.dumps(data).decode()
        own = event_id or new_id(AT)
        return Fact(own, kind, str(subject), profile_id, at, at, sequence, orjson.loads(text), text)

    async def identity(self, record: str) -> dict[str, Any]:
        text = await self.tables.fetch_value(
            "SELECT identity FROM customer_view WHERE customer_id = $1", source_profile_id("crm", record)
        )
        return dict(orjson.loads(text))

    async def employers(self, record: str) -> list[tuple[str, Any]]:
        shown = (await self.identity(record))["relations"]
        return [(line["customer_id"], line["display_name"]) for line in shown]


async def _nobody() -> None:
    return


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_gateway", dsn)

    async with databases.fresh(await databases.template("gateway", prepare)) as dsn:
        async with Database(dsn, size=1, application="test") as database, database.connection() as connection:
            run = await live_run(connection)
        async with Database(dsn, size=2, application="test", search_path=f"{run.schema}, public") as tables:
            yield Desk(run, tables, Projector(run, tables, system_clock, _nobody))
