"""A run of merges and undos through real Kafka, with readers: nobody sees half a merge, and all projections agree."""

import asyncio
import os
import random
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.test_merge_and_undo import call, order, ticket, touchpoint, until_revenue
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

CUSTOMERS = 6
STEPS = 24
NET = 100


async def customer(caller: Caller) -> tuple[str, str]:
    """A customer with one call, one order and one ticket; answers its id and the last event."""
    record = str(uuid4())
    reported = touchpoint(record, "profile.reported", {"kind": "person"}, 1)
    events = [await caller.report(fact) for fact in (reported, call(record, "a call", 2), order(record, NET, 3))]
    customer_id = str((await caller.status(events[0]))["customer_id"])
    await caller.call("GET", f"/v1/customers/{customer_id}/record?wait_ms=20000", 200)
    events.append(await ticket(caller, customer_id, "a ticket"))
    await caller.view(customer_id, ",".join(events))
    return customer_id, events[-1]


async def keep_reading(caller: Caller, customers: list[str], ended: asyncio.Event) -> int:
    """Reads all customers until told to end; each view must show as many of everything as it has profiles."""
    seen = 0
    while not ended.is_set():
        for customer_id in customers:
            answer = await caller.client.get(f"/v1/customers/{customer_id}")
            assert answer.status_code in (200, 307), answer.text
            if answer.status_code == 200:
                assert_whole(answer.json())
                seen += 1
    return seen


def assert_whole(view: dict[str, Any]) -> None:
    """As many calls, tickets and, unless they settle, orders as profiles: a merge came in whole or not at all."""
    profiles = len(view["identity"]["profiles"])
    counts = [view["interactions"]["count"], len(view["tickets"]["open"])]
    if not view["commerce"]["settling"]:
        counts.append(view["commerce"]["orders"])
    assert set(counts) == {profiles}, f"{profiles} profiles with {counts} calls, tickets and orders"


async def until_tickets(caller: Caller, customer_id: str, count: int) -> None:
    async def so() -> bool:
        page = (await caller.call("GET", f"/v1/tickets?customer_id={customer_id}", 200)).json()
        return len(page["tickets"]) == count

    await until(f"the ticket service shows {count} tickets of the customer", so)


def root_of(customer_id: str, above: dict[str, str]) -> str:
    while customer_id in above:
        customer_id = above[customer_id]
    return customer_id


async def test_nobody_sees_half_a_merge_and_all_projections_agree_at_the_end(caller: Caller) -> None:
    chance = random.Random(int(os.environ.get("RAPPORT_SEED", "4")))
    made = await asyncio.gather(*(customer(caller) for _ in range(CUSTOMERS)))
    customers, events = [one for one, _ in made], [event for _, event in made]
    ended = asyncio.Event()
    reader = asyncio.create_task(keep_reading(caller, customers, ended))
    above: dict[str, str] = {}
    joins: dict[str, str] = {}
    for _ in range(STEPS):
        if joins and chance.random() < 0.4:
            merge_id, goes = chance.choice(sorted(joins.items()))
            answer = await caller.call("POST", f"/v1/merges/{merge_id}/undo", 200)
            del joins[merge_id], above[goes]
        else:
            into, goes = chance.choice(customers), root_of(chance.choice(customers), above)
            one = root_of(into, above) == goes
            body = {"into": into, "from": [goes]}
            answer = await caller.client.post("/v1/merges", json=body)
            assert answer.status_code in ((409, 422) if one else (201,)), answer.text
            if one:
                continue
            above[goes] = into
            joins[answer.json()["merges"][0]["merge_id"]] = goes
        events.append(answer.headers["rapport-event-id"])
    roots = {customer_id: root_of(customer_id, above) for customer_id in customers}
    for root in sorted(set(roots.values())):
        view = await caller.view(root, ",".join(events), settled=True)
        assert not view["commerce"]["settling"]
        assert_whole(view)
        shown = {profile["profile_id"] for profile in view["identity"]["profiles"]}
        assert shown == {customer_id for customer_id in customers if roots[customer_id] == root}
        await until_revenue(caller, root, NET * len(shown))
    ended.set()
    assert await reader > 0
    for customer_id, root in roots.items():
        answer = await caller.client.get(f"/v1/customers/{customer_id}")
        assert answer.status_code == (200 if customer_id == root else 307)
        await until_tickets(caller, root, sum(other == root for other in roots.values()))


async def test_facts_that_come_while_their_profile_is_merged_are_each_in_one_customer(caller: Caller) -> None:
    record = str(uuid4())
    first = await caller.report(touchpoint(record, "profile.reported", {"kind": "person"}, 1))
    customer_id = str((await caller.status(first))["customer_id"])
    await caller.call("GET", f"/v1/customers/{customer_id}/record?wait_ms=20000", 200)
    into, event = await customer(caller)
    calls = asyncio.create_task(_call_often(caller, record, 100))
    events = [event]
    for _ in range(4):
        merged = await caller.call("POST", "/v1/merges", 201, json={"into": into, "from": [customer_id]})
        await caller.view(into, merged.headers["rapport-event-id"])
        undone = await caller.call("POST", f"/v1/merges/{merged.json()['merges'][0]['merge_id']}/undo", 200)
        await caller.view(customer_id, undone.headers["rapport-event-id"])
        events.append(undone.headers["rapport-event-id"])
    reported = await calls
    for start in range(0, len(reported), 50):
        await caller.view(customer_id, ",".join(reported[start : start + 50]))
    counts = [(await caller.view(one, ",".join(events)))["interactions"]["count"] for one in (customer_id, into)]
    assert counts == [len(reported), 1]


async def _call_often(caller: Caller, record: str, count: int) -> list[str]:
    return [await caller.report(call(record, f"call {number}", 5)) for number in range(count)]
