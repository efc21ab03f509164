"""A page of another origin, in a real browser: it reads a stream with the script that the documentation shows."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest_asyncio
from playwright.async_api import Browser, Page

from deploy.local.infrastructure import CHECKOUT
from deploy.local.stack import Stack
from tests.support.browser import PageServer, browser, page_server
from tests.support.documented import IN_A_BROWSER, blocks
from tests.support.stack import Caller

PATIENCE_MS = 30_000
[SCRIPT] = [
    block.text for block in blocks(CHECKOUT / "docs" / "channel-developers.md", CHECKOUT) if block.info == IN_A_BROWSER
]
READER = f"""
({{ gateway, customerId, token }}) => {{
  window.events = [];
  const show = (name, data) => window.events.push({{ name, data }});
  let lastEventId;
  const read = async () => {{ {SCRIPT} }};
  window.reading = read().catch((error) => window.events.push({{ name: "failed", data: String(error) }}));
}}
"""
NEXT_EVENT = "([seen, name]) => window.events.slice(seen).find((event) => event.name === name)"
STATUS = """
async ({ gateway, path, token }) => {
  try { return (await fetch(gateway + path, { headers: { Authorization: `Bearer ${token}` } })).status; }
  catch (error) { return error.name; }
}
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A page in a browser, and what it holds to read one customer."""

    page: Page
    gateway: str
    customer_id: str
    token: Mapping[str, Any]

    async def open(self, origin: str) -> None:
        """Opens the page of an origin."""
        await self.page.goto(origin)

    async def read_stream(self) -> None:
        """Starts the script of the documentation."""
        held = {"gateway": self.gateway, "customerId": self.customer_id, "token": self.token["token"]}
        await self.page.evaluate(READER, held)

    async def event(self, name: str, *, after: int = 0) -> dict[str, Any]:
        """The first event of a name, besides the first `after` events; waits for it."""
        found = await self.page.wait_for_function(NEXT_EVENT, arg=[after, name], timeout=PATIENCE_MS)
        return dict(await found.json_value())

    async def status(self) -> int | str:
        """The status that a read of the customer gets, or the name of the error that the page sees in its stead."""
        path = f"/v1/customers/{self.customer_id}"
        answer: int | str = await self.page.evaluate(
            STATUS, {"gateway": self.gateway, "path": path, "token": self.token["token"]}
        )
        return answer


@pytest_asyncio.fixture
async def running_browser() -> AsyncIterator[Browser]:
    async with browser() as running:
        yield running


@pytest_asyncio.fixture
async def pages(page_port: int) -> AsyncIterator[PageServer]:
    async with page_server(page_port) as server:
        yield server


@pytest_asyncio.fixture
async def desk(running_browser: Browser, stack: Stack, caller: Caller) -> Desk:
    call = await caller.report(_call())
    customer_id = (await caller.status(call))["customer_id"]
    await caller.view(customer_id, call)
    asked = {"scopes": ["customers:read"], "minutes": 5, "customer_id": customer_id}
    token = (await caller.call("POST", "/v1/tokens", 201, json=asked)).json()
    return Desk(await running_browser.new_page(), stack.gateway, customer_id, token)


PHONE = "+8613812340199"


def _call() -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "phone",
        "kind": "call.ended",
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "identifiers": [{"type": "phone", "value": PHONE}],
        "data": {"direction": "inbound"},
    }


async def test_a_page_of_another_origin_follows_a_customer_until_its_token_is_revoked(
    desk: Desk, pages: PageServer, caller: Caller
) -> None:
    await desk.open(pages.origin())
    await desk.read_stream()
    first = await desk.event("snapshot")
    assert first["data"]["customer_id"] == desk.customer_id
    assert "interactions" in first["data"]
    assert "value" not in first["data"]
    seen = await desk.page.evaluate("window.events.length")

    await caller.report(_call())
    change = await desk.event("delta", after=seen)
    assert "interactions" in change["data"]

    await caller.call("DELETE", f"/v1/tokens/{desk.token['token_id']}", 200)
    ended = await desk.event("ended")
    assert ended["data"]["status"] == 401
    assert await desk.status() == 401, "a page must be able to read why it is refused"


async def test_a_page_of_an_origin_that_is_not_listed_learns_nothing(desk: Desk, pages: PageServer) -> None:
    await desk.open(pages.origin())
    assert await desk.status() == 200
    await desk.open(pages.origin("localhost"))
    assert await desk.status() == "TypeError"
