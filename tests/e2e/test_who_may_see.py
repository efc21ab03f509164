"""Keys of units: lists and searches are limited to the unit, and an isolated unit's customers are its own."""

from typing import Any
from uuid import uuid4

import pytest

from deploy.local.stack import Stack
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNIT = {"name": "A unit", "time_zone": "UTC", "currency": "EUR", "phone_region": "DE"}


async def key_of(caller: Caller, unit: str) -> dict[str, str]:
    body = {"name": unit, "channel": "*", "scopes": ["customers:*"], "unit": unit}
    made = (await caller.call("POST", "/v1/keys", 201, json=body)).json()
    return {"Authorization": f"Bearer {made['key']}"}


async def found(caller: Caller, name: str, headers: dict[str, str]) -> set[str]:
    answer = await caller.call("POST", "/v1/customers/lookup", 200, json={"text": name}, headers=headers)
    return {match["customer_id"] for match in answer.json()["matches"]}


async def test_a_unit_finds_its_own_and_an_isolated_one_is_not_found(caller: Caller, stack: Stack) -> None:
    root = f"see{uuid4().hex[:8]}"
    for path, isolated in ((root, False), (f"{root}/north", False), (f"{root}/south", False), (f"{root}/own", True)):
        unit = await caller.call("PUT", f"/v1/units/{path}", 201, json=UNIT | {"isolated": isolated})
    name = f"Weiß {uuid4().hex[:10]}"
    customers: dict[str, str] = {}
    events = [unit.headers["rapport-event-id"]]
    for place in ("north", "south", "own"):
        body = {"kind": "person", "name": {"display": name}, "unit": f"{root}/{place}"}
        made = await caller.call("POST", "/v1/customers", 201, json=body)
        customers[place] = made.json()["customer_id"]
        events.append(made.headers["rapport-event-id"])
    await caller.view(customers["own"], ",".join(events))
    keys = {place: await key_of(caller, f"{root}/{place}") for place in customers}

    async def isolation_is_known() -> bool:
        return (await caller.client.get(f"/v1/customers/{customers['own']}", headers=keys["north"])).status_code == 404

    await until("the view knows that the unit is isolated", isolation_is_known)
    everybody: dict[str, Any] = dict(caller.client.headers)
    assert await found(caller, name, {"Authorization": everybody["authorization"]}) == set(customers.values())
    assert await found(caller, name, keys["north"]) == {customers["north"]}
    assert await found(caller, name, keys["own"]) == {customers["own"]}
    await caller.call("GET", f"/v1/customers/{customers['south']}", 200, headers=keys["north"])
    for path in ("", "/timeline", "/explain?field=identity.name", "/record", "/stream"):
        await caller.call("GET", f"/v1/customers/{customers['own']}{path}", 404, headers=keys["south"])
        await caller.call("GET", f"/v1/customers/{customers['south']}{path}", 404, headers=keys["own"])


async def test_lists_name_their_customers_for_whoever_may_read_names(caller: Caller) -> None:
    name = f"Weiß {uuid4().hex[:10]}"
    made = await caller.call("POST", "/v1/customers", 201, json={"kind": "person", "name": {"display": name}})
    customer_id = made.json()["customer_id"]
    await caller.view(customer_id, made.headers["rapport-event-id"])
    body = {"kind": "task", "subject": "Call back", "customer": {"customer_id": customer_id}}
    ticket = (await caller.open_ticket(body))["ticket_id"]
    scopes = ["tickets:read"]
    key = (await caller.call("POST", "/v1/keys", 201, json={"name": name, "channel": "*", "scopes": scopes})).json()
    without = {"Authorization": f"Bearer {key['key']}"}
    for headers, shown in (({}, name), (without, None)):
        listed = await caller.call("GET", f"/v1/tickets?customer_id={customer_id}", 200, headers=headers)
        assert [one["customer_name"] for one in listed.json()["tickets"]] == [shown]
        single = await caller.call("GET", f"/v1/tickets/{ticket}", 200, headers=headers)
        assert single.json()["customer_name"] == shown
