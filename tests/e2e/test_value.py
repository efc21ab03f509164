"""What a customer is worth: from reported orders, invoices and payments to view, ledger, explanation and segment."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.stack import Stack
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

NET, COST = 3_000_000, 1_000_000
TIERS = [
    {"name": "gold", "at_least": 2_000_000, "conditions": [{"indicator": "late_ratio", "at_most": 0.25}]},
    {"name": "silver", "at_least": 500_000},
]


class Company:
    """A company that an ERP reports, some days ago each."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.record = str(uuid4())
        self.customer_id = ""
        self.events: list[str] = []

    def day(self, days_ago: int) -> date:
        return (self.now - timedelta(days=days_ago)).date()

    async def report(self, kind: str, days_ago: int, data: dict[str, Any]) -> str:
        touchpoint = {
            "id": str(uuid4()),
            "channel": "erp",
            "kind": kind,
            "occurred_at": (self.now - timedelta(days=days_ago)).isoformat(),
            "source": {"system": "erp-value-test", "record": self.record},
            "data": data,
        }
        self.events.append(await self.caller.report(touchpoint))
        return self.events[-1]

    async def order(self, number: int, days_ago: int) -> str:
        lines = [{"line": "1", "sku": "F-1", "category": "filters", "quantity": "10", "net": NET, "cost": COST}]
        data = {"order": f"{self.record}-{number}", "currency": "CNY", "net": NET, "gross": NET, "lines": lines}
        return await self.report("order.placed", days_ago, data)

    async def late_payment(self, number: int, days_ago: int, days_late: int) -> None:
        """The order is invoiced, is due, and is paid late."""
        invoice, due_on = f"{self.record}-i{number}", self.day(days_ago - 10).isoformat()
        line = {"line": "1", "order": f"{self.record}-{number}", "order_line": "1", "quantity": "10", "net": NET}
        terms = [{"due_on": due_on, "amount": NET}]
        document = {"invoice": invoice, "currency": "CNY", "net": NET, "gross": NET, "lines": [line], "terms": terms}
        await self.report("invoice.issued", days_ago, document)
        paid = {"payment": f"{self.record}-p{number}", "currency": "CNY", "amount": NET}
        allocations = [{"invoice": invoice, "amount": NET}]
        await self.report("payment.received", days_ago - 10 - days_late, {**paid, "allocations": allocations})

    async def settled(self) -> dict[str, Any]:
        """The view, once it and the value in it reflect all that was reported."""
        status = await self.caller.status(self.events[0])
        self.customer_id = status["customer_id"]
        path = f"/v1/customers/{self.customer_id}?settled=true&wait_ms=30000&after={','.join(self.events)}"
        return dict((await self.caller.call("GET", path, 200)).json())

    async def get(self, path: str, status: int = 200) -> dict[str, Any]:
        return dict((await self.caller.call("GET", f"/v1/customers/{self.customer_id}{path}", status)).json())


async def company(caller: Caller) -> Company:
    """Three orders of the last six weeks, the first of which was paid ten days late."""
    made = Company(caller)
    await made.order(1, 40)
    await made.settled()
    for number, days_ago in ((2, 20), (3, 5)):
        await made.order(number, days_ago)
    await made.late_payment(1, days_ago=40, days_late=10)
    return made


@asynccontextmanager
async def in_force(caller: Caller, kind: str, name: str, document: dict[str, Any]) -> AsyncIterator[int]:
    """A policy is made and activated; afterwards what was before is in force again. Yields the version."""
    path = f"/v1/policies/{kind}/{name}"
    version = (await caller.call("PUT", path, 201, json=document)).json()["version"]
    await caller.call("POST", f"{path}/activate", 200, json={"version": version})
    try:
        yield int(version)
    finally:
        await caller.call("POST", f"{path}/rollback", 200)


async def test_a_value_is_settled_and_its_lines_add_up(caller: Caller) -> None:
    made = await company(caller)
    view = (await made.settled())["value"]
    assert view["contemporary"]["lifetime_parts"]["revenue"] == [{"amount": 3 * NET, "currency": "CNY"}]
    assert view["contemporary"]["last_90_days"] == view["contemporary"]["lifetime"]
    assert (view["stage"]["name"], view["potential"]["reason"]) == ("developing", None)
    assert view["total"]["amount"] > view["contemporary"]["lifetime"][0]["amount"] > 0
    page = await made.get("/value?limit=4")
    assert page["sequence"] > 0
    assert page["tier"] == view["tier"]
    lines, answered = list(page["lines"]), page
    while page["next_cursor"]:
        page = await made.get(f"/value?limit=4&cursor={page['next_cursor']}")
        lines += page["lines"]
    assert len(lines) == answered["line_count"] == view["lines"]
    assert {line["event_id"] for line in lines} <= set(made.events)
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line["part"]] += line["amount"]
    stated = answered["contemporary"]
    assert dict(sums) == {part: amounts[0]["amount"] for part, amounts in stated["lifetime_parts"].items()}
    assert sum(sums.values()) == stated["lifetime"][0]["amount"]
    assert sums["receivable_interest"] < 0 < sums["revenue"]


