"""Assets on a real database: who held them when, what was done to them, and plates that move."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio

from rapport_shared.contracts.customer import AssetState
from rapport_shared.contracts.ids import derived_id, source_profile_id
from rapport_shared.contracts.interaction import RecordedAssetKey
from rapport_shared.normalisation import identifier_key, normalise_asset_key
from tests.support.customer_service import SECRET, CustomerDesk, customer_desk
from tests.support.infrastructure import Databases

SELLER, BUYER = source_profile_id("erp", "seller"), source_profile_id("erp", "buyer")


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as service:
        yield service


def key_of(type_: str, value: str) -> str:
    return identifier_key(SECRET.encode(), type_, normalise_asset_key(type_, value).normal)


def car(serial: str) -> UUID:
    return derived_id("asset", key_of("serial", serial))


async def asset(desk: CustomerDesk, asset_id: UUID) -> AssetState:
    text = await desk.database.fetch_value("SELECT state FROM asset WHERE asset_id = $1", asset_id)
    return AssetState.model_validate_json(text)


async def plates(desk: CustomerDesk, asset_id: UUID) -> list[Any]:
    return [key.normal for key in (await asset(desk, asset_id)).keys if key.type == "plate"]


async def tell(desk: CustomerDesk, profile_id: UUID, kind: str, data: dict[str, Any], day: int) -> UUID:
    """A touch tells of an asset; answers the event."""
    keys = []
    for type_ in ("serial", "plate"):
        if type_ in data:
            form = normalise_asset_key(type_, data[type_])
            fields = {"type": type_, "key": key_of(type_, data[type_]), "raw": form.raw, "normal": form.normal}
            keys.append(RecordedAssetKey.model_validate(fields | {"norm_version": form.norm_version}))
    return await desk.touch(profile_id, kind, data=data, day=day, assets=keys)


def serviced(order: str, mileage: int, **keys: str) -> dict[str, Any]:
    return {"work_order": order, "mileage": mileage, **keys}


async def test_a_sold_car_keeps_its_history_and_never_merges_seller_and_buyer(desk: CustomerDesk) -> None:
    one = {"serial": "WVW1", "type": "vehicle", "model": "Golf"}
    await tell(desk, SELLER, "asset.delivered", one, 1)
    await tell(desk, SELLER, "asset.serviced", serviced("A-1", 1000, serial="WVW1"), 5)
    sold = await tell(desk, BUYER, "asset.transferred", {"serial": "WVW1"}, 10)
    state = await asset(desk, car("WVW1"))
    assert [holding.profile_id for holding in state.holdings] == [SELLER, BUYER]
    assert [service.work_order for service in state.services] == ["A-1"]
    assert not await desk.are_one(SELLER, BUYER)
    await desk.retract(BUYER, sold)
    state = await asset(desk, car("WVW1"))
    assert [holding.profile_id for holding in state.holdings] == [SELLER]
    assert state.former_holders == (BUYER,), "whose view must learn that it has no such car"
    await desk.retract(BUYER, sold)
    assert await asset(desk, car("WVW1")) == state


async def test_a_later_report_of_a_work_order_replaces_it_until_it_is_retracted(desk: CustomerDesk) -> None:
    await tell(desk, SELLER, "asset.serviced", serviced("A-1", 1000, serial="WVW1"), 1)
    later = await tell(desk, SELLER, "asset.serviced", serviced("A-1", 1200, serial="WVW1"), 2)
    await tell(desk, SELLER, "asset.serviced", serviced("A-1", 900, serial="WVW1"), 0)
    services = (await asset(desk, car("WVW1"))).services
    assert [(service.work_order, service.mileage) for service in services] == [("A-1", 1200)]
    await desk.retract(SELLER, later)
    services = (await asset(desk, car("WVW1"))).services
    assert [(service.work_order, service.mileage) for service in services] == [("A-1", 1000)]


async def test_a_retraction_that_comes_first_is_obeyed(desk: CustomerDesk) -> None:
    await tell(desk, SELLER, "asset.delivered", {"serial": "WVW1"}, 1)
    touched = len(desk.told)
    await tell(desk, BUYER, "asset.transferred", {"serial": "WVW1"}, 2)
    again, event_id = desk.told[touched], UUID(dict(desk.told[touched].headers)["ce_id"].decode())
    await desk.retract(BUYER, event_id)
    await desk.hear(again)
    assert [holding.profile_id for holding in (await asset(desk, car("WVW1"))).holdings] == [SELLER]


async def test_a_plate_moves_to_another_vehicle_and_back_when_that_was_an_error(desk: CustomerDesk) -> None:
    await tell(desk, SELLER, "asset.delivered", {"serial": "OLD", "plate": "B-AB 1"}, 1)
    await tell(desk, SELLER, "asset.delivered", {"serial": "NEW", "plate": "B-AB 1"}, 20)
    assert (await plates(desk, car("OLD")), await plates(desk, car("NEW"))) == ([], ["BAB1"])
    former = (await asset(desk, car("OLD"))).former_keys
    assert [key.normal for key in former] == ["BAB1"]
    now = await tell(desk, SELLER, "asset.serviced", serviced("A-1", 10, plate="B-AB 1"), 25)
    await tell(desk, SELLER, "asset.serviced", serviced("A-0", 90_000, plate="B-AB 1"), 10)
    assert [one.work_order for one in (await asset(desk, car("NEW"))).services] == ["A-1"]
    assert [one.work_order for one in (await asset(desk, car("OLD"))).services] == ["A-0"], "it was there then"
    await desk.retract(SELLER, now)
    wrong = await tell(desk, BUYER, "asset.delivered", {"serial": "ODD", "plate": "B-AB 1"}, 30)
    assert (await plates(desk, car("NEW")), await plates(desk, car("ODD"))) == ([], ["BAB1"])
    await desk.retract(BUYER, wrong)
    assert (await plates(desk, car("NEW")), await plates(desk, car("ODD"))) == (["BAB1"], [])


async def test_a_late_word_of_a_plate_changes_what_was_not_what_is(desk: CustomerDesk) -> None:
    await tell(desk, SELLER, "asset.delivered", {"serial": "NEW", "plate": "B-AB 1"}, 20)
    await tell(desk, SELLER, "asset.delivered", {"serial": "OLD", "plate": "B-AB 1"}, 1)
    assert (await plates(desk, car("OLD")), await plates(desk, car("NEW"))) == ([], ["BAB1"])


async def test_a_vehicle_known_by_its_plate_gets_its_serial_number(desk: CustomerDesk) -> None:
    await tell(desk, SELLER, "asset.serviced", serviced("A-1", 10, plate="B-AB 1"), 1)
    await tell(desk, SELLER, "asset.delivered", {"serial": "WVW1", "plate": "B-AB 1"}, 2)
    await tell(desk, SELLER, "asset.serviced", serviced("A-2", 20, serial="WVW1"), 3)
    count = await desk.database.fetch_value("SELECT count(*) FROM asset")
    state = await asset(desk, derived_id("asset", key_of("plate", "B-AB 1")))
    assert (count, [one.work_order for one in state.services]) == (1, ["A-1", "A-2"])


async def test_a_merge_and_its_undo_move_nothing_of_an_asset(desk: CustomerDesk) -> None:
    for person, record in ((SELLER, "seller"), (BUYER, "buyer")):
        assert await desk.report("erp", record, {"kind": "person"}) == person
    await tell(desk, SELLER, "asset.delivered", {"serial": "WVW1"}, 1)
    before = await asset(desk, car("WVW1"))
    made = await desk.call("POST", "/v1/merges", 201, json={"into": str(BUYER), "from": [str(SELLER)]})
    assert await asset(desk, car("WVW1")) == before
    await desk.call("POST", f"/v1/merges/{made.json()['merges'][0]['merge_id']}/undo", 200)
    assert await asset(desk, car("WVW1")) == before
    by_hand = await desk.call("POST", f"/v1/customers/{BUYER}/assets", 201, json={"serial": "WVW1"})
    assert by_hand.json()["asset_id"] == str(car("WVW1"))
