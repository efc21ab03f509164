"""How good the records of each source are: counted as they change, kept from day to day."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest_asyncio

from rapport_customer.commands.quality import quality_of_the_day
from tests.support.customer_service import CustomerDesk, customer_desk
from tests.support.infrastructure import Databases

GOOD = {
    "kind": "person",
    "name": {"display": "王小明"},
    "birth_date": "1985-03-01",
    "language": "zh",
    "addresses": [{"city": "上海"}],
}


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as desk:
        yield desk


async def sources(desk: CustomerDesk) -> dict[str, dict[str, Any]]:
    found = (await desk.call("GET", "/v1/quality", 200)).json()["sources"]
    return {one["system"]: one for one in found}


async def test_each_source_is_judged_by_what_it_says(desk: CustomerDesk) -> None:
    await desk.report("erp", "1", GOOD, [{"type": "phone", "value": "138 0013 8000"}])
    await desk.report("shop", "1", {"birth_date": "spring of 1985"}, [{"type": "phone", "value": "call the office"}])
    found = await sources(desk)
    assert (found["erp"]["completeness"], found["erp"]["validity"], found["erp"]["agreement"]) == (100.0, 100.0, 100.0)
    assert (found["shop"]["completeness"], found["shop"]["validity"]) == (40.0, 0.0)


async def test_a_source_that_others_contradict_agrees_less(desk: CustomerDesk) -> None:
    profile = await desk.report("erp", "1", GOOD)
    await desk.call("PATCH", f"/v1/customers/{profile}/record", 200, json={"language": "en"})
    assert (await sources(desk))["erp"]["agreement"] == 80.0


async def test_a_record_that_may_be_anothers_too_counts_as_doubled(desk: CustomerDesk) -> None:
    phone = {"type": "phone", "value": "138 0013 8000"}
    await desk.report("erp", "1", {}, [phone])
    await desk.report("shop", "9", {}, [phone])
    assert {name: one["duplication"] for name, one in (await sources(desk)).items()} == {"erp": 100.0, "shop": 100.0}


async def test_a_retracted_report_is_judged_no_more(desk: CustomerDesk) -> None:
    profile = await desk.report("erp", "1", GOOD)
    event = next(value.decode() for name, value in desk.told[-1].headers if name == "ce_id")
    await desk.retract(profile, UUID(event))
    assert await sources(desk) == {}


async def test_a_day_is_kept_once_however_often_it_is_counted(desk: CustomerDesk) -> None:
    await desk.report("erp", "1", GOOD)
    for day in (1, 1, 2):
        async with desk.database.transaction() as connection:
            await quality_of_the_day(lambda day=day: datetime(2026, 3, day, tzinfo=UTC))(connection)  # type: ignore[misc]
    query = {"system": "erp", "since": "2026-03-01"}
    days = (await desk.call("GET", "/v1/quality/trend", 200, params=query)).json()["days"]
    assert [(one["day"], one["profiles"], one["freshness"]) for one in days] == [
        ("2026-03-01", 1, 100.0),
        ("2026-03-02", 1, 100.0),
    ]