async def test_what_is_reported_next_is_in_the_value_at_once(caller: Caller) -> None:
    made = Company(caller)
    for number in range(1, 6):
        await made.order(number, 30 - number)
        value = (await made.settled())["value"]
        assert value["contemporary"]["lifetime_parts"]["revenue"][0]["amount"] == number * NET
    await made.report("call.ended", 1, {"direction": "inbound", "effort": {"talk_s": 600}})
    assert (await made.settled())["value"]["contemporary"]["lifetime_parts"]["contact_cost"][0]["amount"] < 0


async def test_after_an_order_the_figures_are_shown_and_only_who_asks_for_them_waits(
    caller: Caller, stack: Stack
) -> None:
    made = Company(caller)
    await made.order(1, 2)
    await made.settled()
    await stack.supervisor.kill("scoring", stay_down=True)
    try:
        await made.order(2, 1)
        path = f"/v1/customers/{made.customer_id}?after={made.events[-1]}"
        await caller.call("GET", f"{path}&wait_ms=20000&sections=identity,interactions", 200)
        for sections in ("", "&sections=commerce", "&sections=value"):
            await caller.call("GET", f"{path}&wait_ms=100{sections}", 503)
        shown = (await caller.call("GET", f"/v1/customers/{made.customer_id}", 200)).json()
        assert shown["commerce"]["orders"] == 1
    finally:
        stack.supervisor.start("scoring")
    await stack.supervisor.wait_ready(f"{stack.addresses.url('scoring')}/readyz")
    await caller.until_status("GET", f"{path}&wait_ms=1000", 200)
    view = (await caller.call("GET", f"{path}&wait_ms=30000", 200)).json()
    assert (view["commerce"]["orders"], view["commerce"]["settling"]) == (2, False)
    assert view["commerce"]["revenue"] == [{"amount": 2 * NET, "currency": "CNY"}]
    assert view["value"]["contemporary"]["lifetime_parts"]["revenue"] == view["commerce"]["revenue"]
    retracted = await caller.call(
        "POST", f"/v1/touchpoints/{made.events[-1]}/retractions", 201, json={"reason": "reported_in_error"}
    )
    event = retracted.headers["rapport-event-id"]
    view = (await caller.call("GET", f"/v1/customers/{made.customer_id}?after={event}&wait_ms=30000", 200)).json()
    assert view["commerce"]["orders"] == 1


async def test_a_value_of_a_day_and_as_it_was_known(caller: Caller) -> None:
    made = Company(caller)
    await made.order(1, 40)
    await made.settled()
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    await made.order(2, 60)
    await made.settled()

    async def revenue(query: str) -> int:
        parts = (await made.get(f"/value?{query}"))["contemporary"]["lifetime_parts"]
        return int(parts["revenue"][0]["amount"]) if "revenue" in parts else 0

    assert await revenue(f"as_of={made.day(50)}") == NET
    assert await revenue(f"as_of={made.day(1)}") == 2 * NET
    assert await revenue(f"known_at={moment}") == NET
    assert await revenue(f"as_of={made.day(50)}&known_at={moment}") == 0


