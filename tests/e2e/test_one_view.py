"""A touchpoint posted at the gateway is in the unified view: through all services, real Kafka and PostgreSQL."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import INTAKE
from rapport_shared.contracts.codec import encode_touchpoint
from rapport_shared.contracts.touchpoints import parse_touchpoint
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


def phone_number() -> str:
    return f"138{uuid4().int % 10**8:08d}"


def call(number: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "phone",
        "kind": "call.ended",
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "identifiers": [{"type": "phone", "value": number, "region": "CN"}],
        "data": {"direction": "inbound", "subject": "保养预约"},
        **changes,
    }


async def test_a_call_is_in_the_view_of_its_customer(caller: Caller) -> None:
    number = phone_number()
    touchpoint_id = await caller.report(call(number))
    status = await caller.status(touchpoint_id)
    assert status["state"] == "recorded"
    view = await caller.view(status["customer_id"], touchpoint_id)
    assert view["interactions"]["count"] == 1
    assert view["interactions"]["last"][0]["subject"] == "保养预约"
    page = (await caller.call("GET", f"/v1/customers/{status['customer_id']}/timeline", 200)).json()
    assert [entry["event_id"] for entry in page["entries"]] == [touchpoint_id]


async def test_a_registration_takes_over_what_touches_began(caller: Caller) -> None:
    number = phone_number()
    touchpoint_id = await caller.report(call(number))
    first = (await caller.status(touchpoint_id))["customer_id"]
    body = {
        "kind": "person",
        "name": {"display": "王小明"},
        "identifiers": [{"type": "phone", "value": f"+86{number}"}],
    }
    made = await caller.call("POST", "/v1/customers", 201, json=body)
    view = await caller.view(made.json()["customer_id"], made.headers["rapport-event-id"])
    assert view["identity"]["display_name"] == "王小明"
    while view["interactions"]["count"] == 0:
        view = await caller.view(made.json()["customer_id"], touchpoint_id)
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=50")
    assert view["interactions"]["count"] == 1
    moved = await caller.call("GET", f"/v1/customers/{first}", 307)
    assert moved.headers["location"] == f"/v1/customers/{made.json()['customer_id']}"
    query = "from=2026-01-01T00:00:00Z&limit=5"
    moved = await caller.call("GET", f"/v1/customers/{first}/timeline?{query}", 307)
    assert moved.headers["location"] == f"/v1/customers/{made.json()['customer_id']}/timeline?{query}"
    await caller.until_status("GET", f"/v1/customers/{first}/value", 307)  # the merge is on its way to scoring
    value = await caller.call("GET", f"/v1/customers/{first}/value?limit=5", 307)
    assert value.headers["location"] == f"/v1/customers/{made.json()['customer_id']}/value?limit=5"
    found = await caller.call(
        "POST", "/v1/customers/lookup", 200, json={"identifiers": [{"type": "phone", "value": f"+86{number}"}]}
    )
    assert found.json()["matches"][0] == {
        "customer_id": made.json()["customer_id"],
        "reason": "routed",
        "display_name": "王小明",
    }


async def test_fifty_first_touches_at_once_make_one_customer(caller: Caller) -> None:
    number = phone_number()
    ids = await asyncio.gather(*(caller.report(call(number)) for _ in range(50)))
    statuses = [await caller.status(touchpoint_id) for touchpoint_id in ids]
    customers = {status["customer_id"] for status in statuses}
    assert len(customers) == 1
    view = await caller.view(customers.pop(), ",".join(ids))
    assert view["interactions"]["count"] == 50


async def test_first_touches_while_customer_is_away_make_one_customer_and_wait_for_nobody(
    caller: Caller, stack: Stack
) -> None:
    number = phone_number()
    await stack.supervisor.kill("customer", stay_down=True)
    try:
        ids = await asyncio.gather(*(caller.report(call(number)) for _ in range(50)))
        statuses = [await caller.status(touchpoint_id) for touchpoint_id in ids]
        customers = {status["customer_id"] for status in statuses}
        assert len(customers) == 1
        (customer_id,) = customers
        view = await caller.view(customer_id, ",".join(ids), wait_ms=500)
        assert view["interactions"]["count"] == 50
        assert not view["identity"]["registered"]
        assert view["pending"] == ["identity", "quality"], "the view says what it still waits for"
    finally:
        stack.supervisor.start("customer")
    await stack.supervisor.wait_ready(f"{stack.addresses.url('customer')}/readyz")
    body = {"kind": "person", "identifiers": [{"type": "phone", "value": f"+86{number}"}]}
    await caller.until_status("GET", f"/v1/customers/{customer_id}/record", 200)
    made = await caller.call("POST", "/v1/customers", 201, json=body)
    await caller.until_status("GET", f"/v1/customers/{customer_id}", 307)
    view = await caller.view(made.json()["customer_id"], ",".join(ids))
    assert view["interactions"]["count"] == 50


async def test_a_number_that_is_removed_and_claimed_anew_leads_to_its_holder_each_time(caller: Caller) -> None:
    number = phone_number()
    body = {"kind": "person", "identifiers": [{"type": "phone", "value": f"+86{number}"}]}
    first = (await caller.call("POST", "/v1/customers", 201, json=body)).json()["customer_id"]
    assert await _whom_a_call_reaches(caller, number, lambda customer_id: customer_id == first)

    record = (await caller.call("GET", f"/v1/customers/{first}/record", 200)).json()
    (held,) = record["record"]["identifiers"]

    async def remove() -> None:
        await _remove_everywhere(caller, first, held["key"])

    between = await _whom_a_call_reaches(caller, number, lambda customer_id: customer_id != first, remove)

    second = (await caller.call("POST", "/v1/customers", 201, json=body)).json()["customer_id"]
    assert second not in (first, between)
    assert await _whom_a_call_reaches(caller, number, lambda customer_id: customer_id == second)
    await caller.until_status("GET", f"/v1/customers/{between}", 307)
    await caller.call("GET", f"/v1/customers/{first}", 200)


async def _remove_everywhere(caller: Caller, customer_id: str, key: str) -> None:
    """Removes an identifier from each profile of a customer: a call before the registration was known has made one."""
    view = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
    for profile in view["identity"]["profiles"]:
        answer = await caller.client.delete(f"/v1/customers/{profile['profile_id']}/identifiers/{key}")
        assert answer.status_code in (200, 404), answer.text


async def _nothing() -> None:
    return


async def _whom_a_call_reaches(
    caller: Caller, number: str, expected: Callable[[str], bool], before: Callable[[], Awaitable[None]] = _nothing
) -> str:
    """Calls until a call reaches whom it should: the route is on its way from customer to interaction."""
    reached: list[str] = []

    async def reaches() -> bool:
        await before()
        status = await caller.status(await caller.report(call(number)))
        reached.append(str(status["customer_id"]))
        return expected(reached[-1])

    await until("a call that reaches the holder of its number", reaches)
    return reached[-1]


async def test_a_repeat_counts_once_and_another_body_is_refused(caller: Caller) -> None:
    touchpoint = call(phone_number())
    other = {**touchpoint, "data": {"direction": "outbound"}}
    both = await caller.call("POST", "/v1/touchpoints", 202, json={"touchpoints": [touchpoint, other]})
    assert [one["index"] for one in both.json()["rejected"]] == [1]
    await caller.report(touchpoint)
    refused = await caller.call("POST", "/v1/touchpoints", 422, json=other)
    assert refused.json()["type"] == "/problems/idempotency-key-reused"
    status = await caller.status(touchpoint["id"])
    while not status["conflicts"]:
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=50")
        status = await caller.status(touchpoint["id"])
    view = await caller.view(status["customer_id"], touchpoint["id"])
    assert view["interactions"]["count"] == 1
    assert view["interactions"]["last"][0]["direction"] == "inbound"


async def test_an_order_is_in_the_view_and_its_value_follows(caller: Caller) -> None:
    order = json.loads(json.dumps(EXAMPLES["order.placed"]))
    order |= {"id": str(uuid4()), "source": {"system": "shop", "record": str(uuid4())}}
    order.pop("unit", None)
    order["data"]["order"] = str(uuid4())
    touchpoint_id = await caller.report(order)
    customer_id = (await caller.status(touchpoint_id))["customer_id"]
    view = await caller.view(customer_id, touchpoint_id)
    currency = order["data"]["currency"]
    assert view["commerce"]["orders"] == 1
    assert view["commerce"]["revenue"] == [{"amount": order["data"]["net"], "currency": currency}]
    while view["value"] is None:
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=100")
        view = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
    parts = view["value"]["contemporary"]["lifetime_parts"]
    assert parts["revenue"] == [{"amount": order["data"]["net"], "currency": currency}]


async def test_a_ticket_is_opened_worked_on_and_shown(caller: Caller) -> None:
    number = phone_number()
    touchpoint_id = await caller.report(call(number))
    customer_id = (await caller.status(touchpoint_id))["customer_id"]
    body = {
        "kind": "complaint",
        "customer": {"identifiers": [{"type": "phone", "value": number, "region": "CN"}]},
        "subject": "没有回电",
    }
    opened = await caller.client.post("/v1/tickets", json=body)
    while opened.status_code == 404:  # the route is on its way to the ticket service
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=50")
        opened = await caller.client.post("/v1/tickets", json=body)
    assert opened.status_code == 201, opened.text
    ticket = opened.json()
    assert ticket["number"].startswith("C-")
    view = await caller.view(customer_id, opened.headers["rapport-event-id"])
    assert view["tickets"]["complaints_open"] == 1
    refused = await caller.call("POST", f"/v1/tickets/{ticket['number']}/transitions", 409, json={"to": "closed"})
    assert "assigned" in refused.json()["possible"]
    await caller.call("POST", f"/v1/tickets/{ticket['number']}/transitions", 200, json={"to": "in_progress"})
    done = await caller.call("POST", f"/v1/tickets/{ticket['number']}/resolve", 200, json={"resolution": "已回电"})
    view = await caller.view(customer_id, done.headers["rapport-event-id"])
    assert view["tickets"]["complaints_open"] == 0
    assert view["tickets"]["total"] == 1


async def test_a_stream_folds_to_the_view_over_twenty_cuts(caller: Caller) -> None:
    number = phone_number()
    customer_id = (await caller.status(await caller.report(call(number))))["customer_id"]
    await _until_registered_in_view(caller, customer_id)
    path = f"/v1/customers/{customer_id}/stream"
    folded: dict[str, Any] = {}
    last_event_id: str | None = None
    for cut in range(20):
        missed = await caller.report(call(number, occurred_at=f"2026-03-02T09:{cut:02d}:00+08:00"))
        await caller.view(customer_id, missed)
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        async with caller.client.stream("GET", path, headers=headers) as stream:
            events = _events(stream)
            name, last_event_id, data = await anext(events)
            folded |= data
            view = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
            while folded["version"] != view["version"]:  # the value follows the call by itself
                if folded["version"] < view["version"]:
                    _, last_event_id, data = await anext(events)
                    folded |= data
                view = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
        assert name == ("delta" if cut else "snapshot")
        assert {key: folded[key] for key in view if key != "lag_ms"} == {
            key: view[key] for key in view if key != "lag_ms"
        }


async def _until_registered_in_view(caller: Caller, customer_id: str) -> None:
    """The customer service has heard of the first touch, and the view of that: nothing else is under way."""

    async def shown() -> bool:
        view = (await caller.call("GET", f"/v1/customers/{customer_id}?sections=identity", 200)).json()
        return bool(view["identity"]["identifiers"])

    await until("the view shows the identifier of the profile", shown)


async def test_a_stream_follows_what_happens(caller: Caller) -> None:
    number = phone_number()
    customer_id = (await caller.status(await caller.report(call(number))))["customer_id"]
    async with caller.client.stream("GET", f"/v1/customers/{customer_id}/stream") as stream:
        events = _events(stream)
        name, _, data = await anext(events)
        assert name == "snapshot"
        await caller.report(call(number))
        while data.get("interactions", {}).get("count") != 2:
            name, _, data = await anext(events)
            assert name == "delta"


async def _events(stream: Any) -> Any:
    fields: dict[str, str] = {}
    async for line in stream.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
            fields = {}


async def test_garbage_on_the_intake_topic_harms_nobody(caller: Caller, stack: Stack) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.infrastructure.kafka)
    await producer.start()
    try:
        for value in (b"\xff\xfe", b"{", b"[]", None, b'{"id": 1}'):
            await producer.send_and_wait(INTAKE.name, key=b"garbage", value=value)
    finally:
        await producer.stop()
    never = await _abort_a_transaction(stack.infrastructure.kafka)
    touchpoint_id = await caller.report(call(phone_number()))
    assert (await caller.status(touchpoint_id))["state"] == "recorded"
    await caller.call("GET", f"/v1/touchpoints/{never}", 404)
    reasons: set[str] = set()
    while len(reasons) < 1:
        page = (await caller.call("GET", "/v1/quarantine?limit=200", 200)).json()
        reasons = {line["reason"] for line in page["quarantined"]}
    assert "unknown_type" in reasons


async def _abort_a_transaction(kafka: str) -> str:
    """A connector's touchpoint on every partition, in a transaction that is aborted; answers its id."""
    touchpoint = call(phone_number())
    message = encode_touchpoint(parse_touchpoint(touchpoint, strict=True), json.dumps(touchpoint).encode(), "connector")
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"connector-{touchpoint['id']}")
    await producer.start()
    try:
        await producer.begin_transaction()
        for partition in await producer.partitions_for(INTAKE.name):
            await producer.send_and_wait(
                INTAKE.name, message.value, message.key, partition=partition, headers=list(message.headers)
            )
        await producer.abort_transaction()
    finally:
        await producer.stop()
    return str(touchpoint["id"])


@pytest.mark.parametrize("process", ["interaction", "gateway", "gateway-view", "customer"])
async def test_what_was_accepted_survives_a_killed_process(caller: Caller, stack: Stack, process: str) -> None:
    number = phone_number()
    before = [await caller.report(call(number)) for _ in range(5)]
    await stack.supervisor.kill(process, signal.SIGKILL)
    if process == "gateway":
        await stack.supervisor.wait_ready(f"{stack.gateway}/readyz")
    after = [await caller.report(call(number)) for _ in range(5)]
    statuses = [await caller.status(touchpoint_id, wait_ms=30_000) for touchpoint_id in (*before, *after)]
    assert {status["state"] for status in statuses} == {"recorded"}
    customers = {status["customer_id"] for status in statuses}
    assert len(customers) == 1
    view = await caller.view(customers.pop(), ",".join((*before, *after)))
    assert view["interactions"]["count"] == 10
