"""A merge and its undo through all services: view, timeline, tickets, ledger and streams follow, and part again."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.stack import Stack
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = ("interactions", "commerce", "tickets", "assets")


def touchpoint(record: str, kind: str, data: dict[str, Any], day: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "erp",
        "kind": kind,
        "occurred_at": f"2026-03-{day:02d}T08:00:00+08:00",
        "source": {"system": "merge-erp", "record": record},
        "data": data,
        **more,
    }


def order(record: str, net: int, day: int) -> dict[str, Any]:
    line = {"line": "1", "sku": "P", "quantity": "1", "net": net, "tax": 0, "cost": net // 2}
    total = {"order": str(uuid4()), "currency": "CNY", "net": net, "tax": 0, "gross": net}
    return touchpoint(record, "order.placed", total | {"lines": [line]}, day)


def call(record: str, subject: str, day: int) -> dict[str, Any]:
    return touchpoint(record, "call.ended", {"direction": "inbound", "subject": subject}, day, channel="phone")


async def customer(caller: Caller, name: str, net: int) -> tuple[str, str, list[str]]:
    """A customer with a record, a call, an order, a vehicle and a ticket; answers record, id and events."""
    record = str(uuid4())
    facts = [
        touchpoint(record, "profile.reported", {"kind": "person", "name": {"display": name}}, 1),
        call(record, f"call of {name}", 2),
        order(record, net, 3),
        touchpoint(record, "asset.delivered", {"serial": f"M{uuid4().hex[:12]}", "type": "vehicle"}, 4),
    ]
    events = [await caller.report(fact) for fact in facts]
    customer_id = (await caller.status(events[0]))["customer_id"]
    await caller.until_status("GET", f"/v1/customers/{customer_id}/record", 200)
    events.append(await ticket(caller, customer_id, f"ticket of {name}"))
    return record, customer_id, events


async def ticket(caller: Caller, customer_id: str, subject: str) -> str:
    """Opens a ticket as soon as the ticket service knows the customer; answers the event."""
    body = {"kind": "repair", "customer": {"id": customer_id}, "subject": subject}

    async def opened() -> str | None:
        answer = await caller.client.post("/v1/tickets", json=body)
        return answer.headers["rapport-event-id"] if answer.status_code == 201 else None

    return str(await until("a ticket is opened", opened))


async def revenue(caller: Caller, customer_id: str) -> int | None:
    """Lifetime revenue of a customer as scoring has it, net."""
    answer = await caller.client.get(f"/v1/customers/{customer_id}/value", follow_redirects=True)
    if answer.status_code != 200:
        return None
    return sum(int(line["amount"]) for line in answer.json()["lines"] if line["part"] == "revenue")


async def until_revenue(caller: Caller, customer_id: str, net: int) -> None:
    async def so() -> bool:
        return await revenue(caller, customer_id) == net

    await until(f"the ledger of the customer shows {net}", so)


async def until_asset(caller: Caller, customer_id: str, count: int) -> None:
    async def so() -> bool:
        answer = await caller.client.get(f"/v1/customers/{customer_id}?sections=assets", follow_redirects=True)
        return answer.status_code == 200 and len(answer.json()["assets"]) == count

    await until(f"the customer shows {count} assets", so)


async def sections(caller: Caller, customer_id: str, after: str) -> dict[str, Any]:
    view = await caller.view(customer_id, after, settled=True)
    return {name: view[name] for name in OWN}


async def test_both_customers_are_as_if_the_merge_had_never_been(caller: Caller, stack: Stack) -> None:
    record_a, a, events_a = await customer(caller, "安娜", 10_000)
    record_b, b, events_b = await customer(caller, "贝拉", 2_500)
    for customer_id, net in ((a, 10_000), (b, 2_500)):
        await until_revenue(caller, customer_id, net)
        await until_asset(caller, customer_id, 1)
    before = {a: await sections(caller, a, ",".join(events_a)), b: await sections(caller, b, ",".join(events_b))}

    moved = asyncio.create_task(_moved(caller, b))
    made = await caller.call("POST", "/v1/merges", 201, json={"into": a, "from": [b]})
    merged = made.headers["rapport-event-id"]
    view = await caller.view(a, merged)
    assert (await moved)["customer_id"] == a
    assert view["interactions"]["count"] == 2
    assert {one["subject"] for one in view["tickets"]["open"]} == {"ticket of 安娜", "ticket of 贝拉"}
    assert len(view["assets"]) == 2
    assert len(view["identity"]["profiles"]) == 2
    await caller.call("GET", f"/v1/customers/{b}", 307)
    await until_revenue(caller, a, 12_500)
    page = (await caller.call("GET", f"/v1/customers/{a}/timeline", 200)).json()
    # what was noticed of the value belongs to the customer, and to no profile
    assert {entry["profile_id"] for entry in page["entries"] if entry["profile_id"]} == {a, b}
    assert {entry["data"]["customer_id"] for entry in page["entries"] if not entry["profile_id"]} <= {a}
    tickets = (await caller.call("GET", f"/v1/tickets?customer_id={a}", 200)).json()["tickets"]
    assert {one["customer_id"] for one in tickets} == {a}

    meanwhile = [await caller.report(call(record_b, "meanwhile", 5)), await caller.report(order(record_a, 7, 6))]
    await until_revenue(caller, a, 12_507)
    meanwhile.append(await ticket(caller, b, "meanwhile"))

    merge_id = made.json()["merges"][0]["merge_id"]
    undone = (await caller.call("POST", f"/v1/merges/{merge_id}/undo", 200)).headers["rapport-event-id"]
    after = {one: await sections(caller, one, ",".join([undone, *meanwhile])) for one in (a, b)}
    await until_revenue(caller, a, 10_007)
    await until_revenue(caller, b, 2_500)
    assert after[a]["interactions"] == before[a]["interactions"]
    assert after[a]["tickets"] == before[a]["tickets"]
    assert after[b]["commerce"] == before[b]["commerce"]
    assert (after[a]["assets"], after[b]["assets"]) == (before[a]["assets"], before[b]["assets"])
    assert after[b]["interactions"]["count"] == 2
    assert after[a]["commerce"]["orders"] == 2
    assert not any(one["commerce"]["settling"] for one in after.values())
    assert {one["subject"] for one in after[b]["tickets"]["open"]} == {"ticket of 贝拉", "meanwhile"}
    page = (await caller.call("GET", f"/v1/customers/{b}/timeline", 200)).json()
    assert {entry["profile_id"] for entry in page["entries"] if entry["profile_id"]} == {b}


async def _moved(caller: Caller, customer_id: str) -> dict[str, Any]:
    """What the stream of a customer says when it is merged away."""
    event = ""
    async with caller.client.stream("GET", f"/v1/customers/{customer_id}/stream") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event == "moved":
                return dict(json.loads(line.removeprefix("data: ")))
    raise AssertionError("the stream ended without saying where the customer went")


async def test_a_field_is_explained_with_its_source_its_rule_and_what_others_state(caller: Caller) -> None:
    _, a, _ = await customer(caller, "安娜", 100)
    _, b, _ = await customer(caller, "Anna", 100)
    body = {"name": {"display": "安娜·魏斯"}}
    await caller.call("PATCH", f"/v1/customers/{b}/record", 200, json=body)
    merged = await caller.call("POST", "/v1/merges", 201, json={"into": a, "from": [b]})
    await caller.view(a, merged.headers["rapport-event-id"])
    told = (await caller.call("GET", f"/v1/customers/{a}/explain?field=identity.name", 200)).json()
    assert (told["value"], told["rule"], told["profile_id"]) == ({"display": "安娜·魏斯"}, "manual", b)
    # Both records state their name at one instant: which of the two is the stronger is their ids' to say.
    losers = [(loser["value"]["display"], loser["profile_id"]) for loser in told["losers"]]
    assert sorted(losers) == sorted([("安娜", a), ("Anna", b)])
    await caller.call("GET", f"/v1/customers/{b}/explain?field=identity.name", 307)
    nothing = (await caller.call("GET", f"/v1/customers/{a}/explain?field=identity.birth_date", 200)).json()
    assert (nothing["value"], nothing["rule"]) == (None, "nobody")
    await caller.call("GET", f"/v1/customers/{a}/explain?field=colour", 422)


async def test_two_like_records_are_found_merged_by_a_person_and_parted_again(caller: Caller) -> None:
    name = f"{uuid4().hex[:6]} {uuid4().hex[:8]}"
    data = {"kind": "person", "name": {"display": name}, "addresses": [{"city": "Ulm", "street": f"{name} 7"}]}
    ids = [await caller.report(touchpoint(str(uuid4()), "profile.reported", data, 1)) for _ in range(2)]
    customers = {(await caller.status(event))["customer_id"] for event in ids}

    async def suspected() -> dict[str, Any] | None:
        path = f"/v1/merge-candidates?customer_id={min(customers)}"
        found = (await caller.call("GET", path, 200)).json()["candidates"]
        return found[0] if found else None

    candidate = await until("the two are suspected to be one", suspected)
    assert candidate is not None
    assert {side["customer_id"] for side in candidate["sides"]} == customers
    path = f"/v1/merge-candidates/{candidate['candidate_id']}/decision"
    answer = await caller.call("POST", path, 200, json={"decision": "merge"})
    stays = answer.json()["customer_id"]
    view = await caller.view(stays, answer.headers["rapport-event-id"])
    assert len(view["identity"]["profiles"]) == 2
    undone = await caller.call("POST", f"/v1/merges/{answer.json()['merge_id']}/undo", 200)
    view = await caller.view(stays, undone.headers["rapport-event-id"])
    assert len(view["identity"]["profiles"]) == 1
