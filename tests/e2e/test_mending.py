"""What was not recorded, or not at the right customer, is mended; then the view is as if it had never been wrong."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import INTAKE, TOUCHPOINT_REPORTED
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from tests.e2e.test_one_view import call, phone_number
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def produce(stack: Stack, touchpoints: Sequence[dict[str, Any]]) -> None:
    """A connector writes touchpoints straight to the topic: nobody checks them before."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.infrastructure.kafka)
    await producer.start()
    try:
        headers = [("ce_type", TOUCHPOINT_REPORTED.encode()), ("ce_source", b"/connector")]
        for touchpoint in touchpoints:
            value = json.dumps(touchpoint).encode()
            await producer.send_and_wait(INTAKE.name, value, touchpoint["id"].encode(), headers=headers)
    finally:
        await producer.stop()


async def item_of(caller: Caller, touchpoint_id: str) -> str:
    """The quarantine id of a touchpoint."""
    page = (await caller.call("GET", "/v1/quarantine?limit=200", 200)).json()
    return str(next(i["quarantine_id"] for i in page["quarantined"] if i["touchpoint_id"] == touchpoint_id))


async def make_unit(caller: Caller, path: str) -> None:
    body = {"name": path, "time_zone": "Asia/Shanghai", "currency": "CNY", "phone_region": "CN"}
    await caller.call("PUT", f"/v1/units/{path}", 201, json=body)


async def quarantined_in_view(caller: Caller) -> int:
    return int((await caller.call("GET", "/v1/freshness", 200)).json()["quarantined"])


async def until_replayed(caller: Caller, rule: dict[str, Any]) -> int:
    """Replays until nothing of the rule is left, for the unit is on its way; answers how many were recorded."""
    recorded = 0

    async def nothing_left() -> bool:
        nonlocal recorded
        answer = await caller.client.post("/v1/quarantine/replay", json=rule)
        if answer.status_code == 503:
            return False
        assert answer.status_code == 200, answer.text
        recorded += answer.json()["recorded"]
        return bool(answer.json()["matching"] == 0)

    await until("an empty quarantine", nothing_left)
    return recorded


def anonymised(section: dict[str, Any]) -> dict[str, Any]:
    """What two customers with the same contacts have alike."""
    return {**section, "last": [{k: v for k, v in line.items() if not k.endswith("_id")} for line in section["last"]]}


async def test_the_view_after_mending_is_that_of_a_clean_run(caller: Caller, stack: Stack) -> None:
    clean, mended, unit = phone_number(), phone_number(), f"cn/{uuid4().hex[:8]}"
    times = [f"2026-03-01T0{hour}:30:00+08:00" for hour in range(1, 4)]
    right = [call(clean, conversation=f"clean-{clean}", occurred_at=at) for at in times]
    for touchpoint in right:
        await caller.report(touchpoint)
    wrong = [call(mended, conversation=f"wrong-{mended}", occurred_at=at, unit=unit) for at in times]
    await produce(stack, wrong)
    for touchpoint in wrong:
        status = await caller.status(touchpoint["id"])
        assert (status["state"], status["reason"]) == ("quarantined", "unknown_unit")
    waited = f"after={wrong[0]['id']}&wait_ms=20000"
    await caller.call("GET", f"/v1/customers/{uuid4()}?{waited}", 422)
    count = await quarantined_in_view(caller)

    path = f"/v1/quarantine/{await item_of(caller, wrong[1]['id'])}"
    dry = (await caller.call("POST", f"{path}/replay", 200, json={"dry_run": True})).json()
    assert (dry["would_record"], [error["pointer"] for error in dry["errors"]]) == (False, ["/unit"])
    patch = [{"op": "remove", "path": "/unit"}]
    fixed = await caller.call("POST", f"{path}/fix", 200, json={"patch": patch})
    events = fixed.headers["rapport-event-id"]
    assert events.split(",")[0] == wrong[1]["id"]
    view = await caller.view(fixed.json()["profile_id"], events)
    assert view["interactions"]["count"] == 1, "no 422, though the view may not have heard of the mending"
    assert (await caller.status(wrong[1]["id"]))["state"] == "recorded"

    await make_unit(caller, unit)
    recorded = await until_replayed(caller, {"reason": "unknown_unit", "kind": "call.ended"})
    assert recorded >= 2
    view = await caller.view(fixed.json()["profile_id"], ",".join(touchpoint["id"] for touchpoint in wrong[1:2]))
    for touchpoint in wrong:
        await until_recorded(caller, touchpoint["id"])
    view = await caller.view(fixed.json()["profile_id"], ",".join(touchpoint["id"] for touchpoint in wrong))
    expected = await caller.view((await caller.status(right[0]["id"]))["customer_id"], ",".join(t["id"] for t in right))
    assert anonymised(view["interactions"]) == anonymised(expected["interactions"])
    assert view["promises"] == expected["promises"]

    async def fallen() -> bool:
        return await quarantined_in_view(caller) <= count - 3

    await until("a smaller quarantine in the view", fallen)


