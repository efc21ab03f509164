"""A unit marked isolated: its customers are its own, for its callers and for joins."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio

from tests.support.customer_service import CustomerDesk, caller_headers, customer_desk
from tests.support.infrastructure import Databases

UNIT = {"name": "A unit", "time_zone": "UTC", "currency": "EUR", "phone_region": "DE"}
PERSON = {"kind": "person", "name": {"display": "Anna Weiß"}, "birth_date": "1985-03-01"}
HOME = {"addresses": [{"city": "Ulm", "street": "Hafenbad 7", "postcode": "89073"}]}


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as desk:
        for path, isolated in (("shops", False), ("shops/ulm", True), ("shops/bonn", False)):
            await desk.call("PUT", f"/v1/units/{path}", 201, json=UNIT | {"isolated": isolated})
        yield desk


async def registered(desk: CustomerDesk, unit: str | None, **more: Any) -> UUID:
    return await desk.register(**(PERSON | HOME | {"unit": unit} | more))


async def test_customers_of_an_isolated_unit_are_merged_with_no_others(desk: CustomerDesk) -> None:
    ulm, bonn = await registered(desk, "shops/ulm"), await registered(desk, "shops/bonn")
    answer = await desk.call("POST", "/v1/merges", 409, json={"into": str(bonn), "from": [str(ulm)]})
    assert "isolated" in answer.json()["detail"]
    await desk.match()
    assert not await desk.are_one(ulm, bonn)
    assert await desk.candidates() == []
    other = await registered(desk, "shops/ulm")
    await desk.match()
    assert await desk.are_one(ulm, other), "within the unit they are matched as everywhere"


async def test_what_belongs_to_no_unit_may_be_joined_into_an_isolated_one(desk: CustomerDesk) -> None:
    ulm, nowhere = await registered(desk, "shops/ulm"), await registered(desk, None, name={"display": "A."})
    await desk.call("POST", "/v1/merges", 201, json={"into": str(ulm), "from": [str(nowhere)]})


async def test_records_of_an_isolated_unit_are_known_to_its_own_callers_and_to_the_firm(desk: CustomerDesk) -> None:
    ulm, bonn = await registered(desk, "shops/ulm"), await registered(desk, "shops/bonn")
    expected = {"": (200, 200), "shops/ulm": (200, 404), "shops/bonn": (404, 200), "shops": (404, 200)}
    for unit, statuses in expected.items():
        for customer, status in zip((ulm, bonn), statuses, strict=True):
            for path in (f"/v1/customers/{customer}/record", f"/v1/customers/{customer}/merges"):
                await desk.call("GET", path, status, headers=caller_headers(unit))
            if status == 404:
                await desk.call("PATCH", f"/v1/customers/{customer}/record", 404, json={}, headers=caller_headers(unit))


async def test_the_review_queue_of_a_unit_is_its_own(desk: CustomerDesk) -> None:
    for _ in range(2):
        await registered(desk, "shops/bonn", birth_date=None)
    await desk.match()
    for unit, count in (("", 1), ("shops/bonn", 1), ("shops", 1), ("shops/ulm", 0)):
        page = (await desk.call("GET", "/v1/merge-candidates", 200, headers=caller_headers(unit))).json()
        assert len(page["candidates"]) == count, unit
