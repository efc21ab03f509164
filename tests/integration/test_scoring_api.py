"""The value over HTTP: lines that add up over the pages, and what a merge does to it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest_asyncio

from rapport_scoring.api import values
from rapport_scoring.commands.facts import take_facts
from rapport_scoring.consumers import decode
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import system_clock
from rapport_shared.database import Database
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application, token_authenticator
from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts


@dataclass
class Desk:
    """A client of the API, and the facts behind it."""

    client: httpx.AsyncClient
    database: Database
    facts: ScoringFacts
    rules: RulesInForce
    told: int = 0

    async def take(self) -> None:
        """Scoring consumes what has happened since."""
        new, self.told = self.facts.messages[self.told :], len(self.facts.messages)
        items = [fact for message in new if (fact := decode(_record(message))) is not None]
        async with self.database.transaction() as connection:
            await take_facts(connection, items, self.rules, system_clock)

    async def value(self, customer: UUID, **query: Any) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/customers/{customer}/value", params=query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def _record(message: Any) -> Record:
    headers = {name: value.decode() for name, value in message.headers}
    return Record(Partition(message.topic, 0), 0, message.key, headers, message.value, system_clock())


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    tokens = CallerTokens("s" * 32)
    token = tokens.sign(Caller("test", scopes=frozenset({"values:read"})), system_clock())
    async with databases.fresh() as dsn:
        await asyncio.to_thread(migrate, "rapport_scoring", dsn)
        async with Database(dsn, size=4, application="test") as database:
            rules = RulesInForce()
            application = make_application(
                "scoring", metrics=Metrics(), authenticate=token_authenticator(tokens, system_clock)
            )
            application.include_router(values.router(database, rules))
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(application),
                base_url="http://scoring",
                headers={"Authorization": f"Bearer {token}"},
            ) as client:
                yield Desk(client, database, ScoringFacts(seed=3, profiles=2), rules)


def _order(number: str, net: int) -> dict[str, Any]:
    lines = [{"line": "1", "quantity": "1", "net": net, "cost": net // 2}]
    return {"order": number, "currency": "CNY", "net": net, "gross": net, "lines": lines}


async def test_the_lines_of_all_pages_add_up_to_the_value(desk: Desk) -> None:
    profile = desk.facts.profile(0)
    for number in range(7):
        desk.facts.state(profile, "order.placed", _order(str(number), 1000 + number))
    await desk.take()
    lines: list[dict[str, Any]] = []
    page = await desk.value(profile, limit=4)
    lines += page["lines"]
    while page["next_cursor"] is not None:
        page = await desk.value(profile, limit=4, cursor=page["next_cursor"])
        lines += page["lines"]
    assert len(lines) == page["line_count"] == 21
    assert [{"amount": sum(line["amount"] for line in lines), "currency": "CNY"}] == page["contemporary"]["lifetime"]
    assert {line["part"] for line in lines} == {"revenue", "product_cost", "order_handling"}
    assert page["sequence"] == 1, "a score; the stage is published when no more of the past comes"


async def test_a_retraction_takes_its_lines_away(desk: Desk) -> None:
    profile = desk.facts.profile(0)
    event = desk.facts.state(profile, "order.placed", _order("1", 1000))
    await desk.take()
    desk.facts.retract(event)
    await desk.take()
    assert (await desk.value(profile))["lines"] == []
    assert (await desk.value(profile))["as_of"] is None


async def test_a_merge_moves_the_value_and_its_undo_restores_it(desk: Desk) -> None:
    one, two = desk.facts.profile(0), desk.facts.profile(1)
    desk.facts.state(one, "order.placed", _order("1", 1000))
    desk.facts.state(two, "order.placed", _order("2", 50))
    await desk.take()
    before = (await desk.value(one))["contemporary"], (await desk.value(two))["contemporary"]
    join = desk.facts.join(one, two)
    await desk.take()
    merged, gone = await desk.value(two), await desk.client.get(f"/v1/customers/{one}/value", params={"limit": 7})
    assert sorted(merged["profiles"]) == sorted([str(one), str(two)])
    assert merged["contemporary"]["lifetime_parts"]["revenue"] == [{"amount": 1050, "currency": "CNY"}]
    assert (gone.status_code, gone.headers["location"]) == (307, f"/v1/customers/{two}/value?limit=7")
    assert gone.headers["cache-control"] == "no-store"
    desk.facts.undo(join)
    await desk.take()
    assert ((await desk.value(one))["contemporary"], (await desk.value(two))["contemporary"]) == before


async def test_a_revision_at_another_profile_takes_the_document_there(desk: Desk) -> None:
    one, two = desk.facts.profile(0), desk.facts.profile(1)
    desk.facts.state(one, "order.placed", _order("1", 1000))
    await desk.take()
    desk.facts.state(two, "order.placed", {**_order("1", 900), "revision": 2})
    await desk.take()
    assert (await desk.value(one))["lines"] == []
    assert (await desk.value(two))["contemporary"]["lifetime_parts"]["revenue"][0]["amount"] == 900


async def test_what_is_not_known_or_not_readable_is_a_clear_problem(desk: Desk) -> None:
    assert (await desk.client.get(f"/v1/customers/{uuid4()}/value")).status_code == 404
    assert (await desk.client.get("/v1/customers/nobody/value")).status_code == 422
    profile = desk.facts.profile(0)
    desk.facts.state(profile, "order.placed", _order("1", 1000))
    await desk.take()
    for cursor in ("x", "WzEsMiwzXQ", "WyJhIiwiYiIsImMiXQ"):
        answer = await desk.client.get(f"/v1/customers/{profile}/value", params={"cursor": cursor})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    refused = await desk.client.get(f"/v1/customers/{profile}/value", headers={"Authorization": "Bearer x"})
    assert refused.status_code == 401