async def until_recorded(caller: Caller, touchpoint_id: str) -> None:
    async def recorded() -> bool:
        return bool((await caller.status(touchpoint_id))["state"] == "recorded")

    await until("a recorded touchpoint", recorded)


async def test_what_is_dismissed_is_said_to_be(caller: Caller, stack: Stack) -> None:
    torn = call(phone_number(), kind="call.imagined")
    await produce(stack, [torn])
    assert (await caller.status(torn["id"]))["state"] == "quarantined"
    path = f"/v1/quarantine/{await item_of(caller, torn['id'])}"
    await caller.call("POST", f"{path}/dismiss", 200, json={"reason": "unusable"})

    async def dismissed() -> bool:
        return await caller.status(torn["id"]) == {"state": "dismissed", "reason": "unusable"}

    await until("the dismissal in the view", dismissed)
    await caller.call("GET", f"/v1/customers/{uuid4()}?after={torn['id']}&wait_ms=20000", 422)


async def test_a_replay_that_is_killed_in_the_middle_records_each_once(caller: Caller, stack: Stack) -> None:
    number, unit = phone_number(), f"cn/{uuid4().hex[:8]}"
    wrong = [call(number, unit=unit, source={"system": f"killed-{number}"}) for _ in range(60)]
    await produce(stack, wrong)
    for touchpoint in wrong:
        assert (await caller.status(touchpoint["id"]))["state"] == "quarantined"
    await make_unit(caller, unit)
    rule = {"source": f"killed-{number}", "limit": 50}

    async def known() -> bool:
        dry = (await caller.call("POST", "/v1/quarantine/replay", 200, json=rule | {"dry_run": True})).json()
        return bool(dry["recorded"] == dry["examined"])

    await until("the unit at the interaction service", known)
    first = (await caller.call("POST", "/v1/quarantine/replay", 200, json=rule | {"limit": 10})).json()
    assert (first["matching"], first["recorded"]) == (60, 10)
    async with _under_way(caller.client.post("/v1/quarantine/replay", json=rule)):
        await until("a replay under way", lambda: _left(caller, rule, below=50))
        await stack.supervisor.kill("interaction", signal.SIGKILL)
    await until_replayed(caller, rule)
    ids = [touchpoint["id"] for touchpoint in wrong]
    for touchpoint_id in ids:
        await until_recorded(caller, touchpoint_id)
    customer_id = (await caller.status(ids[0]))["customer_id"]
    view = await caller.view(customer_id, ids[-1])
    assert view["interactions"]["count"] == 60


async def _left(caller: Caller, rule: dict[str, Any], below: int) -> bool:
    answer = await caller.client.post("/v1/quarantine/replay", json=rule | {"dry_run": True, "limit": 1})
    return answer.status_code == 200 and answer.json()["matching"] < below


@asynccontextmanager
async def _under_way(request: Awaitable[httpx.Response]) -> AsyncIterator[None]:
    """A request that may break off."""
    task = asyncio.ensure_future(request)
    yield
    await asyncio.gather(task, return_exceptions=True)


async def registered(caller: Caller, name: str) -> str:
    made = await caller.call("POST", "/v1/customers", 201, json={"kind": "person", "name": {"display": name}})
    return str(made.json()["customer_id"])


async def attribute(caller: Caller, interaction_id: str, **body: Any) -> str:
    """Attributes by hand, once the profile is known to the service; answers the events."""
    path = f"/v1/interactions/{interaction_id}/attribute"
    answers: list[httpx.Response] = []

    async def known() -> bool:
        answers.append(await caller.client.post(path, json=body))
        return answers[-1].status_code != 404

    await until("the profile at the interaction service", known)
    assert answers[-1].status_code == 200, answers[-1].text
    return answers[-1].headers["rapport-event-id"]


async def timeline(caller: Caller, customer_id: str) -> list[dict[str, Any]]:
    page = (await caller.call("GET", f"/v1/customers/{customer_id}/timeline?channel=web", 200)).json()
    return list(page["entries"])


async def revenue(caller: Caller, customer_id: str) -> Any:
    view = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
    return view["value"] and view["value"]["contemporary"]["lifetime_parts"].get("revenue", [])


