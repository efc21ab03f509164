"""A view built anew from the beginning of the topics is the live view, and takes its place without a gap."""

from uuid import uuid4

import pytest

from tests.e2e.test_one_view import call, phone_number
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_rebuild_equals_the_live_view_and_takes_its_place(caller: Caller) -> None:
    number = phone_number()
    touchpoint_id = await caller.report(call(number))
    customer_id = (await caller.status(touchpoint_id))["customer_id"]
    await caller.view(customer_id, touchpoint_id)
    run = (await caller.call("POST", "/v1/rebuilds", 201)).json()["run"]
    await caller.call("POST", "/v1/rebuilds", 409)
    difference = {"different": None}
    for _ in range(600):  # scores still arrive, so the two may differ by what only one has read
        progress = (await caller.call("GET", f"/v1/rebuilds/{run}", 200)).json()
        if progress["caught_up_at"] and not progress["behind"]:
            difference = (await caller.call("GET", f"/v1/rebuilds/{run}/diff", 200)).json()
            if difference["different"] == 0:
                break
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=100")
    assert difference["different"] == 0, difference
    before = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
    await caller.call("POST", f"/v1/rebuilds/{run}/promote", 200)
    later = await caller.report(call(number))
    while (await caller.call("GET", "/v1/freshness", 200)).json()["run"] != run:
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=100")
    after = await caller.view(customer_id, later)
    assert after["interactions"]["count"] == before["interactions"]["count"] + 1
    assert after["identity"] == before["identity"]
