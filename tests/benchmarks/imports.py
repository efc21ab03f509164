"""Rows of a sheet per second: until their verdicts are there, and until all of them are seen in the view."""

from __future__ import annotations

import asyncio
import csv
import io
import random
import time
from typing import Any
from uuid import UUID, uuid4

import httpx

from rapport_shared.contracts.touchpoints import MAX_BATCH
from tests.benchmarks.figures import Figure, rate
from tests.benchmarks.stack_under_test import StackUnderTest

__all__ = ["measure"]

ROWS, QUICK_ROWS = 100_000, 20_000
PATIENCE_SECONDS = 900.0
HEADER = ("客户编号", "姓名", "手机", "邮箱", "生日", "城市", "地址")


async def measure(stack: StackUnderTest) -> list[Figure]:
    """`import_checked`: reading, judging and comparing; `import_recorded`: from the run to the last row in the view.

    The limit of the second is what the same touchpoints take that are posted, as many at once as go in a request.
    """
    count = QUICK_ROWS if stack.quick else ROWS
    headers = {"Authorization": f"Bearer {stack.stack.key}"}
    async with httpx.AsyncClient(base_url=stack.stack.gateway, headers=headers, timeout=60, trust_env=False) as client:
        began = time.perf_counter()
        query = {"name": "people.csv", "system": "benchmark"}
        made = await client.post("/v1/imports", params=query, content=people(count))
        path = f"/v1/imports/{made.raise_for_status().json()['import_id']}"
        found = await _until(client, path, "checked")
        checked = count / (time.perf_counter() - began)
        if found["progress"]["rejected"]:
            raise RuntimeError("rows of the benchmark were rejected")
        began = time.perf_counter()
        (await client.post(f"{path}/run")).raise_for_status()
        await _until(client, path, "done")
        recorded = count / (time.perf_counter() - began)
        await stack.quiet()
        limit = await _posted(stack, client, count // 10)
    whole = 1 / (1 / checked + 1 / recorded)
    return [
        rate("import_checked", checked, None, "rows/s"),
        rate("import_recorded", recorded, limit, "rows/s"),
        rate("import", whole, None, "rows/s"),
    ]


def people(count: int) -> bytes:
    """A CSV file of people, each with a record, a number and an address of their own."""
    chosen = random.Random(count)
    written = io.StringIO()
    sheet = csv.writer(written)
    sheet.writerow(HEADER)
    for number in range(count):
        day = f"{chosen.randint(1950, 2005)}-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02}"
        name = "".join(chosen.choices("王李张刘陈杨黄赵吴周伟芳娜敏静丽强磊军洋", k=3))
        street = f"世纪大道{chosen.randint(1, 2000)}号"
        contact = (f"+86139{number:08}", f"person.{number}@example.com")
        sheet.writerow((f"B-{number:07}", name, *contact, day, "上海市", street))
    return written.getvalue().encode()


async def _posted(stack: StackUnderTest, client: httpx.AsyncClient, count: int) -> float:
    """Touchpoints per second of people like those of the sheet, from the first request until the view has them."""
    bodies = [_touchpoint(number) for number in range(count)]
    began = time.perf_counter()
    for first in range(0, count, MAX_BATCH):
        batch = {"touchpoints": bodies[first : first + MAX_BATCH]}
        (await client.post("/v1/touchpoints", json=batch)).raise_for_status()
    await stack.seen([UUID(body["id"]) for body in bodies])
    rate_of = count / (time.perf_counter() - began)
    await stack.quiet()
    return rate_of


def _touchpoint(number: int) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "erp",
        "kind": "profile.reported",
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "historical": True,
        "source": {"system": "posted", "record": f"P-{number:07}"},
        "identifiers": [
            {"type": "phone", "value": f"+86137{number:08}"},
            {"type": "email", "value": f"posted.{number}@example.com"},
        ],
        "data": {
            "name": {"display": "王小明"},
            "birth_date": "1985-03-01",
            "addresses": [{"city": "上海市", "raw": f"世纪大道{number}号"}],
        },
    }


async def _until(client: httpx.AsyncClient, path: str, state: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found: dict[str, Any] = (await client.get(f"{path}?wait_ms=30000")).raise_for_status().json()
            if found["state"] == state:
                return found
            if found["state"] in ("failed", "undecided", "cancelled"):
                raise RuntimeError(f"the import is {found['state']}")
