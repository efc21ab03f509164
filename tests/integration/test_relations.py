"""Relations on a real database: a snapshot of each source, statements by hand, and what cannot be."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio

from rapport_shared.contracts.customer import ProfileState
from rapport_shared.contracts.ids import source_profile_id
from tests.support.customer_service import CustomerDesk, customer_desk
from tests.support.infrastructure import Databases


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as service:
        yield service


def related(*to: str, type_: str = "employee_of", system: str = "erp") -> dict[str, Any]:
    return {"relations": [{"type": type_, "to": {"system": system, "record": record}} for record in to]}


async def record(desk: CustomerDesk, profile_id: UUID) -> ProfileState:
    answer = await desk.call("GET", f"/v1/customers/{profile_id}/record", 200)
    return ProfileState.model_validate(answer.json()["record"])


async def leads_to(desk: CustomerDesk, profile_id: UUID) -> set[UUID | None]:
    state = await record(desk, profile_id)
    ended = {(end.type, end.profile_id) for end in state.ended_relations}
    return {one.profile_id for one in state.relations if (one.type, one.profile_id) not in ended}


async def test_a_later_snapshot_ends_a_relation_and_a_retraction_brings_it_back(desk: CustomerDesk) -> None:
    anna = await desk.report("crm", "anna", related("acme"), day=0)
    acme, other = source_profile_id("erp", "acme"), source_profile_id("erp", "other")
    assert await leads_to(desk, anna) == {acme}, "though nobody has heard of that record yet"
    source = {"system": "crm", "record": "anna"}
    later = await desk.touch(anna, "profile.reported", (), related("other"), source=source, day=2)
    assert await leads_to(desk, anna) == {other}
    nothing = await desk.touch(anna, "profile.reported", (), {"language": "de"}, source=source, day=3)
    assert await leads_to(desk, anna) == set()
    await desk.retract(anna, nothing)
    assert await leads_to(desk, anna) == {other}
    await desk.retract(anna, later)
    assert await leads_to(desk, anna) == {acme}


async def test_what_is_said_by_hand_stands_beside_sources_and_ends_what_they_state(desk: CustomerDesk) -> None:
    anna = await desk.report("crm", "anna", related("acme"))
    acme = await desk.report("erp", "acme", {"kind": "company"})
    house = await desk.register(kind="household", name={"display": "Weiß"})
    path = f"/v1/customers/{anna}/relations"
    first = await desk.call("PUT", f"{path}/member_of/{house}", 200)
    assert first.headers["rapport-event-id"]
    again = await desk.call("PUT", f"{path}/member_of/{house}", 200)
    assert "rapport-event-id" not in again.headers, "a repeat changes nothing"
    assert await leads_to(desk, anna) == {acme, house}
    await desk.call("DELETE", f"{path}/employee_of/{acme}", 200)
    assert await leads_to(desk, anna) == {house}
    source = {"system": "crm", "record": "anna"}
    await desk.touch(anna, "profile.reported", (), related("acme"), source=source, day=4)
    assert await leads_to(desk, anna) == {house}, "a source does not bring back what a person ended"
    await desk.call("PUT", f"{path}/employee_of/{acme}", 200)
    assert await leads_to(desk, anna) == {house, acme}
    await desk.call("PATCH", f"/v1/customers/{anna}/record", 200, json={"language": "de"})
    assert await leads_to(desk, anna) == {house, acme}, "an edit that does not name relations leaves them"
    await desk.call("PATCH", f"/v1/customers/{anna}/record", 200, json={"relations": []})
    assert await leads_to(desk, anna) == {acme}, "none is stated by hand any more"
    await desk.call("DELETE", f"{path}/employee_of/{acme}", 200)
    await desk.call("DELETE", f"{path}/employee_of/{acme}", 404)
    await desk.call("PUT", f"{path}/employee_of/{uuid4()}", 404)
    stale = {"If-Match": '"1"'}
    await desk.call("PUT", f"{path}/employee_of/{acme}", 412, headers=stale)


async def test_a_chain_that_leads_back_is_refused_by_hand_and_kept_when_it_is_reported(desk: CustomerDesk) -> None:
    group, holding, plant = [await desk.register(kind="company", name={"display": name}) for name in ("G", "H", "P")]
    await desk.call("PUT", f"/v1/customers/{plant}/relations/member_of/{holding}", 200)
    await desk.call("PUT", f"/v1/customers/{holding}/relations/member_of/{group}", 200)
    answer = await desk.call("PUT", f"/v1/customers/{group}/relations/member_of/{plant}", 422)
    assert answer.json()["errors"][0]["code"] == "cyclic"
    answer = await desk.call("PUT", f"/v1/customers/{group}/relations/referred_by/{group}", 422)
    assert answer.json()["errors"][0]["code"] == "oneself"
    await desk.call("PUT", f"/v1/customers/{group}/relations/referred_by/{plant}", 200)
    await desk.call("PUT", f"/v1/customers/{plant}/relations/referred_by/{group}", 200)
    own = await desk.report("erp", "self", related("self", type_="member_of"))
    assert await leads_to(desk, own) == {own}
    body = related("self", type_="member_of")
    answer = await desk.call("PATCH", f"/v1/customers/{own}/record", 422, json=body)
    assert answer.json()["errors"][0]["pointer"] == "/relations/0/to"


async def test_a_chain_is_found_across_merged_profiles(desk: CustomerDesk) -> None:
    one, two, other = [await desk.register(kind="company", name={"display": name}) for name in ("A", "B", "C")]
    await desk.call("PUT", f"/v1/customers/{other}/relations/member_of/{two}", 200)
    made = await desk.call("POST", "/v1/merges", 201, json={"into": str(one), "from": [str(two)]})
    await desk.call("PUT", f"/v1/customers/{one}/relations/member_of/{other}", 422)
    await desk.call("PUT", f"/v1/customers/{one}/relations/referred_by/{two}", 422)
    merge_id = made.json()["merges"][0]["merge_id"]
    await desk.call("POST", f"/v1/merges/{merge_id}/undo", 200)
    await desk.call("PUT", f"/v1/customers/{one}/relations/member_of/{other}", 200)


async def test_two_that_are_put_under_each_other_at_once_make_no_circle(desk: CustomerDesk) -> None:
    one, two = [await desk.register(kind="company", name={"display": name}) for name in ("A", "B")]
    paths = [f"/v1/customers/{a}/relations/member_of/{b}" for a, b in ((one, two), (two, one))]
    answers = await asyncio.gather(*(desk.client.request("PUT", path) for path in paths))
    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_a_record_is_found_however_a_source_spaces_its_number(desk: CustomerDesk) -> None:
    anna = await desk.report("crm", "anna", related(" acme "))
    assert await leads_to(desk, anna) == {source_profile_id("erp", "acme")}
