"""Merges by hand and their exact undo: what they say, what they change, what they leave alone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio

from tests.support.customer_service import CustomerDesk, customer_desk, minted
from tests.support.infrastructure import Databases

PHONE = {"type": "phone", "value": "138 0013 8000"}


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as desk:
        yield desk


async def merge(desk: CustomerDesk, into: UUID, *customers: UUID, expected: int = 201, **more: Any) -> dict[str, Any]:
    body = {"into": str(into), "from": [str(customer) for customer in customers], **more}
    return dict((await desk.call("POST", "/v1/merges", expected, json=body)).json())


async def undo(desk: CustomerDesk, merged: dict[str, Any], expected: int = 200) -> dict[str, Any]:
    return dict((await desk.call("POST", f"/v1/merges/{merged['merges'][0]['merge_id']}/undo", expected)).json())


async def state(desk: CustomerDesk) -> list[Any]:
    """Every register, byte for byte, and where each profile belongs."""
    return [
        *await desk.database.fetch("SELECT profile_id, state, sequence FROM profile ORDER BY profile_id"),
        *await desk.database.fetch("SELECT profile_id, customer_id FROM membership ORDER BY profile_id"),
        *await desk.database.fetch("SELECT identifier_key, target, profile_id FROM route ORDER BY identifier_key"),
    ]


async def test_a_dry_run_tells_what_would_stand_and_changes_nothing(desk: CustomerDesk) -> None:
    kept = await desk.register(kind="person", name={"display": "王小明"}, language="zh")
    erp = await desk.report("erp", "1", {"name": {"display": "王晓明"}, "birth_date": "1985-03-01", "language": "en"})
    await desk.report("shop", "2", {"birth_date": "1985-03-01"}, day=1)
    before = await state(desk)
    told = await merge(desk, kept, erp, expected=200, dry_run=True)
    assert await state(desk) == before
    fields = {field["field"]: field for field in told["fields"]}
    assert (fields["name"]["value"], fields["name"]["rule"]) == ({"display": "王小明"}, "manual")
    assert [loser["source"] for loser in fields["name"]["losers"]] == ["erp:1"]
    assert (fields["birth_date"]["rule"], fields["birth_date"]["profile_id"]) == ("only", str(erp))
    assert [part["customer_id"] for part in told["moves"]] == [str(kept), str(erp)]
    assert "merges" not in told


async def test_conflicts_are_told(desk: CustomerDesk) -> None:
    one = await desk.report("erp", "1", {"birth_date": "1985-03-01"})
    other = await desk.report("erp", "2", {"birth_date": "1958-03-01"}, day=1)
    for profile, given in ((one, True), (other, False)):
        await desk.call("PUT", f"/v1/customers/{profile}/consents/marketing", 200, json={"given": given})
    told = await merge(desk, one, other, expected=200, dry_run=True)
    assert [(c["field"], c["code"]) for c in told["conflicts"]] == [
        ("birth_date", "differs"),
        ("consents.marketing", "strictest_holds"),
    ]


async def test_an_undone_merge_leaves_everything_as_it_was(desk: CustomerDesk) -> None:
    one = await desk.report("erp", "1", {"name": {"display": "A"}}, [PHONE])
    other = await desk.report("shop", "2", {"name": {"display": "B"}}, [{"type": "email", "value": "b@firm.test"}])
    before = await state(desk)
    merged = await merge(desk, one, other)
    assert await desk.customer_of(other) == one
    undone = await undo(desk, merged)
    assert undone["undone"] is True
    assert undone["from"] == str(other)
    assert await state(desk) == before
    again = (await desk.call("GET", f"/v1/customers/{other}/merges", 200)).json()["merges"]
    assert [(one["undone"], one["decided_by"], one["undone_by"]) for one in again] == [(True, "desk-1", "desk-1")]


async def test_chains_are_undone_in_any_order(desk: CustomerDesk) -> None:
    a, b, c = [await desk.report("erp", record, {"name": {"display": record}}) for record in "abc"]
    first = await merge(desk, b, a)
    second = await merge(desk, c, b)
    assert [await desk.customer_of(profile) for profile in (a, b, c)] == [c, c, c]
    await undo(desk, first)
    assert [await desk.customer_of(profile) for profile in (a, b, c)] == [a, c, c]
    third = await merge(desk, a, c)
    assert [await desk.customer_of(profile) for profile in (a, b, c)] == [a, a, a]
    await undo(desk, second)
    assert [await desk.customer_of(profile) for profile in (a, b, c)] == [a, b, a]
    await undo(desk, third)
    assert [await desk.customer_of(profile) for profile in (a, b, c)] == [a, b, c]


async def test_what_came_meanwhile_stays_on_the_side_of_its_own_profile(desk: CustomerDesk) -> None:
    one = await desk.report("erp", "1", {"name": {"display": "A"}}, [PHONE])
    other = await desk.report("shop", "2", {"name": {"display": "B"}})
    merged = await merge(desk, one, other)
    await desk.call("PATCH", f"/v1/customers/{other}/record", 200, json={"language": "de"})
    await desk.call("POST", f"/v1/customers/{other}/identifiers", 201, json={"type": "card", "value": "77"})
    await desk.call("PUT", f"/v1/customers/{other}/consents/offers", 200, json={"given": True})
    await desk.call("PUT", f"/v1/customers/{other}/consents/calls", 200, json={"given": False})
    await undo(desk, merged)
    records = {p: (await desk.call("GET", f"/v1/customers/{p}/record", 200)).json()["record"] for p in (one, other)}
    assert "language" not in records[one]["fields"]
    assert records[other]["fields"]["language"][0]["value"] == "de"
    assert [held["type"] for held in records[one]["identifiers"]] == ["phone"]
    assert [held["type"] for held in records[other]["identifiers"]] == ["card"]
    given = {p: {c["purpose"]: c["given"] for c in record["consents"]} for p, record in records.items()}
    assert given == {one: {"calls": False}, other: {"calls": False, "offers": True}}


async def test_a_merge_may_be_repeated_after_its_undo(desk: CustomerDesk) -> None:
    a, b = [await desk.report("erp", record, {}) for record in "ab"]
    await undo(desk, await merge(desk, a, b))
    merged = await merge(desk, a, b)
    assert await desk.are_one(a, b)
    await undo(desk, merged)
    assert not await desk.are_one(a, b)


async def test_an_undone_join_is_not_made_again_by_a_touch_or_a_report(desk: CustomerDesk) -> None:
    caller = minted("phone", "13800138000")
    await desk.touch(caller, identifiers=[PHONE])
    registered = await desk.report("erp", "1", {}, [PHONE])
    assert await desk.are_one(caller, registered)
    (join,) = (await desk.call("GET", f"/v1/customers/{registered}/merges", 200)).json()["merges"]
    await desk.call("POST", f"/v1/merges/{join['merge_id']}/undo", 200)
    await desk.touch(caller, identifiers=[PHONE])
    await desk.report("erp", "1", {"language": "zh"}, [PHONE], day=1)
    assert not await desk.are_one(caller, registered)


async def test_what_is_no_merge_is_refused_and_changes_nothing(desk: CustomerDesk) -> None:
    a, b, c = [await desk.report("erp", record, {}) for record in "abc"]
    merged = await merge(desk, b, a)
    before = await state(desk)
    unknown = uuid4()
    assert (await merge(desk, b, b, expected=422))["errors"][0]["code"] == "same_customer"
    assert (await merge(desk, a, b, expected=422))["errors"][0]["code"] == "same_customer"
    assert (await merge(desk, b, a, expected=409))["customer_id"] == str(b)
    assert (await merge(desk, c, a, expected=409))["customer_id"] == str(b)
    assert (await merge(desk, c, unknown, expected=404))["errors"][0]["pointer"] == "/from/0"
    assert (await merge(desk, unknown, c, expected=404))["errors"][0]["pointer"] == "/into"
    await merge(desk, c, b, b, expected=422)
    await desk.call("POST", f"/v1/merges/{unknown}/undo", 404)
    assert await state(desk) == before
    await undo(desk, merged)
    await undo(desk, merged, expected=409)


async def test_no_customer_has_more_than_two_hundred_profiles(desk: CustomerDesk) -> None:
    customers = [await desk.report("erp", str(number), {}) for number in range(201)]
    root, *others = customers
    for start in range(0, 150, 50):
        await merge(desk, root, *others[start : start + 50])
    await merge(desk, root, *others[150:], expected=409)
    await merge(desk, root, *others[150:199])
    assert await desk.database.fetch_value("SELECT count(*) FROM membership WHERE customer_id = $1", root) == 200


async def test_concurrent_merges_of_overlapping_customers_end_in_a_serial_outcome(desk: CustomerDesk) -> None:
    for _ in range(5):
        a, b, c = [await desk.report("erp", str(uuid4()), {}) for _ in range(3)]
        pairs = [(b, a), (c, b), (a, c), (c, a)]
        bodies = [{"into": str(into), "from": [str(goes)]} for into, goes in pairs]
        answers = await asyncio.gather(*(desk.client.post("/v1/merges", json=body) for body in bodies))
        assert {answer.status_code for answer in answers} <= {201, 409, 422}
        customers = {profile: await desk.customer_of(profile) for profile in (a, b, c)}
        made = [pair for pair, answer in zip(pairs, answers, strict=True) if answer.status_code == 201]
        above = {goes: into for into, goes in made}
        assert len(above) == len(made), "a customer was merged twice"
        assert customers == {profile: _root(profile, above) for profile in customers}


def _root(profile: UUID, above: dict[UUID, UUID]) -> UUID:
    return _root(above[profile], above) if profile in above else profile


async def test_a_merge_and_its_undo_at_once_end_in_a_serial_outcome(desk: CustomerDesk) -> None:
    a, b, c = [await desk.report("erp", record, {}) for record in "abc"]
    merged = await merge(desk, b, a)
    path = f"/v1/merges/{merged['merges'][0]['merge_id']}/undo"
    further = {"into": str(c), "from": [str(b)]}
    answers = await asyncio.gather(
        desk.client.post(path), desk.client.post(path), desk.client.post("/v1/merges", json=further)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 201, 409]
    assert [await desk.customer_of(profile) for profile in (a, b, c)] == [a, c, c]


async def test_a_withdrawal_that_a_channel_reports_counts_for_all_profiles_and_a_grant_for_one(
    desk: CustomerDesk,
) -> None:
    one, other = [await desk.report("erp", record, {}) for record in "ab"]
    merged = await merge(desk, one, other)
    await desk.touch(other, "consent.withdrawn", data={"purpose": "calls"}, day=1)
    await desk.touch(other, "consent.given", data={"purpose": "offers"}, day=2)
    await undo(desk, merged)
    records = [(await desk.call("GET", f"/v1/customers/{p}/record", 200)).json()["record"] for p in (one, other)]
    given = [{consent["purpose"]: consent["given"] for consent in record["consents"]} for record in records]
    assert given == [{"calls": False}, {"calls": False, "offers": True}]
