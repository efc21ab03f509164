"""Touchpoints that name nobody follow documents and devices, whatever comes first, twice or is taken back."""

from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from rapport_interaction import store
from rapport_shared.contracts.catalogue import CUSTOMER_MERGED, CUSTOMER_UNMERGED, GATEWAY_SOURCE
from rapport_shared.contracts.customer import CustomerMerged, CustomerUnmerged, ProfileMove
from rapport_shared.contracts.ids import source_profile_id
from tests.support.infrastructure import Databases
from tests.support.interaction_service import Desk, desk_of, touchpoint

BUYER, OTHER = source_profile_id("shop", "U-1"), source_profile_id("shop", "U-2")


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with desk_of(databases) as open_desk:
        yield open_desk


def document(kind: str, data: dict[str, Any], record: str | None = None, **changes: Any) -> dict[str, Any]:
    source = {"system": "shop"} | ({"record": record} if record else {})
    return touchpoint(channel="erp", kind=kind, source=source, data=data, **changes)


def order(record: str | None, revision: int = 1, **changes: Any) -> dict[str, Any]:
    line = {"line": "1", "sku": "A", "quantity": "1", "net": 100, "tax": 0}
    data = {
        "order": "O-1",
        "revision": revision,
        "currency": "CNY",
        "net": 100,
        "tax": 0,
        "gross": 100,
        "lines": [line],
    }
    return document("order.placed", data, record, **changes)


def invoice() -> dict[str, Any]:
    line = {"line": "1", "order": "O-1", "order_line": "1", "quantity": "1", "net": 100, "tax": 0}
    terms = [{"due_on": "2026-03-31", "amount": 100}]
    data = {"invoice": "I-1", "currency": "CNY", "net": 100, "tax": 0, "gross": 100, "lines": [line], "terms": terms}
    return document("invoice.issued", data)


def payment(**data: Any) -> dict[str, Any]:
    return document("payment.received", {"payment": "P-1", "currency": "CNY", "amount": 100, **data})


def visit(device: str, hour: int, **changes: Any) -> dict[str, Any]:
    named = [{"type": "device", "value": device}]
    at = f"2026-03-01T{hour:02d}:00:00Z"
    return touchpoint(channel="web", kind="web.visited", occurred_at=at, identifiers=named, data={}, **changes)


def sign_in(device: str, hour: int, account: str, **changes: Any) -> dict[str, Any]:
    at, data = f"2026-03-01T{hour:02d}:00:00Z", {"device": device, "account": account}
    source = {"system": "shop"}
    return touchpoint(channel="web", kind="web.identified", occurred_at=at, data=data, source=source, **changes)


async def profiles(desk: Desk) -> dict[str, str | None]:
    """The profile of each touchpoint that counts."""
    return {name: recorded["profile_id"] for name, recorded in (await desk.standing()).items()}


async def test_a_payment_after_its_order_is_at_once_of_the_orders_customer(desk: Desk) -> None:
    placed, paid = order("U-1"), payment(order="O-1")
    await desk.arrive(placed)
    await desk.arrive(paid)
    recorded = (await desk.standing())[paid["id"]]
    assert recorded["profile_id"] == str(BUYER)
    assert recorded["attribution"] == {
        "by": "source",
        "identifier_key": None,
        "route_seq": None,
        "document": "order:shop:O-1",
    }
    assert len(await desk.events("interaction.recorded")) == 2


async def test_chains_end_at_the_same_customer_in_any_order_and_doubled(databases: Databases) -> None:
    reports = [order("U-1"), invoice(), payment(allocations=[{"invoice": "I-1", "amount": 100}])]
    refund = document("payment.refunded", {"refund": "R-1", "payment": "P-1", "amount": 10, "currency": "CNY"})
    for place, arriving in enumerate(permutations([*reports, refund])):
        if place % 5:
            continue
        async with desk_of(databases) as desk:
            for report in arriving:
                await desk.arrive(report)
            await desk.follow(*(report["id"] for report in reversed(arriving)))
            await desk.follow()
            assert set((await profiles(desk)).values()) == {str(BUYER)}
            before = len(await desk.events())
            await desk.arrive(*arriving)
            await desk.follow()
            assert len(await desk.events()) == before, "repeats change nothing"