async def test_a_tier_says_what_it_rests_on_and_what_the_next_asks(caller: Caller) -> None:
    made = await company(caller)
    await made.settled()
    async with in_force(caller, "tier", "default", {"tiers": TIERS}) as version:

        async def tiered() -> Any:
            value = (await made.get("?sections=value"))["value"]
            return value if value["tier_policy_version"] == version else None

        value = await until("the tier under the new policy", tiered)
        assert (value["tier"]["name"], value["tier"]["next"], value["tier"]["missing"]["amount"]) == (
            "silver",
            "gold",
            0,
        )
        told = await made.get("/explain?field=value.tier")
        assert told["value"] == value["tier"]
        assert (told["rule"]["version"], told["rule"]["measure"], told["rule"]["met"]["at_least"]) == (
            *(version, "last_90_days"),
            500_000,
        )
        assert told["figures"]["figure"]["amount"] == value["contemporary"]["last_90_days"][0]["amount"]
        [condition] = told["rule"]["next"]["conditions"]
        assert (told["rule"]["next"]["tier"], condition["indicator"], condition["holds"]) == (
            "gold",
            "late_ratio",
            False,
        )
        assert set(told["events"]) <= set(made.events)
        assert told["events"]
    stage = await made.get("/explain?field=value.stage")
    assert (stage["value"]["name"], stage["figures"]["purchase_days"]) == ("developing", 3)
    assert {one["type"] for one in stage["decisions"]} == {"customer.stage_changed"}
    cost = await made.get("/explain?field=value.contemporary.product_cost")
    assert sum(line["amount"] for line in cost["lines"]) == cost["value"]["lifetime"][0]["amount"] == -3 * COST
    for field in ("value.potential", "value.model", "value.total", "value.alarms"):
        assert (await made.get(f"/explain?field={field}"))["field"] == field
    await made.get("/explain?field=value.luck", 422)


async def test_a_customer_enters_a_segment_and_leaves_it(caller: Caller) -> None:
    made = await company(caller)
    await made.settled()
    name = f"filters-{uuid4().hex[:8]}"
    document = {"description": "Buys for much.", "when": {"reading": "value:lifetime", "at_least": NET}}

    async def segments() -> list[str]:
        return list((await made.get("?sections=segments"))["segments"])

    async def member() -> bool:
        return name in await segments()

    async with in_force(caller, "segment", name, document) as version:
        await until("the segment in the view", member)
        listed = (await caller.call("GET", "/v1/segments", 200)).json()["segments"]
        assert next(one for one in listed if one["name"] == name)["members"] >= 1
        members = (await caller.call("GET", f"/v1/segments/{name}/members?limit=200", 200)).json()["members"]
        assert made.customer_id in {one["customer_id"] for one in members}
        told = await made.get(f"/explain?field=segments.{name}")
        assert (told["value"], told["rule"]["version"]) == (True, version)
        assert [one["data"]["segment"] for one in told["decisions"]] == [name]
        [entry] = (await made.get("/timeline?kind=segment.entered"))["entries"]
        assert (entry["type"], entry["data"]["segment"]) == ("segment.entered", name)
        stages = [one["data"] for one in (await made.get("/timeline?kind=customer.stage_changed"))["entries"]]
        assert [(one["before"], one["after"]) for one in stages] == [("first_order", "developing")]
        whole = (await made.get("/timeline?limit=200"))["entries"]
        assert {"segment.entered", "customer.stage_changed"} <= {one["type"] for one in whole}
        assert [one["occurred_at"] for one in whole] == sorted((one["occurred_at"] for one in whole), reverse=True)
        assert "segment.entered" not in {one["type"] for one in (await made.get("/timeline?channel=erp"))["entries"]}

    async def left() -> bool:
        return name not in await segments()

    await until("the segment out of the view", left)
    kinds = [one["type"] for one in (await made.get("/timeline?limit=2"))["entries"]]
    assert kinds[0] == "segment.left"


async def test_a_reason_to_act_becomes_work_and_is_withdrawn_with_it(caller: Caller) -> None:
    made, owner = Company(caller), f"agent-{uuid4().hex[:8]}"
    await made.report("profile.reported", 60, {"kind": "company", "name": {"display": "Ulm Filters"}})
    for number, days_ago in ((1, 42), (2, 28), (3, 14)):
        await made.order(number, days_ago)
    await made.settled()
    await caller.call("PUT", f"/v1/customers/{made.customer_id}/owner", 200, json={"owner": owner})

    async def wallet(of_the_sales: int) -> None:
        """It spends so many times on filters what it bought here a month: three orders in ninety days."""
        data = {"category": "filters", "currency": "CNY", "amount": of_the_sales * NET, "basis": "declared"}
        await made.report("wallet.reported", 1 if of_the_sales > 1 else 0, data | {"from": str(made.day(1))})
        await made.settled()

    async def opened() -> Any:
        return (await caller.call("GET", f"/v1/tickets?customer_id={made.customer_id}", 200)).json()["tickets"]

    async def ended() -> Any:
        return [ticket for ticket in await opened() if not ticket["open"]]

    document = {"plays": {"offer": {"reason": "trigger:growth", "kind": "opportunity", "subject": "拟一份报价"}}}
    async with in_force(caller, "playbook", "default", document) as version:
        await wallet(10)
        [ticket] = await until("an opportunity", opened)
        assert (ticket["kind"], ticket["state"], ticket["owner"]) == ("opportunity", "new", owner)
        origin = ticket["origin"]
        assert (origin["play"], origin["playbook_version"], origin["reason"]) == ("offer", version, "trigger:growth")
        assert float(origin["figures"]["share_of_wallet"]) < 0.5

        async def in_view() -> bool:
            tickets = (await made.get("?sections=tickets"))["tickets"]
            return bool(tickets) and [(one["number"], one["origin"]) for one in tickets["open"]] == [
                (ticket["number"], origin)
            ]

        await until("the opportunity in the view", in_view)
        await wallet(1)
        [withdrawn] = await until("the end of its reason", ended)
        assert (withdrawn["number"], withdrawn["state"]) == (ticket["number"], "needless")
        tried = await caller.call("POST", "/v1/policies/playbook/default/simulate", 200, json={"version": version})
        assert tried.json()["plays"]["offer"]["tickets"] >= 1


