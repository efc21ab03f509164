"""Why a value is what it is: the rule of a version, what of it is met, and the facts that say so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts
from tests.support.scoring_service import Desk, scoring_desk

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with scoring_desk(databases) as made:
        made.now = NOON
        yield made


def order(number: str, net: int) -> dict[str, Any]:
    lines = [{"line": "1", "quantity": "1", "net": net, "cost": net // 2}]
    return {"order": number, "currency": "CNY", "net": net, "gross": net, "lines": lines}


async def why(desk: Desk, customer: UUID, field: str, status: int = 200) -> dict[str, Any]:
    return await desk.call("GET", f"/v1/customers/{customer}/value/explanation", status, params={"field": field})


async def test_a_tier_names_what_was_met_and_what_the_next_asks(desk: Desk) -> None:
    facts = ScoringFacts(seed=1, profiles=1)
    customer = facts.profile(0)
    events = [
        facts.state(customer, "order.placed", order(str(month), 100_000), datetime(2026, month, 1, 9, tzinfo=UTC))
        for month in (1, 2, 3)
    ]
    await desk.take(facts.messages)
    prompt = {"indicator": "orders", "at_least": 5}
    tiers = [{"name": "big", "at_least": 200_000, "conditions": [prompt]}, {"name": "some", "at_least": 100_000}]
    version = await desk.activate("tier", {"tiers": tiers})
    await desk.fire()
    told = await why(desk, customer, "value.tier")
    assert (told["value"]["name"], told["rule"]["version"], told["rule"]["measure"]) == (
        "some",
        version,
        "last_90_days",
    )
    assert (told["rule"]["met"]["tier"], told["rule"]["met"]["short"]) == ("some", 0)
    asked = told["rule"]["next"]
    assert (asked["tier"], asked["at_least"], asked["short"]) == (
        "big",
        200_000,
        200_000 - told["figures"]["figure"]["amount"],
    )
    [condition] = asked["conditions"]
    assert (condition["indicator"], condition["holds"], condition["readings"][0]["value"]) == ("orders", False, "3")
    assert (told["events"], told["event_count"]) == ([str(event) for event in reversed(events)], 3)
    stage = await why(desk, customer, "value.stage")
    assert (stage["value"]["name"], stage["figures"]["purchase_days"]) == ("developing", 3)
    assert stage["rule"]["thresholds"]["loyal_orders"] == 4
    assert stage["events"] == told["events"]


async def test_parts_are_sums_of_the_lines_that_are_named(desk: Desk) -> None:
    facts = ScoringFacts(seed=2, profiles=1)
    customer = facts.profile(0)
    event = facts.state(customer, "order.placed", order("1", 100_000), MARCH)
    await desk.take(facts.messages)
    told = await why(desk, customer, "value.contemporary.product_cost")
    assert told["value"]["lifetime"] == [{"amount": -50_000, "currency": "CNY"}]
    assert [(line["event_id"], line["amount"]) for line in told["lines"]] == [(str(event), -50_000)]
    for field in ("value.potential", "value.model", "value.total", "value.alarms"):
        told = await why(desk, customer, field)
        assert told["rule"]["version"] == 0, field
    assert (await why(desk, customer, "value.potential"))["figures"]["model"] == "pdo_nbd+gamma_gamma"


async def test_a_segment_says_whether_and_by_which_version(desk: Desk) -> None:
    facts = ScoringFacts(seed=3, profiles=2)
    for number in range(2):
        facts.state(facts.profile(number), "order.placed", order(f"o{number}", 50_000 * (1 + number)), MARCH)
    await desk.take(facts.messages)
    big = {"when": {"reading": "value:lifetime", "at_least": 40_000}}
    version = await desk.activate("segment", big, "big")
    await desk.fire()
    told = [await why(desk, facts.profile(number), "segments.big") for number in range(2)]
    assert [one["value"] for one in told] == [False, True]
    assert told[1]["figures"]["since"] is not None
    assert told[1]["rule"] == {"policy": "segment", "version": version, "thresholds": big}


@pytest.mark.parametrize("field", ["value", "value.", "value.contemporary.luck", "segments.none", "x"])
async def test_what_has_no_explanation_is_refused(desk: Desk, field: str) -> None:
    facts = ScoringFacts(seed=4, profiles=1)
    facts.state(facts.profile(0), "order.placed", order("1", 100), MARCH)
    await desk.take(facts.messages)
    await why(desk, facts.profile(0), field, 422)
