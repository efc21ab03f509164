"""Customers of whom much was reported, each known by one source record."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx

from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["call", "make_customer", "order"]

BATCH = 250
PART = 1_000
ORDERS = 10
"""One touchpoint in so many is an order."""


async def make_customer(stack: StackUnderTest, client: httpx.AsyncClient, record: str, count: int) -> str:
    """A customer of one source record with so many calls, messages and, one in ten, orders; answers its id."""
    touchpoints = [_profile(record), *(_touchpoint(record, number) for number in range(count - 1))]
    for start in range(0, count, PART):
        part = touchpoints[start : start + PART]
        for begin in range(0, len(part), BATCH):
            answer = await client.post("/v1/touchpoints", json={"touchpoints": part[begin : begin + BATCH]})
            answer.raise_for_status()
        await stack.seen([UUID(touchpoint["id"]) for touchpoint in part])
    status = await client.get(f"/v1/touchpoints/{touchpoints[0]['id']}")
    customer_id = str(status.raise_for_status().json()["customer_id"])
    (await client.get(f"/v1/customers/{customer_id}/record", params={"wait_ms": 30_000})).raise_for_status()
    await stack.quiet()
    return customer_id


def order(record: str, name: str) -> dict[str, Any]:
    """An order by the customer of a record, of a number of its own."""
    line = {"line": "1", "sku": "P-1", "quantity": "1", "net": 100, "tax": 13, "cost": 60}
    total = {"order": f"{record}-{name}", "currency": "CNY", "net": 100, "tax": 13, "gross": 113}
    return _of(record, name, "order.placed", total | {"lines": [line]})


def call(record: str, name: str) -> dict[str, Any]:
    """A call with the customer of a record."""
    return _of(record, name, "call.ended", {"direction": "inbound", "subject": "保养预约"})


def _profile(record: str) -> dict[str, Any]:
    return _of(record, "profile", "profile.reported", {"kind": "person", "language": "zh"})


def _touchpoint(record: str, number: int) -> dict[str, Any]:
    if number % ORDERS == 0:
        return order(record, str(number))
    if number % 2:
        return _of(record, str(number), "chat.message", {"direction": "inbound", "text": "有货吗？"})
    return call(record, str(number))


def _of(record: str, name: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{record}/{name}")),
        "channel": "erp",
        "kind": kind,
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "historical": True,
        "source": {"system": "benchmark-large", "record": record},
        "data": data,
    }
