"""Values as time goes by: timers fire once, policies and fits come into force for everybody, runs see everybody."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio

from rapport_scoring.runs.fitting import ask_after_upgrade
from rapport_shared.contracts.catalogue import EVENT_TYPES
from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts
from tests.support.scoring_service import Desk, scoring_desk


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with scoring_desk(databases) as made:
        yield made


def order(number: str, net: int) -> dict[str, Any]:
    lines = [{"line": "1", "quantity": "1", "net": net, "cost": net // 2, "category": "filters"}]
    return {"order": number, "currency": "CNY", "net": net, "gross": net, "lines": lines}


def monthly(facts: ScoringFacts, profile: UUID, months: int, net: int = 100_000, start: int = 1) -> None:
    """An order on the first of each month of 2026."""
    for month in range(start, start + months):
        at = datetime(2026, month, 1, 9, tzinfo=UTC)
        facts.state(profile, "order.placed", order(f"{profile.hex[:6]}-{month}", net), at)


async def test_silence_is_an_alarm_once_at_its_instant_and_a_late_purchase_withdraws_it(desk: Desk) -> None:
    facts = ScoringFacts(seed=1, profiles=1)
    customer = facts.profile(0)
    monthly(facts, customer, 4)
    desk.now = datetime(2026, 4, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    [pending] = (await desk.value(customer))["alarms"]
    assert pending["state"] == "pending"
    due = datetime.fromisoformat(pending["due_at"])
    assert due > datetime(2026, 5, 15, tzinfo=UTC)
    await desk.fire(due - timedelta(seconds=1))
    assert await desk.told("alarm.raised") == []
    for _ in range(2):  # also when the clock is set back and on again
        await desk.fire(due + timedelta(minutes=5))
        await desk.fire(due - timedelta(days=1))
    [raised] = await desk.told("alarm.raised")
    assert (raised["alarm"]["state"], raised["alarm"]["due_at"]) == ("raised", pending["due_at"])
    late = len(facts.messages)
    facts.state(customer, "order.placed", order("late", 50_000), due - timedelta(days=2))
    await desk.take(facts.messages[late:])
    [withdrawn] = await desk.told("alarm.withdrawn")
    assert (withdrawn["alarm"]["alarm_id"], withdrawn["alarm"]["reason"]) == (raised["alarm"]["alarm_id"], "mistaken")


async def test_what_was_due_long_ago_is_recorded_as_expired_and_rings_nobody(desk: Desk) -> None:
    facts = ScoringFacts(seed=2, profiles=1)
    monthly(facts, facts.profile(0), 3)
    desk.now = datetime(2027, 6, 1, tzinfo=UTC)
    await desk.take(facts.messages)
    await desk.fire()
    assert await desk.told("alarm.raised") == []
    [expired] = await desk.told("alarm.expired")
    assert expired["alarm"]["reason"] == "too_late"
    assert {one["effective"] for one in await desk.told("customer.stage_changed")} == {False}


async def test_an_undone_merge_leaves_alarms_segments_and_stages_as_if_it_had_never_been(desk: Desk) -> None:
    facts = ScoringFacts(seed=12, profiles=2)
    often, seldom = facts.profile(0), facts.profile(1)
    for day in range(60):
        facts.state(
            often,
            "order.placed",
            order(f"often-{day}", 2_000_000),
            datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=day),
        )
    monthly(facts, seldom, 3)
    desk.now = datetime(2026, 3, 2, tzinfo=UTC)
    await desk.take(facts.messages)
    await desk.activate("segment", {"when": {"reading": "value:lifetime", "at_least": 1_000_000}}, "big")
    await desk.activate("segment", {"when": {"reading": "alarm:silence", "is": True}}, "silent")
    await desk.fire(datetime(2026, 4, 10, tzinfo=UTC))
    decided = ("alarms", "triggers", "segments", "stage")
    before = {one: {name: (await desk.value(one))[name] for name in decided} for one in (often, seldom)}
    assert before[seldom]["alarms"][0]["state"] == "pending"
    done = len(facts.messages)
    join = facts.join(often, seldom, desk.now)
    await desk.take(facts.messages[done:])
    merged = await desk.value(seldom)
    assert (merged["alarms"][0]["state"], "big" in merged["segments"]) != ("pending", False)
    done = len(facts.messages)
    facts.undo(join, desk.now)
    await desk.take(facts.messages[done:])
    after = {one: {name: (await desk.value(one))[name] for name in decided} for one in (often, seldom)}
    assert after == before
    members = await desk.call("GET", "/v1/segments/big/members", 200)
    assert [one["customer_id"] for one in members["members"]] == [str(often)]
    due = datetime.fromisoformat(before[seldom]["alarms"][0]["due_at"])
    await desk.fire(due + timedelta(minutes=1))
    rang = [one["alarm"]["due_at"] for one in await desk.told("alarm.raised") if one["customer_id"] == str(seldom)]
    assert rang == [before[seldom]["alarms"][0]["due_at"]]


async def test_a_customer_of_several_profiles_has_a_score_even_if_nothing_is_known_of_it(desk: Desk) -> None:
    facts = ScoringFacts(seed=13, profiles=3)
    join = facts.join(facts.profile(0), facts.profile(1))
    await desk.take(facts.messages)
    [score] = await desk.told("score.updated")
    assert (score["customer_id"], score["as_of"]) == (str(facts.profile(1)), None)
    assert set(score["profiles"]) == {str(facts.profile(0)), str(facts.profile(1))}
    done = len(facts.messages)
    facts.undo(join)
    await desk.take(facts.messages[done:])
    [_, alone] = await desk.told("score.updated")
    assert (alone["customer_id"], alone["profiles"]) == (str(facts.profile(1)), [str(facts.profile(1))])


async def test_a_history_that_is_loaded_bit_by_bit_is_decided_once_and_a_fact_of_now_at_once(desk: Desk) -> None:
    facts = ScoringFacts(seed=15, profiles=1)
    customer = facts.profile(0)
    await desk.activate("segment", {"when": {"reading": "value:lifetime", "between": [1, 120_000]}}, "small")
    await desk.activate("segment", {"when": {"reading": "value:lifetime", "at_least": 150_000}}, "big")
    desk.now = datetime(2026, 6, 1, tzinfo=UTC)
    facts.state(customer, "order.placed", order("today", 20_000), desk.now)
    await desk.take(facts.messages)
    assert [one["segment"] for one in await desk.told("segment.entered")] == ["small"], (
        "a fact of now is decided at once"
    )
    for month in range(1, 6):
        done = len(facts.messages)
        monthly(facts, customer, 1, start=month)
        await desk.take(facts.messages[done:])
        value = await desk.value(customer)
        assert value["contemporary"]["lifetime_parts"]["revenue"] == [
            {"amount": 20_000 + 100_000 * month, "currency": "CNY"}
        ], "the value follows at once"
        desk.now += timedelta(seconds=1)
        await desk.fire(desk.now)
    assert len(await desk.told("segment.entered")) == 1
    position = f"/v1/customers/{customer}/value/position"
    assert (await desk.call("GET", position, 200))["deciding"]
    assert await desk.told("segment.left") == []
    assert await desk.told("trigger.fired") == []
    await desk.fire()
    assert [one["segment"] for one in await desk.told("segment.entered")] == ["small", "big"]
    assert [one["segment"] for one in await desk.told("segment.left")] == ["small"]
    assert not (await desk.call("GET", position, 200))["deciding"]
    stages = [(one["before"], one["after"]) for one in await desk.told("customer.stage_changed")]
    assert stages == [(None, "first_order"), ("first_order", "developing")]


async def test_a_document_leaves_the_ninety_days_by_itself(desk: Desk) -> None:
    facts = ScoringFacts(seed=3, profiles=1)
    customer = facts.profile(0)
    monthly(facts, customer, 2)
    desk.now = datetime(2026, 2, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    both = (await desk.value(customer))["contemporary"]
    assert both["last_90_days"] == both["lifetime"]
    await desk.fire(datetime(2026, 4, 2, tzinfo=UTC))
    one = (await desk.value(customer))["contemporary"]
    assert one["last_90_days_parts"]["revenue"] == [{"amount": 100_000, "currency": "CNY"}]
    assert one["lifetime"] == both["lifetime"]


async def test_a_value_on_any_day_and_as_it_was_known(desk: Desk) -> None:
    facts = ScoringFacts(seed=4, profiles=1)
    customer = facts.profile(0)
    monthly(facts, customer, 3)
    desk.now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    early = await desk.value(customer, as_of="2026-01-31")
    assert early["contemporary"]["lifetime_parts"]["revenue"][0]["amount"] == 100_000
    assert early["valued_on"] == "2026-01-31"
    known = await desk.value(customer, known_at="2026-02-01T09:00:00Z")
    assert known["contemporary"]["lifetime_parts"]["revenue"][0]["amount"] == 200_000
    await desk.call("GET", f"/v1/customers/{customer}/value?known_at=yesterday", 422)


async def test_days_are_counted_anew_when_a_unit_is_stated_or_moves_to_another_zone(desk: Desk) -> None:
    facts = ScoringFacts(seed=8, profiles=2)
    here, elsewhere = facts.profile(0), facts.profile(1)
    evening = datetime(2026, 3, 1, 20, tzinfo=UTC)
    for customer, unit in ((here, "cn/east"), (elsewhere, "de")):
        facts.state(customer, "order.placed", order(customer.hex[:6], 100_000), evening, unit)
    desk.now = evening
    await desk.take(facts.messages)

    async def day(customer: UUID) -> str:
        return str((await desk.value(customer))["lines"][0]["value_date"])

    for sequence, (zone, expected) in enumerate((("Asia/Shanghai", 2), ("UTC", 1), ("Asia/Tokyo", 2)), 1):
        told, done = len(await desk.told("score.updated")), len(facts.messages)
        facts.unit("cn/east", zone, sequence)
        facts.unit("cn/west", zone, sequence)
        await desk.take(facts.messages[done:])
        await desk.fire()
        scores = await desk.told("score.updated")
        assert [(one["customer_id"], one["valued_on"]) for one in scores[told:]] == [
            (str(here), f"2026-03-0{expected}")
        ]
        assert await day(here) == f"2026-03-0{expected}"
    assert await day(elsewhere) == "2026-03-01"


async def test_a_forecast_may_be_asked_for_that_looks_less_far_ahead(desk: Desk) -> None:
    facts = ScoringFacts(seed=4, profiles=1)
    customer = facts.profile(0)
    monthly(facts, customer, 4)
    desk.now = datetime(2026, 4, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    present, asked = await desk.value(customer), await desk.value(customer, horizon=12)
    assert (present["potential"]["horizon_months"], asked["potential"]["horizon_months"]) == (60, 12)
    assert asked["total"]["amount"] < present["total"]["amount"]
    assert asked["contemporary"] == present["contemporary"]
    assert (await desk.value(customer))["potential"] == present["potential"], "asking changes nothing"
    await desk.activate("value", {"forecast": {"horizon_months": 12}})
    await desk.fire()
    stands = await desk.value(customer)
    for name in ("potential", "model", "total", "tier"):
        assert asked[name] == stands[name], f"{name} is not what a policy of that horizon makes it"
    for wrong in (0, 601):
        await desk.call("GET", f"/v1/customers/{customer}/value", 422, params={"horizon": wrong})


async def test_policies_and_fits_come_into_force_for_everybody(desk: Desk) -> None:
    facts = ScoringFacts(seed=5, profiles=3)
    for number in range(3):
        monthly(facts, facts.profile(number), 3, net=100_000 * (number + 1))
    desk.now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    before = {number: await desk.value(facts.profile(number)) for number in range(3)}
    await desk.activate("tier", {"tiers": [{"name": "big", "at_least": 250_000}]})
    await desk.fire()
    assert [(await desk.value(facts.profile(number)))["tier"]["name"] for number in range(3)] == ["none", "big", "big"]
    await desk.call("POST", "/v1/policies/tier/default/rollback", 200)
    await desk.fire()
    again = {number: await desk.value(facts.profile(number)) for number in range(3)}
    assert [one["tier"] for one in again.values()] == [one["tier"] for one in before.values()]
    found = await desk.result("/v1/value/fits", {})
    assert found["version"] == 2
    await desk.fire()
    assert {(await desk.value(facts.profile(number)))["parameter_version"] for number in range(3)} == {2}
    page = await desk.call("GET", "/v1/value/parameters", 200)
    assert [one["version"] for one in page["versions"]] == [2, 1]
    whole = await desk.call("GET", "/v1/value/parameters/2", 200)
    assert whole["forecast"][0]["group"] == "company"
    await desk.call("GET", "/v1/value/parameters/9", 404)


EARLIER = """
INSERT INTO value_parameters (version, valid_from, handling_cost, missing_cost_share, fitted_until, document)
VALUES (2, '2026-02-01T00:00:00Z', '{"CNY": 500}', '0.70', '2026-02-01', $1)
"""
OF_ANOTHER_MODEL = """
{"baskets": {}, "parameters": {"groups": {}, "unit_days": 30.4375, "company":
    {"purchases": {"r": 0.2, "alpha": 1, "a": 0.8, "b": 2.4, "first_may_be_last": false}}}}
