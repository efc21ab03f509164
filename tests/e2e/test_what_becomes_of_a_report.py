"""What becomes of a report: the warnings, the profile that it leads to, and what says whose it is that names nobody."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import INTAKE
from rapport_shared.contracts.codec import encode_touchpoint
from rapport_shared.contracts.touchpoints import parse_touchpoint
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


def number() -> str:
    return f"+86138{uuid4().int % 10**8:08d}"


def report(kind: str, data: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "erp",
        "kind": kind,
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "data": data,
        **changes,
    }


def call(value: str, **changes: Any) -> dict[str, Any]:
    return report("call.ended", {}) | {"channel": "phone", "identifiers": [{"type": "phone", "value": value}]} | changes


def order(system: str, record: str | None, name: str) -> dict[str, Any]:
    line = {"line": "1", "sku": "A", "quantity": "1", "net": 100, "tax": 0}
    data = {"order": name, "currency": "CNY", "net": 100, "tax": 0, "gross": 100, "lines": [line]}
    source = {"system": system} | ({"record": record} if record else {})
    return report("order.placed", data, source=source)


def payment(system: str, name: str, order_name: str) -> dict[str, Any]:
    data = {"payment": name, "currency": "CNY", "amount": 100, "order": order_name}
    return report("payment.received", data, source={"system": system})


async def lookup(caller: Caller, **asked: Any) -> list[str]:
    found = (await caller.call("POST", "/v1/customers/lookup", 200, json=asked)).json()["matches"]
    return [match["customer_id"] for match in found]


async def until_of(caller: Caller, touchpoint_id: str, customer_id: str) -> None:
    async def there() -> bool:
        return (await caller.status(touchpoint_id)).get("customer_id") == customer_id

    await until(f"{touchpoint_id} at {customer_id}", there)


async def test_a_channel_that_is_new_is_said_for_a_day_and_never_refused(caller: Caller) -> None:
    channel = f"kiosk-{uuid4().hex[:8]}"
    for _ in range(2):
        answer = await caller.call("POST", "/v1/touchpoints", 202, json=call(number(), channel=channel))
        assert [one["code"] for one in answer.json()["warnings"]] == ["new_channel"]
    body = {"name": "kiosks", "channel": channel, "scopes": ["touchpoints:write"]}
    await caller.call("POST", "/v1/keys", 201, json=body)

    async def known() -> bool:
        other = f"{channel}-2"  # a channel that is met for the first time has the gateway look at the keys again
        await caller.call("POST", "/v1/touchpoints", 202, json=call(number(), channel=other))
        answer = await caller.call("POST", "/v1/touchpoints", 202, json=call(number(), channel=channel))
        return bool(answer.json()["warnings"] == [])

    await until("the channel that a key is made for", known)


async def test_after_a_first_touch_its_profile_is_in_view_and_lookup(caller: Caller) -> None:
    for _ in range(5):
        value = number()
        touchpoint_id = await caller.report(call(value))
        customer_id = (await caller.status(touchpoint_id))["customer_id"]
        view = await caller.view(customer_id, touchpoint_id)
        assert [one["value"] for one in view["identity"]["identifiers"]] == [value]
        assert "pending" not in view
        assert await lookup(caller, identifiers=[{"type": "phone", "value": value}]) == [customer_id]


async def test_after_a_report_of_a_known_record_the_report_is_in_the_view(caller: Caller) -> None:
    source = {"system": "erp", "record": f"R-{uuid4()}"}
    for name in ("Anna", "Berta", "Clara"):
        data = {"kind": "person", "name": {"display": name}}
        at = f"2026-03-0{1 + len(name)}T09:30:0{ord(name[0]) % 10}+08:00"
        touchpoint_id = await caller.report(report("profile.reported", data, source=source, occurred_at=at))
        customer_id = (await caller.status(touchpoint_id))["customer_id"]
        assert (await caller.view(customer_id, touchpoint_id))["identity"]["display_name"] == name


async def test_a_record_finds_its_customer_also_after_a_merge_and_its_undo(caller: Caller) -> None:
    system, records = "erp", [f"R-{uuid4()}" for _ in range(2)]
    customers = []
    for record in records:
        data = {"kind": "person", "name": {"display": f"Person {record}"}}
        touchpoint_id = await caller.report(
            report("profile.reported", data, source={"system": system, "record": record})
        )
        customers.append((await caller.status(touchpoint_id))["customer_id"])
        await caller.view(customers[-1], touchpoint_id)
    for record, customer_id in zip(records, customers, strict=True):
        external = [{"type": "external", "system": system, "value": record}]
        assert await lookup(caller, record={"system": system, "record": record}) == [customer_id]
        assert await lookup(caller, identifiers=external) == [customer_id]
        [dry] = (
            await caller.call("POST", "/v1/touchpoints?dry_run=true", 200, json=call(number(), identifiers=external))
        ).json()["results"]
        assert dry["customer_id"] == customer_id
    merged = await caller.call("POST", "/v1/merges", 201, json={"into": customers[0], "from": [customers[1]]})
    await caller.view(customers[0], merged.headers["rapport-event-id"])
    assert await lookup(caller, record={"system": system, "record": records[1]}) == [customers[0]]
    merge_id = merged.json()["merges"][0]["merge_id"]
    undone = await caller.call("POST", f"/v1/merges/{merge_id}/undo", 200)
    await caller.view(customers[0], undone.headers["rapport-event-id"])
    assert await lookup(caller, record={"system": system, "record": records[1]}) == [customers[1]]


async def test_a_payment_before_its_order_is_of_the_orders_customer_also_merged_and_undone(
    caller: Caller, stack: Stack
) -> None:
    system, name = f"shop-{uuid4().hex[:8]}", f"O-{uuid4().hex[:8]}"
    early, late, placed = payment(system, "P-1", name), payment(system, "P-2", name), order(system, "U-1", name)
    assert (await caller.status(await caller.report(early)))["state"] == "anonymous"
    buyer = (await caller.status(await caller.report(placed)))["customer_id"]
    await caller.view(buyer, placed["id"])
    await until_of(caller, early["id"], buyer)
    assert (await caller.status(await caller.report(late)))["customer_id"] == buyer
    for again in (early, placed, late):
        await caller.report(again)
    made = await caller.call("POST", "/v1/customers", 201, json={"kind": "person", "name": {"display": "Root"}})
    root = made.json()["customer_id"]
    merged = await caller.call("POST", "/v1/merges", 201, json={"into": root, "from": [buyer]})
    await caller.view(root, merged.headers["rapport-event-id"])
    assert (await caller.status(early["id"]))["customer_id"] == root

    async def known_to_interaction() -> bool:
        probe = order(system, "U-1", f"O-{uuid4().hex[:8]}")
        await caller.view(root, await caller.report(probe))
        return bool(await _recorded_customer(stack, probe["id"]) == root)

    await until("the merge in a recording", known_to_interaction)
    merge_id = merged.json()["merges"][0]["merge_id"]
    undone = await caller.call("POST", f"/v1/merges/{merge_id}/undo", 200)
    view = await caller.view(buyer, undone.headers["rapport-event-id"], settled=True)
    assert [(await caller.status(one["id"]))["customer_id"] for one in (early, late, placed)] == [buyer] * 3
    assert view["commerce"]["on_account"] == [{"amount": 200, "currency": "CNY"}], "each payment counts once"


async def _recorded_customer(stack: Stack, touchpoint_id: str) -> str | None:
    consumer = AIOKafkaConsumer(
        "rapport.interaction.events.v1", bootstrap_servers=stack.infrastructure.kafka, auto_offset_reset="earliest"
    )
    async with consumer:
        async for record in consumer:
            headers = {name: value.decode() for name, value in record.headers}
            if headers["ce_id"] == touchpoint_id:
                return str(headers.get("ce_customerid"))
    return None


async def test_a_visit_by_a_device_is_of_who_signed_in_there(caller: Caller) -> None:
    device, shop = f"dev-{uuid4()}", f"shop-{uuid4().hex[:8]}"
    named = [{"type": "device", "value": device}]
    visits = [
        report("web.visited", {}, channel="web", identifiers=named, occurred_at=f"2026-03-01T{hour}:00:00Z")
        for hour in ("08", "10", "12")
    ]
    before, during = visits[0], visits[1]
    for visit in (before, during):
        assert (await caller.status(await caller.report(visit)))["state"] == "anonymous"
    signed = report(
        "web.identified",
        {"device": device, "account": "U-1"},
        channel="web",
        source={"system": shop},
        occurred_at="2026-03-01T09:00:00Z",
    )
    user = (await caller.status(await caller.report(signed)))["customer_id"]
    await until_of(caller, during["id"], user)
    assert (await caller.status(await caller.report(visits[2])))["customer_id"] == user
    assert (await caller.status(before["id"], wait_ms=0))["state"] == "anonymous"


async def test_what_anybody_writes_as_the_gateway_is_a_connectors(caller: Caller, stack: Stack) -> None:
    value = number()
    body = call(value) | {"identifiers": [{"type": "phone", "value": value, "verified": True}]}
    touchpoint = parse_touchpoint(body, strict=True)
    forged = (("rapport_mayverify", b"phone"), ("rapport_signature", b"0" * 64))
    message = encode_touchpoint(touchpoint, touchpoint.model_dump_json(exclude_unset=True).encode(), "key", forged)
    async with AIOKafkaProducer(bootstrap_servers=stack.infrastructure.kafka) as producer:
        await producer.send_and_wait(INTAKE.name, message.value, key=message.key, headers=list(message.headers))
    await caller.until_status("GET", f"/v1/touchpoints/{body['id']}", 200)
    customer_id = (await caller.status(body["id"]))["customer_id"]
    [held] = (await caller.view(UUID(customer_id), body["id"]))["identity"]["identifiers"]
    assert (held["value"], held["verified"]) == (value, False)