async def test_one_batch_needs_no_second_recording(desk: Desk) -> None:
    await desk.arrive(payment(order="O-1"), order("U-1"))
    await desk.follow()
    assert set((await profiles(desk)).values()) == {str(BUYER)}
    assert len(await desk.events("interaction.recorded")) == 2


@pytest.mark.parametrize("late", [False, True])
async def test_the_highest_revision_says_whose_it_is(desk: Desk, late: bool) -> None:
    first, second, paid = order("U-1", 1), order("U-2", 2), payment(order="O-1")
    for report in (second, paid, first) if late else (first, paid, second):
        await desk.arrive(report)
        await desk.follow()
    assert (await profiles(desk))[paid["id"]] == str(OTHER)
    await desk.call("POST", f"/v1/touchpoints/{second['id']}/retractions", 201, json={"reason": "reported_in_error"})
    await desk.follow()
    assert (await profiles(desk))[paid["id"]] == str(BUYER)
    await desk.call("POST", f"/v1/touchpoints/{first['id']}/retractions", 201, json={"reason": "reported_in_error"})
    await desk.follow()
    assert (await profiles(desk))[paid["id"]] is None


async def test_documents_follow_an_order_that_somebody_attributes_by_hand(desk: Desk) -> None:
    placed, paid, holder = order(None), payment(order="O-1"), await desk.profile()
    await desk.arrive(placed, paid)
    await desk.follow()
    assert set((await profiles(desk)).values()) == {None}
    entry = (await desk.standing())[placed["id"]]["interaction_id"]
    await desk.call("POST", f"/v1/interactions/{entry}/attribute", 200, json={"profile_id": str(holder)})
    await desk.follow()
    assert set((await profiles(desk)).values()) == {str(holder)}


async def test_what_names_its_own_customer_stays_there(desk: Desk) -> None:
    paid = payment(order="O-1") | {"source": {"system": "shop", "record": "U-2"}}
    await desk.arrive(paid)
    await desk.arrive(order("U-1"))
    await desk.follow()
    assert (await profiles(desk))[paid["id"]] == str(OTHER)


async def test_numbers_of_another_system_are_other_documents(desk: Desk) -> None:
    paid = payment(order="O-1") | {"source": {"system": "erp"}}
    await desk.arrive(order("U-1"))
    await desk.arrive(paid)
    await desk.follow()
    assert (await profiles(desk))[paid["id"]] is None


async def test_a_device_is_its_users_from_the_sign_in_until_another_signs_in(databases: Databases) -> None:
    reports = [visit("d", 8), sign_in("d", 9, "U-1"), visit("d", 10), sign_in("d", 11, "U-2"), visit("d", 12)]
    expected = [None, str(BUYER), str(BUYER), str(OTHER), str(OTHER)]
    for place, arriving in enumerate(permutations(range(5))):
        if place % 17:
            continue
        async with desk_of(databases) as desk:
            for number in arriving:
                await desk.arrive(reports[number])
            await desk.follow(*(reports[number]["id"] for number in reversed(arriving)))
            await desk.follow()
            found = await profiles(desk)
            assert [found[report["id"]] for report in reports] == expected, arriving
            before = len(await desk.events())
            await desk.follow()
            assert len(await desk.events()) == before


async def test_what_was_before_the_first_sign_in_is_its_users_within_the_conversation_alone(desk: Desk) -> None:
    inside, outside = visit("d", 8, conversation="s-1", source={"system": "shop"}), visit("d", 8)
    await desk.arrive(inside, outside)
    await desk.follow()
    await desk.arrive(sign_in("d", 9, "U-1", conversation="s-1"))
    await desk.follow()
    found = await profiles(desk)
    assert (found[inside["id"]], found[outside["id"]]) == (str(BUYER), None)


@pytest.mark.parametrize("sign_in_first", [False, True])
async def test_the_conversation_knows_better_than_the_device(desk: Desk, sign_in_first: bool) -> None:
    former = sign_in("d", 9, "U-1")
    seen = visit("d", 11, conversation="s-2", source={"system": "shop"})
    later = sign_in("d", 12, "U-2", conversation="s-2")
    for report in (former, later, seen) if sign_in_first else (former, seen, later):
        await desk.arrive(report)
        await desk.follow()
    assert (await profiles(desk))[seen["id"]] == str(OTHER)


