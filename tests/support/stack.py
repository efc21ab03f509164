"""The whole of Rapport for tests that look at it from outside: all services on the session's Kafka and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.stack import Stack, free_ports, running_stack
from tests.support.conditions import until

__all__ = ["Caller", "caller", "page_port", "stack"]


class Caller:
    """A channel application: the gateway's API as tests speak it. Each call asserts the status that is expected."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def call(self, method: str, path: str, expected: int, **options: Any) -> httpx.Response:
        """One request; fails the test with the answer when its status is another."""
        answer = await self.client.request(method, path, **options)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def until_status(self, method: str, path: str, expected: int) -> None:
        """Repeats a request that changes nothing until it is answered with the status that is expected."""

        async def answered() -> bool:
            return (await self.client.request(method, path)).status_code == expected

        await until(f"{expected} of {method} {path}", answered)

    async def report(self, touchpoint: dict[str, Any]) -> str:
        """Reports a touchpoint and answers its id."""
        answer = await self.call("POST", "/v1/touchpoints", 202, json=touchpoint)
        return str(answer.json()["accepted"][0]["id"])

    async def open_ticket(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """Opens a ticket, once the ticket service has heard of its customer."""
        opened: list[httpx.Response] = []

        async def known() -> bool:
            opened.append(await self.client.post("/v1/tickets", json=ticket))
            return opened[-1].status_code != 404

        await until("the ticket service knows the customer", known)
        assert opened[-1].status_code == 201, opened[-1].text
        return dict(opened[-1].json())

    async def status(self, touchpoint_id: str, *, wait_ms: int = 20_000) -> dict[str, Any]:
        """What became of a touchpoint."""
        answer = await self.call("GET", f"/v1/touchpoints/{touchpoint_id}?wait_ms={wait_ms}", 200)
        return dict(answer.json())

    async def view(
        self, customer_id: str | UUID, after: str, *, wait_ms: int = 20_000, settled: bool = False
    ) -> dict[str, Any]:
        """A customer's view once it holds the events of `after`; `settled`, with the figures that follow from all."""
        path = f"/v1/customers/{customer_id}?after={after}&wait_ms={wait_ms}{'&settled=true' if settled else ''}"
        answer = await self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())


@pytest.fixture(scope="session")
def page_port() -> int:
    """A port that is left free for pages: the gateway admits their origin on 127.0.0.1, under no other name."""
    return free_port()


@pytest_asyncio.fixture(scope="session")
async def stack(infrastructure: Infrastructure, tmp_path_factory: Any, page_port: int) -> AsyncIterator[Stack]:
    """The five services, running until the session ends."""
    directory = Path(tmp_path_factory.mktemp("stack"))
    admitted = {"RAPPORT_ALLOWED_ORIGINS": json.dumps([f"http://{LOOPBACK}:{page_port}"])}
    async with running_stack(infrastructure, directory, free_ports(directory), variables=admitted) as running:
        yield running


@pytest_asyncio.fixture
async def caller(stack: Stack) -> AsyncIterator[Caller]:
    """A caller that may do everything."""
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=40, trust_env=False) as client:
        yield Caller(client)
