"""The API page opens without the internet: everything that it loads is served by the gateway."""

import re

import pytest

from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_everything_the_page_loads_comes_from_the_gateway(caller: Caller) -> None:
    page = (await caller.call("GET", "/docs", 200)).text
    loaded = [url for url in re.findall(r"(?:src|href)=\"([^\"]+)\"", page) if not url.startswith("data:")]
    assert loaded, page
    for url in loaded:
        assert url.startswith("/"), f"{url} is elsewhere"
        await caller.call("GET", url, 200)
    document = (await caller.call("GET", "/openapi.json", 200)).json()
    assert "/v1/customers/{customer_id}" in document["paths"]
