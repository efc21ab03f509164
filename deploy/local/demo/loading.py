"""Loading the demo through the gateway, in batches, and waiting until all of it is in the view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import httpx

from deploy.local.demo.story import SHOWN_PHONE, UNITS, car_maker, cdnow, duplicates, trading_company
from deploy.local.errors import LocalStackError

__all__ = ["DemoReport", "load_demo"]

BATCH = 250
Progress = Callable[[str, int, int], None]
"""Told what is being loaded, how many touchpoints are, and how many there will be."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The customer to show first, and whether anything had to be loaded."""

    customer_id: str
    loaded: bool


async def load_demo(gateway: str, key: str, progress: Progress, *, purchases: int | None = None) -> DemoReport:
    """Loads what is missing; may be repeated, for every touchpoint has its id. `purchases` limits the web shop's.

    Raises LocalStackError with the gateway's words when something is refused.
    """
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=gateway, headers=headers, timeout=60, trust_env=False) as client:
        shown = await _shown_customer(client)
        if shown is not None and await _is_complete(client, purchases):
            return DemoReport(shown, loaded=False)
        await _put_units(client)
        touchpoints = [
            *car_maker(datetime.now(UTC)),
            *duplicates(),
            *trading_company(),
            *islice(cdnow(), purchases),
        ]
        done = 0
        for batch in _batches(touchpoints):
            await _report(client, batch)
            done += len(batch)
            progress("touchpoints", done, len(touchpoints))
        await _settled(client, touchpoints[-1]["id"])
        shown = await _shown_customer(client)
        if shown is None:
            raise LocalStackError("the demo was loaded, but its first customer is not to be found")
        return DemoReport(shown, loaded=True)


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


async def _is_complete(client: httpx.AsyncClient, purchases: int | None) -> bool:
    last = list(islice(cdnow(), purchases))[-1]
    answer = await client.get(f"/v1/touchpoints/{last['id']}")
    return answer.status_code == httpx.codes.OK and answer.json()["state"] == "recorded"


async def _shown_customer(client: httpx.AsyncClient) -> str | None:
    body = {"identifiers": [{"type": "phone", "value": SHOWN_PHONE, "region": "CN"}]}
    matches = _checked(await client.post("/v1/customers/lookup", json=body)).json()["matches"]
    return matches[0]["customer_id"] if matches else None


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        raise LocalStackError(f"the gateway answered {answer.status_code}: {answer.text[:500]}")
    return answer


def _batches(touchpoints: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(touchpoints)
    while batch := list(islice(rest, BATCH)):
        yield batch
