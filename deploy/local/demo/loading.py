"""Loading the demo through the gateway, in batches, and waiting until all of it is in the view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from deploy.local.demo.companies import MIRAGE_EMAIL, closing_call, mirage, peach, wallet_of_today
from deploy.local.demo.rules import COMPUTATIONS, POLICIES
from deploy.local.demo.story import SHOWN_PHONE, UNITS, car_maker, cdnow, duplicates, trading_company
from deploy.local.errors import LocalStackError

__all__ = ["DemoReport", "load_demo"]

BATCH = 250
Progress = Callable[[str, int, int], None]
"""Told what is being loaded, how many touchpoints are, and how many there will be."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The customer to show first, the one whose value to show, and whether anything had to be loaded."""

    customer_id: str
    valued_id: str
    loaded: bool


async def load_demo(gateway: str, key: str, progress: Progress, *, purchases: int | None = None) -> DemoReport:
    """Loads what is missing; may be repeated, for every touchpoint has its id. `purchases` limits the web shop's.

    Raises LocalStackError with the gateway's words when something is refused.
    """
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=gateway, headers=headers, timeout=60, trust_env=False) as client:
        now = datetime.now(UTC)
        today, closing = now.astimezone(ZoneInfo("Asia/Shanghai")).date(), closing_call(now, purchases)
        if await _is_recorded(client, closing["id"]):
            return await _report_of(client, loaded=False)
        await _put_units(client)
        await _put_policies(client)
        touchpoints = [
            *mirage(today),
            *peach(today),
            *car_maker(now),
            *duplicates(),
            *trading_company(),
            *islice(cdnow(today), purchases),
            wallet_of_today(now, today),
            closing,
        ]
        done = 0
        for batch in _batches(touchpoints):
            await _report(client, batch)
            done += len(batch)
            progress("touchpoints", done, len(touchpoints))
        await _settled(client, closing["id"])
        await _complain(client)
        report = await _report_of(client, loaded=True)
        await _valued(client, report.valued_id)
        for path in COMPUTATIONS:
            _checked(await client.post(path, json={}))
        return report


async def _put_units(client: httpx.AsyncClient) -> None:
    events = []
    for path, unit in UNITS.items():
        answer = _checked(await client.put(f"/v1/units/{path}", json=unit))
        events += [event for event in answer.headers.get("rapport-event-id", "").split(",") if event]
    for path in UNITS:  # the gateway takes touchpoints of a unit once its view knows it
        probe = {
            "channel": "web",
            "kind": "web.visited",
            "occurred_at": "2026-01-01T00:00:00Z",
            "unit": path,
            "data": {},
        }
        for _ in range(300):
            answer = await client.post(
                "/v1/touchpoints?dry_run=true", json=probe, headers={"Idempotency-Key": "demo-units"}
            )
            if answer.json()["results"][0]["valid"]:
                break
            await asyncio.sleep(0.1)


async def _report(client: httpx.AsyncClient, batch: list[dict[str, Any]]) -> None:
    for attempt in range(20):
        answer = await client.post("/v1/touchpoints", json={"touchpoints": batch})
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        await asyncio.sleep(0.5 * (attempt + 1))
    rejected = _checked(answer).json()["rejected"]
    if rejected:
        raise LocalStackError(f"a touchpoint of the demo was refused: {rejected[0]}")


async def _settled(client: httpx.AsyncClient, touchpoint_id: str) -> None:
    for _ in range(20):
        answer = _checked(await client.get(f"/v1/touchpoints/{touchpoint_id}?wait_ms=30000"))
        if answer.json()["state"] == "recorded":
            return
    raise LocalStackError("the demo was accepted, but is not in the view after ten minutes")


async def _put_policies(client: httpx.AsyncClient) -> None:
    for name, document in POLICIES.items():
        path = f"/v1/policies/{name}"
        if _checked(await client.get(path)).json()["version"] == 0:
            version = _checked(await client.put(path, json=document)).json()["version"]
            _checked(await client.post(f"{path}/activate", json={"version": version}))


async def _complain(client: httpx.AsyncClient) -> None:
    """Opens the complaint that the closing call is about."""
    ticket = {
        "kind": "complaint",
        "customer": {"identifiers": [{"type": "email", "value": MIRAGE_EMAIL}]},
        "subject": "上次送货延误三天",
    }
    for _ in range(100):
        answer = await client.post("/v1/tickets", json=ticket, headers={"Idempotency-Key": "demo-complaint"})
        if answer.status_code != httpx.codes.NOT_FOUND:
            break
        await asyncio.sleep(0.1)  # the ticket service has not heard of the company yet
    _checked(answer)


async def _valued(client: httpx.AsyncClient, customer_id: str) -> None:
    """Waits until scoring has read what the view holds, so that a fit sees all of it; not for long."""
    await client.get(f"/v1/customers/{customer_id}?sections=value&settled=true&wait_ms=20000")


async def _is_recorded(client: httpx.AsyncClient, touchpoint_id: str) -> bool:
    answer = await client.get(f"/v1/touchpoints/{touchpoint_id}")
    return answer.status_code == httpx.codes.OK and answer.json()["state"] == "recorded"


async def _report_of(client: httpx.AsyncClient, *, loaded: bool) -> DemoReport:
    shown = await _found(client, {"type": "phone", "value": SHOWN_PHONE, "region": "CN"})
    return DemoReport(shown, await _found(client, {"type": "email", "value": MIRAGE_EMAIL}), loaded)


async def _found(client: httpx.AsyncClient, identifier: dict[str, str]) -> str:
    matches = _checked(await client.post("/v1/customers/lookup", json={"identifiers": [identifier]})).json()["matches"]
    if not matches:
        raise LocalStackError("the demo was loaded, but a customer of it is not to be found")
    return str(matches[0]["customer_id"])


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise LocalStackError(f"the gateway answered {answer.status_code}: {answer.text[:500]}")
    return answer


def _batches(touchpoints: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(touchpoints)
    while batch := list(islice(rest, BATCH)):
        yield batch