"""


async def test_parameters_of_an_earlier_releases_model_are_fitted_anew(desk: Desk) -> None:
    facts = ScoringFacts(seed=12, profiles=1)
    monthly(facts, facts.profile(0), 3)
    desk.now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    async with desk.database.transaction() as connection:
        await connection.execute(EARLIER, OF_ANOTHER_MODEL)
    await desk.take(facts.messages)
    value = await desk.value(facts.profile(0))
    assert (value["parameter_version"], value["potential"]["group"]) == (2, "prior")
    assert (await desk.call("GET", "/v1/value/parameters/2", 200))["forecast"] == []
    for _ in range(2):
        await ask_after_upgrade(desk.database, desk.clock)
    await desk.run()
    await ask_after_upgrade(desk.database, desk.clock)
    await desk.run()
    page = await desk.call("GET", "/v1/value/parameters", 200)
    assert [one["version"] for one in page["versions"]] == [3, 2, 1]
    [company] = (await desk.call("GET", "/v1/value/parameters/3", 200))["forecast"][:1]
    assert (company["model"], company["bg_nbd"]) == ("pdo_nbd", {})
    assert company["purchases"].keys() == {"r", "alpha", "a", "b"}


async def test_a_ranking_values_everybody_at_one_instant(desk: Desk) -> None:
    facts = ScoringFacts(seed=6, profiles=5)
    for number in range(5):
        monthly(facts, facts.profile(number), 3, net=100_000 * (number + 1))
    desk.now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    await desk.call("GET", "/v1/value/ranking", 404)
    found = await desk.result("/v1/value/rankings", {"as_of": "2026-03-10"})
    assert (found["customers"], found["valued_on"]) == (5, "2026-03-10")
    ranked: list[dict[str, Any]] = []
    page = await desk.call("GET", "/v1/value/ranking?limit=2", 200)
    ranked += page["customers"]
    while page["next_cursor"] is not None:
        page = await desk.call("GET", f"/v1/value/ranking?limit=2&cursor={page['next_cursor']}", 200)
        ranked += page["customers"]
    assert [one["customer_id"] for one in ranked] == [str(facts.profile(number)) for number in (4, 3, 2, 1, 0)]
    health = await desk.call("GET", "/v1/reports/customer-health", 200)
    assert health["units"][0]["total"]["orders"] == 15
    cohorts = (await desk.call("GET", "/v1/reports/cohorts", 200))["cohorts"]
    assert [(one["month"], one["size"]) for one in cohorts] == [("2026-01-01", 5)]
    months = [(one["complete"], one["customers"], one["retention"]) for one in cohorts[0]["months"]]
    assert months == [(True, 5, "1.0000"), (True, 5, "1.0000"), (False, 5, None)]
    assert [one["complete"] for one in health["units"][0]["months"]] == [True, True, False]
    assert date.fromisoformat(page["valued_on"]) == date(2026, 3, 10)


async def test_a_segment_has_its_members_and_tells_who_came_and_went(desk: Desk) -> None:
    facts = ScoringFacts(seed=7, profiles=3)
    for number in range(3):
        monthly(facts, facts.profile(number), 3, net=100_000 * (number + 1))
    desk.now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    big = {"description": "Buys for much.", "when": {"reading": "value:lifetime", "at_least": 250_000}}
    await desk.activate("segment", big, "big")
    quiet = {"when": {"absent": "purchases", "for": "60 days"}}
    await desk.activate("segment", quiet, "quiet")
    await desk.fire()
    listed = await desk.call("GET", "/v1/segments", 200)
    assert [(one["name"], one["members"]) for one in listed["segments"]] == [("big", 2), ("quiet", 0)]
    members = await desk.call("GET", "/v1/segments/big/members", 200)
    assert {one["customer_id"] for one in members["members"]} == {str(facts.profile(number)) for number in (1, 2)}
    await desk.fire(datetime(2026, 5, 1, 12, tzinfo=UTC))
    assert (await desk.call("GET", "/v1/segments/quiet/members", 200))["count"] == 3
    entered = await desk.told("segment.entered")
    assert {(one["segment"], one["reading"]) for one in entered} >= {("quiet", "window")}
    bought = len(facts.messages)
    desk.now = datetime(2026, 5, 2, 10, tzinfo=UTC)
    facts.state(facts.profile(0), "order.placed", order("more", 260_000), datetime(2026, 5, 2, 9, tzinfo=UTC))
    await desk.take(facts.messages[bought:])
    own = [one for one in await desk.told("segment.entered") if one["customer_id"] == str(facts.profile(0))]
    [grown] = [one for one in own if one["segment"] == "big"]
    assert (grown["condition"], grown["reading"]) == ("/when", "value:lifetime")
    assert int(grown["before"]) < 250_000 <= int(grown["after"])
    [heard] = await desk.told("segment.left")
    assert (heard["segment"], heard["condition"], heard["reading"]) == ("quiet", "/when", "purchases")
    assert (heard["before"], heard["after"]) == ("0", "1")
    await desk.call("POST", "/v1/policies/segment/big/rollback", 200)
    await desk.fire()
    left = {(one["segment"], one["reading"]) for one in await desk.told("segment.left")}
    assert left == {("quiet", "purchases"), ("big", "gone")}
    await desk.call("GET", "/v1/segments/big/members", 404)


async def test_a_policy_is_tried_on_the_past_before_it_is_activated(desk: Desk) -> None:
    facts = ScoringFacts(seed=8, profiles=4)
    for number in range(4):
        monthly(facts, facts.profile(number), 3)
    desk.now = datetime(2026, 5, 25, tzinfo=UTC)
    await desk.take(facts.messages)
    made = await desk.call("PUT", "/v1/policies/tier/default", 201, json={"tiers": [{"name": "big", "at_least": 1}]})
    told = await desk.database.fetch_value("SELECT count(*) FROM event_log")
    trial = await _tried(desk, "tier", made["version"])
    assert (trial["customers"], trial["would_change"]) == (4, 4), trial
    assert len(trial["examples"]) == 4
    assert trial["told"]["before"].keys() == trial["told"]["after"].keys()
    everyone = await desk.call(
        "PUT", "/v1/policies/segment/all", 201, json={"when": {"reading": "indicator:orders", "at_least": 1}}
    )
    trial = await _tried(desk, "segment", everyone["version"], "all")
    assert (trial["matched"], trial["customers"]) == (4, 4)
    assert "whole base" in trial["problem"]
    assert await desk.database.fetch_value("SELECT count(*) FROM event_log") == told, "a trial publishes nothing"


async def _tried(desk: Desk, kind: str, version: int, name: str = "default") -> dict[str, Any]:
    path = f"/v1/policies/{kind}/{name}/simulate"
    asking = asyncio.create_task(desk.call("POST", path, 200, json={"version": version}))
    while not asking.done():
        await desk.run()
        await asyncio.sleep(0.01)
    return await asking


async def test_a_segment_that_is_tried_finds_those_who_are_members_once_it_is_activated(desk: Desk) -> None:
    facts = ScoringFacts(seed=14, profiles=12)
    chance, start = random.Random(14), datetime(2026, 1, 1, 9, tzinfo=UTC)
    await desk.activate("trigger", {"retention": {"fall": {"enter": "0.10", "clear": "0.05"}, "cool_down_days": 7}})
    for number in range(facts.profiles):
        for purchase in range(chance.randrange(2, 6)):
            at = start + timedelta(days=chance.randrange(90))
            facts.state(facts.profile(number), "order.placed", order(f"{number}-{purchase}", 400_000), at)
    desk.now = start + timedelta(days=90)
    await desk.take(facts.messages)
    for day in range(95, 240, 5):
        await desk.fire(start + timedelta(days=day))
    done = len(facts.messages)
    for number in range(4):
        facts.state(facts.profile(number), "order.placed", order(f"{number}-late", 900_000), desk.now)
    await desk.take(facts.messages[done:])
    desk.now += timedelta(days=1)  # some timers are due by now and not fired
    tried = {
        "alarmed": {"reading": "alarm:silence", "is": True},
        "retention": {"reading": "trigger:retention", "is": True},
        "fading": {"reading": "value:potential", "less_than": 500_000},
        "silent": {"absent": "purchases", "for": "120 days"},
        "rare": {"reading": "indicator:recency_days", "at_least": 170},
    }
    for name, when in tried.items():
        made = await desk.call("PUT", f"/v1/policies/segment/{name}", 201, json={"when": when})
        trial = await _tried(desk, "segment", made["version"], name)
        await desk.call("POST", f"/v1/policies/segment/{name}/activate", 200, json={"version": made["version"]})
        await desk.fire()
        members = (await desk.call("GET", f"/v1/segments/{name}/members", 200))["members"]
        assert set(trial["examples"]) == {one["customer_id"] for one in members}, name
        assert 0 < trial["matched"] == len(members) < 12, name


async def test_a_policy_that_nobody_would_act_on_is_refused(desk: Desk) -> None:
    for path in ("tier/default?unit=cn", "tier/mine", "segment/big?unit=cn"):
        problem = await desk.call("PUT", f"/v1/policies/{path}", 422, json={})
        assert problem["errors"][0]["code"] == "not_allowed"
    zero = {"tiers": [{"name": "a", "at_least": 1}, {"name": "b", "at_least": 1}]}
    await desk.call("POST", "/v1/policies/tier/default/validate", 422, json=zero)
    never = {"when": {"all": [{"reading": "value:total", "at_least": 2}, {"reading": "value:total", "at_most": 1}]}}
    await desk.call("POST", "/v1/policies/segment/never/validate", 422, json=never)
    await desk.call("POST", "/v1/policies/value/default/validate", 422, json={"model": {"wins": 0}})


async def test_a_ranking_says_of_each_customer_what_its_value_says_as_of_that_day(desk: Desk) -> None:
    facts = ScoringFacts(seed=11, profiles=3)
    for number in range(3):
        monthly(facts, facts.profile(number), 3, net=100_000 * (number + 1))
    desk.now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    await desk.result("/v1/value/rankings", {"as_of": "2026-04-02"})
    for ranked in (await desk.call("GET", "/v1/value/ranking", 200))["customers"]:
        value = await desk.value(UUID(ranked["customer_id"]), as_of="2026-04-02")
        assert value["total"]["amount"] == ranked["total"]
        assert value["contemporary"]["last_90_days"][0]["amount"] == ranked["contemporary"]
        assert value["potential"]["value"]["amount"] == ranked["potential"]
        assert (value["tier"]["name"], value["stage"]["name"]) == (ranked["tier"], ranked["stage"])
        least, most = value["potential"]["orders_interval"]
        assert least <= float(value["potential"]["expected_orders"]) <= most


async def test_a_backtest_says_how_the_forecast_would_have_done(desk: Desk) -> None:
    facts = ScoringFacts(seed=9, profiles=3)
    for number in range(3):
        monthly(facts, facts.profile(number), 4)
    desk.now = datetime(2026, 5, 1, tzinfo=UTC)
    await desk.take(facts.messages)
    found = await desk.result("/v1/value/backtest", {"fit_until": "2026-02-15", "horizon_days": 60})
    assert (found["customers"], found["purchases"]) == (3, 6)
    assert found["forecasts"]["naive"]["mean_absolute_error"] is not None
    asked = await desk.call("POST", "/v1/value/backtest", 202, json={"fit_until": "2020-01-01"})
    await desk.run()
    failed = await desk.call("GET", f"/v1/value/runs/{asked['run_id']}", 200)
    assert (failed["state"], "nobody had bought" in failed["result"]["problem"]) == ("failed", True)
    await desk.call("POST", "/v1/value/backtest", 422, json={"fit_until": "2026-02-15", "horizon_days": 0})


async def test_every_event_of_a_customer_is_numbered_with_the_others(desk: Desk) -> None:
    facts = ScoringFacts(seed=10, profiles=2)
    monthly(facts, facts.profile(0), 3)
    desk.now = datetime(2026, 3, 1, 10, tzinfo=UTC)
    await desk.take(facts.messages)
    await desk.fire(datetime(2026, 9, 1, tzinfo=UTC))
    gaps = await desk.database.fetch(
        "SELECT aggregate FROM event_log GROUP BY aggregate HAVING count(*) <> max(sequence) OR min(sequence) <> 1"
    )
    assert gaps == []
    known = {event_type.wire for event_type in EVENT_TYPES}
    assert {row["type"] for row in await desk.database.fetch("SELECT DISTINCT type FROM event_log")} <= known