async def test_a_ranking_values_everybody_on_one_day(caller: Caller) -> None:
    made = await company(caller)
    view = await made.settled()
    asked = (await caller.call("POST", "/v1/value/rankings", 202, json={"as_of": str(made.day(0))})).json()

    async def ended() -> Any:
        run = (await caller.call("GET", f"/v1/value/runs/{asked['run_id']}?wait_ms=10000", 200)).json()
        return run if run["state"] in ("finished", "failed") else None

    assert (await until("the ranking", ended))["state"] == "finished"
    found, cursor, totals = None, "", []
    while found is None:
        path = f"/v1/value/ranking?run={asked['run_id']}&by=contemporary&limit=200{cursor}"
        page = (await caller.call("GET", path, 200)).json()
        totals += [one["contemporary"] for one in page["customers"]]
        found = next((one for one in page["customers"] if one["customer_id"] == made.customer_id), None)
        assert found or page["next_cursor"], "the customer is not in the ranking"
        cursor = f"&cursor={page['next_cursor']}"
    assert totals == sorted(totals, reverse=True)
    assert (found["stage"], found["contemporary"] > 0) == (view["value"]["stage"]["name"], True)
    await caller.call("GET", "/v1/reports/customer-health", 200)
    await caller.call("GET", "/v1/reports/cohorts", 200)
    await caller.call("GET", "/v1/value/parameters", 200)


async def test_an_isolated_units_customers_are_in_no_others_lists(caller: Caller) -> None:
    await caller.until_status("GET", "/v1/units", 200)
    root = f"worth{uuid4().hex[:8]}"
    unit = {"name": "A unit", "time_zone": "UTC", "currency": "CNY", "phone_region": "CN"}
    events = []
    for path, isolated in ((root, False), (f"{root}/own", True), (f"{root}/other", False)):
        put = await caller.call("PUT", f"/v1/units/{path}", 201, json=unit | {"isolated": isolated})
        events.append(put.headers["rapport-event-id"])
    made = await company(caller)
    profile = {"kind": "company", "name": {"display": f"Ulm {root}"}}
    await made.report("profile.reported", 41, profile)
    status = await caller.status(made.events[0])
    headers = {"Content-Type": "application/json"}
    body = {"name": root, "channel": "*", "scopes": ["customers:read", "values:read", "segments:read"]}
    keys = {}
    for place in ("own", "other"):
        key = (await caller.call("POST", "/v1/keys", 201, json=body | {"unit": f"{root}/{place}"})).json()["key"]
        keys[place] = headers | {"Authorization": f"Bearer {key}"}
    await made.settled()
    path = f"/v1/customers/{status['customer_id']}"

    async def isolation_is_known() -> bool:
        return (await caller.client.get(path, headers=keys["own"])).status_code == 404

    await until("the view knows that the unit is isolated", isolation_is_known)
    for hidden in ("/value", "/explain?field=value.tier", "?settled=true"):
        await caller.call("GET", path + hidden, 404, headers=keys["own"])
    await caller.call("GET", f"{path}/value", 200, headers=keys["other"])
    for closed in ("/v1/reports/cohorts", f"/v1/value/runs/{uuid4()}"):
        await caller.call("GET", closed, 403, headers=keys["other"])
    listed = (await caller.call("GET", "/v1/segments", 200, headers=keys["other"])).json()["segments"]
    assert {one["members"] for one in listed} <= {None}