async def test_a_sign_in_that_is_taken_back_takes_its_visits_back(desk: Desk) -> None:
    signed, seen = sign_in("d", 9, "U-1"), visit("d", 10)
    await desk.arrive(signed)
    await desk.arrive(seen)
    await desk.follow()
    assert (await profiles(desk))[seen["id"]] == str(BUYER)
    await desk.call("POST", f"/v1/touchpoints/{signed['id']}/retractions", 201, json={"reason": "reported_in_error"})
    await desk.follow()
    assert (await profiles(desk))[seen["id"]] is None


async def test_a_device_that_stands_for_nothing_is_nobodys(desk: Desk) -> None:
    await desk.arrive(sign_in("null", 9, "U-1"))
    seen = visit("null", 10)
    await desk.arrive(seen)
    await desk.follow()
    assert (await profiles(desk))[seen["id"]] is None


async def test_a_recording_says_the_customer_of_its_profile_then(desk: Desk) -> None:
    root, merge_id = uuid4(), uuid4()
    merged = CustomerMerged(
        merge_id=merge_id,
        from_customer=BUYER,
        into_profile=root,
        into_customer=root,
        reason="manual",
        moves=(ProfileMove(profile_id=BUYER, mapping_seq=1, customer_id=root),),
    )
    undone = CustomerUnmerged(
        merge_id=merge_id, moves=(ProfileMove(profile_id=BUYER, mapping_seq=2, customer_id=BUYER),)
    )
    before, during, afterwards, nobody = order("U-1"), payment(order="O-1"), invoice(), touchpoint()
    await desk.arrive(before, nobody)
    await desk.hear(CUSTOMER_MERGED, merged)
    await desk.arrive(during)
    await desk.hear(CUSTOMER_UNMERGED, undone, sequence=2)
    await desk.hear(CUSTOMER_MERGED, merged)  # comes again, and late
    await desk.arrive(afterwards)
    standing = await desk.standing()
    said = {name: (one["profile_id"], one["customer_id"]) for name, one in standing.items()}
    assert said[before["id"]] == (str(BUYER), str(BUYER))
    assert said[during["id"]] == (str(BUYER), str(root))
    assert said[afterwards["id"]] == (str(BUYER), str(BUYER))
    assert said[nobody["id"]] == (None, None)
    headers = await desk.database.fetch("SELECT event_id, headers::jsonb ->> 'ce_customerid' AS id FROM event_log")
    assert {row["event_id"]: row["id"] for row in headers}[UUID(during["id"])] == str(root)


async def test_an_unsigned_record_of_a_former_release_is_recorded_as_a_connectors(desk: Desk) -> None:
    await desk.unit("cn/east", "CN")
    named = [{"type": "phone", "value": "138 0013 8000", "verified": True}]
    waiting, stray = touchpoint(unit="cn/east", identifiers=named), touchpoint(unit="cn/nowhere", identifiers=named)
    headers = {"rapport_mayverify": "phone", "rapport_region": "US"}
    await desk.arrive(waiting, stray, source=GATEWAY_SOURCE, headers=headers)
    [identifier] = (await desk.standing())[waiting["id"]]["identifiers"]
    assert (identifier["normal"], identifier["verified"]) == ("+8613800138000", False)
    assert [one["reason"] for one in await desk.quarantined()] == ["unknown_unit"], "kept, and to be mended"


async def test_the_gateways_region_is_read_whatever_the_units_is_by_then(desk: Desk) -> None:
    await desk.unit("cn/east", "US")
    report = touchpoint(unit="cn/east", identifiers=[{"type": "phone", "value": "138 0013 8000"}])
    await desk.arrive_by_gateway(report, region="CN")
    [identifier] = (await desk.standing())[report["id"]]["identifiers"]
    assert identifier["normal"] == "+8613800138000"


async def test_statements_are_kept_once_for_each_touchpoint(desk: Desk) -> None:
    await desk.arrive(order("U-1"))
    await desk.follow()
    async with desk.database.transaction() as connection:
        about = await store.statements_about(connection, ["order:shop:O-1"])
    assert [one.profile_id for one in about["order:shop:O-1"]] == [BUYER]