async def test_an_order_of_the_wrong_customer_goes_to_the_right_one_with_all_that_follows(caller: Caller) -> None:
    order = json.loads(json.dumps(EXAMPLES["order.placed"]))
    order |= {"id": str(uuid4()), "channel": "web", "source": {"system": "shop", "record": str(uuid4())}}
    order.pop("unit", None)
    order.pop("historical", None)
    order["data"]["order"] = str(uuid4())
    amount = [{"amount": order["data"]["net"], "currency": order["data"]["currency"]}]
    await caller.report(order)
    status = await caller.status(order["id"])
    wrong, right = status["customer_id"], await registered(caller, "王小明")

    async def valued(customer_id: str = wrong, expected: Any = amount) -> bool:
        return bool(await revenue(caller, customer_id) == expected)

    await until("the value of the wrong customer", valued)
    events = await attribute(caller, status["interaction_id"], customer_id=right)
    view = await caller.view(right, events)
    assert (view["commerce"]["orders"], view["commerce"]["revenue"]) == (1, amount)
    view = await caller.view(wrong, events)
    assert (view["commerce"]["orders"], view["commerce"]["revenue"]) == (0, [])
    assert [entry["data"]["order"] for entry in await timeline(caller, right)] == [order["data"]["order"]]
    assert await timeline(caller, wrong) == []
    await until("the value of the right customer", lambda: valued(right))
    await until("no value of the wrong customer", lambda: valued(wrong, []))
    status = await caller.status(order["id"])
    assert (status["state"], status["customer_id"]) == ("recorded", right)


async def test_an_anonymous_chat_is_listed_attributed_and_shown(caller: Caller) -> None:
    conversation = f"chat-{uuid4()}"
    said: list[dict[str, Any]] = [
        {
            "id": str(uuid4()),
            "channel": "chat",
            "kind": "chat.message",
            "occurred_at": f"2026-03-01T10:0{minute}:00Z",
            "conversation": conversation,
            "data": {"direction": "inbound", "text": f"第{minute}句"},
        }
        for minute in range(3)
    ]
    for message in said:
        await caller.report(message)
        assert (await caller.status(message["id"]))["state"] == "anonymous"
    listed = await caller.call("GET", "/v1/interactions?attribution=anonymous&channel=chat&limit=200", 200)
    entry = next(e for e in listed.json()["interactions"] if e["touchpoint_id"] == said[1]["id"])
    customer_id = await registered(caller, "李娜")
    events = await attribute(caller, entry["interaction_id"], customer_id=customer_id)
    view = await caller.view(customer_id, events)
    assert (view["interactions"]["count"], view["interactions"]["last"][0]["text"]) == (1, "第2句")
    status = await caller.status(said[0]["id"])
    assert (status["state"], status["customer_id"]) == ("recorded", customer_id)


async def test_an_asset_of_an_anonymous_report_goes_to_whom_it_is_said_to_belong(caller: Caller) -> None:
    serial = f"LS5{uuid4().hex[:14].upper()}"
    delivered: dict[str, Any] = {
        "id": str(uuid4()),
        "channel": "erp",
        "kind": "asset.delivered",
        "occurred_at": "2026-03-01T10:00:00Z",
        "data": {"serial": serial, "type": "vehicle"},
    }
    await caller.report(delivered)
    status = await caller.status(delivered["id"])
    assert status["state"] == "anonymous"
    customer_id = await registered(caller, "张伟")
    await caller.view(customer_id, await attribute(caller, status["interaction_id"], customer_id=customer_id))

    async def held() -> bool:
        view = (await caller.call("GET", f"/v1/customers/{customer_id}?sections=assets", 200)).json()
        return [asset["serial"] for asset in view["assets"]] == [serial]

    await until("the asset of the customer", held)


async def test_contacts_are_counted_right_when_entries_go_and_come_back(caller: Caller) -> None:
    number = phone_number()
    conversation = f"call-{number}"
    times = [f"2026-03-01T0{hour}:00:00Z" for hour in range(3)]
    entries = [call(number, conversation=conversation, occurred_at=at) for at in times]
    for entry in entries:
        await caller.report(entry)
    status = await caller.status(entries[2]["id"])
    first, other = status["customer_id"], await registered(caller, "Anna Weiß")
    view = await caller.view(first, ",".join(entry["id"] for entry in entries))
    assert view["interactions"]["count"] == 1

    events = await attribute(caller, status["interaction_id"], customer_id=other, touchpoint_ids=[entries[0]["id"]])
    assert (await caller.view(other, events))["interactions"]["count"] == 1
    view = await caller.view(first, events)
    assert (view["interactions"]["count"], view["interactions"]["first_at"]) == (1, "2026-03-01T01:00:00.000000Z")

    moved = await caller.status(entries[0]["id"])
    events = await attribute(caller, moved["interaction_id"], profile_id=first)
    view = await caller.view(first, events)
    assert (view["interactions"]["count"], view["interactions"]["first_at"]) == (1, "2026-03-01T00:00:00.000000Z")
    view = await caller.view(other, events)
    assert (view["interactions"]["count"], view["interactions"]["by_channel"]) == (0, {})
