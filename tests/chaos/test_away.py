"""Something is away: the rest goes on, what cannot says so and when to come back, and nothing has to be restarted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.services import PROCESSES
from deploy.local.stack import Stack
from tests.chaos.stacks import own_stack
from tests.support.conditions import until
from tests.support.stack import Caller


def call(number: str) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "phone",
        "kind": "call.ended",
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "identifiers": [{"type": "phone", "value": number, "region": "CN"}],
        "data": {"direction": "inbound"},
    }


def phone_number() -> str:
    return f"138{uuid4().int % 10**8:08d}"


async def test_what_is_away_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with own_stack(tmp_path) as stack, _caller(stack) as caller:
        known = await _known_customer(caller)
        await _kafka_away(stack, caller, known)
        await _postgres_away(stack, caller, known)
        assert {name: stack.supervisor.restarts(name) for name in PROCESSES} == dict.fromkeys(PROCESSES, 0)
        for service in ("customer", "interaction", "ticket", "scoring"):
            await _service_away(stack, caller, known, service)


async def _kafka_away(stack: Stack, caller: Caller, known: Known) -> None:
    await stack.infrastructure.broker.kill()
    touchpoint = call(known.number)
    refused = await caller.call("POST", "/v1/touchpoints", 503, json=touchpoint)
    assert int(refused.headers["retry-after"]) > 0
    view = (await caller.call("GET", f"/v1/customers/{known.customer_id}", 200)).json()
    assert view["interactions"]["count"] == known.contacts
    ticket = await caller.call("POST", "/v1/tickets", 201, json=known.complaint())
    await caller.call("GET", f"/v1/tickets/{ticket.json()['ticket_id']}", 200)
    await stack.infrastructure.broker.restart()
    await _reported(caller, touchpoint)
    known.contacts += 1
    view = await caller.view(known.customer_id, f"{touchpoint['id']},{ticket.headers['rapport-event-id']}")
    assert view["interactions"]["count"] == known.contacts
    assert view["tickets"]["total"] == 1


async def _postgres_away(stack: Stack, caller: Caller, known: Known) -> None:
    await stack.infrastructure.database.kill()
    touchpoint = call(known.number)
    for method, path, body in (
        ("GET", f"/v1/customers/{known.customer_id}", None),
        ("POST", "/v1/tickets", known.complaint()),
        ("GET", f"/v1/customers/{known.customer_id}/record", None),
        ("GET", f"/v1/customers/{known.customer_id}/value", None),
        ("POST", "/v1/touchpoints", touchpoint),
    ):
        refused = await caller.call(method, path, 503, json=body)
        assert int(refused.headers["retry-after"]) > 0, path
        assert refused.headers["content-type"] == "application/problem+json", path
    await stack.infrastructure.database.restart()
    await _reported(caller, touchpoint)
    known.contacts += 1
    assert (await caller.view(known.customer_id, touchpoint["id"]))["interactions"]["count"] == known.contacts


async def _service_away(stack: Stack, caller: Caller, known: Known, service: str) -> None:
    await stack.supervisor.kill(service, stay_down=True)
    if service == "interaction":
        await stack.supervisor.kill("interaction-second", stay_down=True)
    touchpoint = call(known.number)
    await caller.report(touchpoint)
    paths = {
        "customer": f"/v1/customers/{known.customer_id}/record",
        "interaction": "/v1/quarantine",
        "ticket": "/v1/tickets",
        "scoring": f"/v1/customers/{known.customer_id}/value",
    }
    refused = await caller.call("GET", paths[service], 503)
    assert int(refused.headers["retry-after"]) > 0
    for other in paths.keys() - {service}:
        answer = await caller.client.get(paths[other])
        assert answer.status_code in (200, 404), f"{service} is away, and {paths[other]} answers {answer.status_code}"
    await caller.call("GET", f"/v1/customers/{known.customer_id}", 200)
    stack.supervisor.start(service)
    await stack.supervisor.wait_ready(f"{stack.addresses.url(service)}/readyz")
    known.contacts += 1
    assert (await caller.view(known.customer_id, touchpoint["id"]))["interactions"]["count"] == known.contacts


class Known:
    """A customer who called before anything was away."""

    def __init__(self, number: str, customer_id: str) -> None:
        self.number = number
        self.customer_id = customer_id
        self.contacts = 1

    def complaint(self) -> dict[str, Any]:
        return {"kind": "complaint", "customer": {"id": self.customer_id}, "subject": "没有回电"}


async def _known_customer(caller: Caller) -> Known:
    number = phone_number()
    touchpoint_id = await caller.report(call(number))
    known = Known(number, (await caller.status(touchpoint_id))["customer_id"])
    await caller.view(known.customer_id, touchpoint_id)

    async def tickets_know_it() -> bool:
        answer = await caller.client.get(f"/v1/customers/{known.customer_id}/record")
        return answer.status_code == 200

    await until("the customer's record", tickets_know_it)
    return known


async def _reported(caller: Caller, touchpoint: dict[str, Any]) -> None:
    async def accepted() -> bool:
        answer = await caller.client.post("/v1/touchpoints", json=touchpoint)
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202

    await until("the acceptance of a touchpoint", accepted)


@asynccontextmanager
async def _caller(stack: Stack) -> AsyncIterator[Caller]:
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=40, trust_env=False) as client:
        yield Caller(client)
