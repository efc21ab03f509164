"""The scoring service without Kafka: its commands, timers, runs and API on a database, at whatever time a test says."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson

from rapport_scoring.api import runs, segments, values
from rapport_scoring.commands.facts import take_facts
from rapport_scoring.commands.policies import KINDS
from rapport_scoring.consumers import decode
from rapport_scoring.domain.assessment import QUIET
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.runs.worker import RunWorker
from rapport_scoring.timers import fire_once
from rapport_scoring.trials import Trial, trial_model
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application, token_authenticator
from rapport_shared.web.commands import CommandRunner
from rapport_shared.web.policies import policies
from tests.support.infrastructure import Databases

SCOPES = frozenset({"values:*", "segments:*", "policies:*", "customers:read"})


@dataclass
class Desk:
    """Somebody at the API of scoring, and the hands that feed it."""

    database: Database
    rules: RulesInForce
    now: datetime = field(default=datetime(2026, 6, 1, tzinfo=UTC))
    client: httpx.AsyncClient = field(init=False)

    def clock(self) -> datetime:
        """The time of the test."""
        return self.now

    async def take(self, messages: list[Message]) -> None:
        """Scoring consumes what other services published."""
        facts = [fact for message in messages if (fact := decode(record_of(message))) is not None]
        async with self.database.transaction() as connection:
            await take_facts(connection, facts, self.rules, self.clock)

    async def fire(self, at: datetime | None = None) -> None:
        """The time is `at`, else a moment later than it was, and everything that is due by then happens."""
        self.now = at or self.now + QUIET
        while await fire_once(self.database, self.rules, self.clock):
            pass

    async def run(self) -> None:
        """All computations that were asked for are carried out."""
        week = timedelta(days=7)
        worker = RunWorker(self.database, self.rules, self.clock, OutboxSignal(), week, week)
        while await worker.work_once():
            pass

    async def call(self, method: str, path: str, status: int, **more: Any) -> dict[str, Any]:
        """Calls the API, which answers `status`."""
        answer = await self.client.request(method, path, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        body: dict[str, Any] = answer.json()
        return body

    async def value(self, customer: UUID, **query: Any) -> dict[str, Any]:
        """A customer's values."""
        return await self.call("GET", f"/v1/customers/{customer}/value", 200, params=query)

    async def activate(self, kind: str, document: Mapping[str, Any], name: str = "default") -> int:
        """A policy is made and activated; answers its version."""
        path = f"/v1/policies/{kind}/{name}"
        made = await self.call("PUT", path, 201, json=document)
        await self.call("POST", f"{path}/activate", 200, json={"version": made["version"]})
        return int(made["version"])

    async def result(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Asks for a computation, has it carried out, and answers what it found."""
        asked = await self.call("POST", path, 202, json=body)
        await self.run()
        ended = await self.call("GET", f"/v1/value/runs/{asked['run_id']}", 200)
        assert ended["state"] == "finished", ended
        found: dict[str, Any] = ended["result"]
        return found

    async def told(self, event: str) -> list[dict[str, Any]]:
        """The data of all events of a type, in the order in which they were recorded."""
        rows = await self.database.fetch(
            "SELECT value FROM event_log WHERE type = $1 ORDER BY recorded_at, event_id", f"rapport.{event}.v1"
        )
        return [orjson.loads(row["value"]) for row in rows]


def record_of(message: Message) -> Record:
    """A message as a consumer meets it."""
    headers = {name: value.decode() for name, value in message.headers}
    return Record(Partition(message.topic, 0), 0, message.key, headers, message.value, datetime(2026, 1, 1, tzinfo=UTC))


@asynccontextmanager
async def scoring_desk(databases: Databases) -> AsyncIterator[Desk]:
    """A desk on a database of its own."""
    async with databases.fresh() as dsn:
        await asyncio.to_thread(migrate, "rapport_scoring", dsn)
        async with Database(dsn, size=4, application="test") as database:
            desk = Desk(database, RulesInForce())
            async with _client(desk) as desk.client:
                yield desk


def _client(desk: Desk) -> httpx.AsyncClient:
    tokens, real = CallerTokens("s" * 32), datetime.now(UTC)
    token = tokens.sign(Caller("test", scopes=SCOPES), real)
    authenticate = token_authenticator(tokens, lambda: real)
    application = make_application("scoring", metrics=Metrics(), authenticate=authenticate)
    runner = CommandRunner(desk.database, OutboxSignal(), desk.clock)
    application.include_router(values.router(desk.database, desk.rules))
    application.include_router(runs.runs(desk.database, runner, desk.clock))
    application.include_router(runs.results(desk.database))
    application.include_router(segments.segments(desk.database, desk.rules))
    for kind in KINDS:
        trial = Trial(desk.database, desk.clock, kind.kind)
        application.include_router(policies(kind, desk.database, runner, desk.clock, trial, trial_model(kind)))
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://scoring", headers=headers)
