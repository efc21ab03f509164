"""What has an effect: a reason that came up lately, not one that was noticed lately or moved to another customer."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio

from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts
from tests.support.scoring_service import Desk, scoring_desk

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with scoring_desk(databases) as made:
        made.now = NOW
        yield made


class World(ScoringFacts):
    """Customers that buy filters, and state what they spend on them."""

    def order(self, customer: UUID, days_ago: float, net: int = 3_000_000, *, historical: bool = False) -> None:
        at = NOW - days_ago * DAY
        number = f"{customer.hex[:8]}-{at.isoformat()}"
        lines = [{"line": "1", "quantity": "1", "net": net, "cost": net // 3, "category": "filters"}]
        document = {"order": number, "currency": "CNY", "net": net, "gross": net, "lines": lines}
        self.state(customer, "order.placed", document, at, historical=historical)

    def regular(self, customer: UUID, *, historical: bool = False) -> None:
        """Three orders, the last of them long enough ago to be no news."""
        for days_ago in (60, 40, 20):
            self.order(customer, days_ago, historical=historical)

    def wallet(self, customer: UUID, days_ago: float, amount: int = 50_000_000, *, historical: bool = False) -> None:
        at = NOW - days_ago * DAY
        data = {"category": "filters", "from": "2026-01-01", "amount": amount, "currency": "CNY", "basis": "declared"}
        self.state(customer, "wallet.reported", data, at, historical=historical)

    def call(self, customer: UUID, days_ago: float) -> None:
        self.state(customer, "call.ended", {"direction": "inbound"}, NOW - days_ago * DAY)


async def fired(desk: Desk) -> list[tuple[str, bool]]:
    return [(one["trigger"]["name"], one["trigger"]["effective"]) for one in await desk.told("trigger.fired")]


async def test_what_was_reported_lately_has_an_effect_however_long_it_holds(desk: Desk) -> None:
    world = World(seed=1, profiles=1)
    customer = world.profile(0)
    world.regular(customer)
    world.wallet(customer, 0.1)
    await desk.take(world.messages)
    assert await fired(desk) == [("growth", True)]


async def test_a_fact_of_today_brings_no_effect_of_what_stood_before_it(desk: Desk) -> None:
    world = World(seed=2, profiles=1)
    customer = world.profile(0)
    world.regular(customer)
    world.wallet(customer, 15)
    world.call(customer, 0.1)
    await desk.take(world.messages)
    assert await fired(desk) == [("growth", False)]
    [stage] = await desk.told("customer.stage_changed")
    assert (stage["after"], stage["effective"]) == ("developing", False)


async def test_a_reason_that_was_held_off_has_its_effect_when_it_may(desk: Desk) -> None:
    await desk.activate("trigger", {"growth": {"cool_down_days": 5}})
    await desk.fire()
    world = World(seed=3, profiles=1)
    customer = world.profile(0)
    world.regular(customer)
    for ago, amount in ((5.5, 50_000_000), (5.2, 3_000_000), (5, 60_000_000)):
        world.wallet(customer, ago, amount)
        desk.now = NOW - ago * DAY
        await desk.take(world.messages)
    assert await fired(desk) == [("growth", True)]
    await desk.fire(NOW)
    assert await fired(desk) == [("growth", True), ("growth", True)]


async def test_a_stage_has_an_effect_on_the_day_that_it_begins(desk: Desk) -> None:
    world = World(seed=4, profiles=2)
    late, prompt = world.profile(0), world.profile(1)
    world.order(late, 10)
    world.call(late, 0.1)
    world.order(prompt, 0.1)
    await desk.take(world.messages)
    stages = {one["customer_id"]: one["effective"] for one in await desk.told("customer.stage_changed")}
    assert stages == {str(late): False, str(prompt): True}


async def test_an_entry_into_a_segment_has_an_effect_where_its_condition_came_true_lately(desk: Desk) -> None:
    document: dict[str, Any] = {
        "description": "Buys for much.",
        "when": {"reading": "value:lifetime", "at_least": 3_000_000},
    }
    await desk.activate("segment", document, "large")
    await desk.fire()
    world = World(seed=5, profiles=2)
    late, prompt = world.profile(0), world.profile(1)
    for days_ago in (40, 20):
        world.order(late, days_ago)
    world.call(late, 0.1)
    world.order(prompt, 40)
    world.order(prompt, 0.1)
    await desk.take(world.messages)
    entries = {one["customer_id"]: one["effective"] for one in await desk.told("segment.entered")}
    assert entries == {str(late): False, str(prompt): True}


async def test_a_reason_that_a_merge_moves_is_not_gone(desk: Desk) -> None:
    world = World(seed=6, profiles=4)
    kept, merged, rich, poor = (world.profile(number) for number in range(4))
    for customer in (kept, merged, poor):
        world.regular(customer)
    for days_ago in (70, 50, 30, 10):
        world.order(rich, days_ago, net=100_000_000)
    for customer in (merged, poor):
        world.wallet(customer, 0.1)
    await desk.take(world.messages)
    assert await fired(desk) == [("growth", True), ("growth", True)]
    done = len(world.messages)
    world.join(merged, kept)
    world.join(poor, rich)
    await desk.take(world.messages[done:])
    cleared = {one["customer_id"]: one["moved_to"] for one in await desk.told("trigger.cleared")}
    assert cleared == {str(merged): str(kept), str(poor): None}
    assert [one["name"] for one in (await desk.value(kept))["triggers"]] == ["growth"]
    assert (await desk.value(rich))["triggers"] == []


async def test_who_is_registered_for_what_happened_long_ago_is_nobody_new(desk: Desk) -> None:
    world = World(seed=7, profiles=3)
    loaded, by_hand, bought = (world.profile(number) for number in range(3))
    world.register(loaded, NOW, NOW - 200 * DAY)
    world.register(by_hand, NOW)
    world.register(bought, NOW, NOW - 200 * DAY)
    world.regular(bought, historical=True)
    world.wallet(bought, 1, historical=True)
    await desk.take(world.messages)
    await desk.fire(NOW + timedelta(minutes=1))
    stages = {one["customer_id"]: (one["after"], one["effective"]) for one in await desk.told("customer.stage_changed")}
    assert stages == {
        str(loaded): ("prospect", False),
        str(by_hand): ("prospect", True),
        str(bought): ("developing", False),
    }
    assert await fired(desk) == [("growth", False)]
