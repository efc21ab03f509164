"""What a source reported in error leaves the record, and what it had replaced is there again."""

import time
from typing import Any
from uuid import uuid4

import pytest

from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT_SECONDS = 30


def report(record: str, name: str, day: int) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "erp",
        "kind": "profile.reported",
        "occurred_at": f"2026-03-{day:02d}T08:00:00+08:00",
        "source": {"system": "retraction-erp", "record": record},
        "data": {"kind": "person", "name": {"display": name}},
    }


async def until_named(caller: Caller, customer_id: str, name: str | None) -> dict[str, Any]:
    """The identity once it has the name: the record follows the touchpoint that is in the view already."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        view = (await caller.call("GET", f"/v1/customers/{customer_id}?sections=identity", 200)).json()
        if view["identity"]["display_name"] == name and view["identity"]["profiles"][0]["registered"]:
            return dict(view["identity"])
        assert time.monotonic() < deadline, view
        await caller.client.get(f"/v1/touchpoints/{uuid4()}?wait_ms=50")


async def test_a_report_in_error_leaves_the_record_and_the_one_before_counts_again(caller: Caller) -> None:
    record = str(uuid4())
    right, wrong = report(record, "王小明", 1), report(record, "王晓明", 2)
    await caller.report(right)
    customer_id = (await caller.status(right["id"]))["customer_id"]
    await until_named(caller, customer_id, "王小明")
    await caller.report(wrong)
    await until_named(caller, customer_id, "王晓明")
    body = {"reason": "reported_in_error"}
    await caller.call("POST", f"/v1/touchpoints/{wrong['id']}/retractions", 201, json=body)
    identity = await until_named(caller, customer_id, "王小明")
    assert identity["profiles"][0]["sources"] == [{"system": "retraction-erp", "record": record}]
    await caller.call("POST", f"/v1/touchpoints/{right['id']}/retractions", 201, json=body)
    identity = await until_named(caller, customer_id, None)
    assert identity["kind"] is None
    assert identity["profiles"][0]["sources"] == []
