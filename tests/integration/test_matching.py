"""Who is found to be one customer: by what identifiers prove, by likeness, and by a person's decision."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from rapport_customer.domain.joins import MAX_PROFILES
from tests.support.customer_service import CustomerDesk, customer_desk
from tests.support.infrastructure import Databases

PHONE = {"type": "phone", "value": "138 0013 8000"}
WANG = {
    "kind": "person",
    "name": {"display": "王小明"},
    "birth_date": "1985-03-01",
    "addresses": [{"city": "上海", "district": "浦东新区", "street": "世纪大道 100 号", "postcode": "200120"}],
}
PINYIN = WANG | {"name": {"family": "Wang", "given": "Xiaoming"}}
FATHER = WANG | {"birth_date": "1955-07-12"}
TWIN = WANG | {"name": {"display": "王小亮"}}
VAGUE = {"kind": "person", "name": {"display": "王小明"}, "addresses": WANG["addresses"]}


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as desk:
        yield desk


async def joins(desk: CustomerDesk) -> list[tuple[str, bool]]:
    rows = await desk.database.fetch("SELECT reason, undone FROM customer_join ORDER BY made_at, merge_id")
    return [(row["reason"], row["undone"]) for row in rows]


async def put_policy(desk: CustomerDesk, **document: Any) -> int:
    made = await desk.call("PUT", "/v1/policies/matching/default", 201, json=document)
    version = int(made.json()["version"])
    await desk.call("POST", "/v1/policies/matching/default/activate", 200, json={"version": version})
    return version


async def test_two_like_newcomers_of_one_batch_cannot_miss_each_other(desk: CustomerDesk) -> None:
    first, second = await desk.report("erp", "1", WANG), await desk.report("shop", "9", PINYIN)
    await desk.match()
    assert await desk.customer_of(second) == first
    assert await joins(desk) == [("matching", False)]


async def test_a_newcomer_that_is_edited_later_is_matched_then(desk: CustomerDesk) -> None:
    first, second = await desk.report("erp", "1", WANG), await desk.report("shop", "9", {"name": {"display": "李娜"}})
    await desk.match()
    assert not await desk.are_one(first, second)
    await desk.report("shop", "9", WANG, day=1)
    await desk.match()
    assert await desk.are_one(first, second)


@pytest.mark.parametrize("relative", [FATHER, TWIN], ids=["father and son of one name", "twins"])
async def test_relatives_are_not_joined_whatever_they_share(desk: CustomerDesk, relative: dict[str, Any]) -> None:
    first = await desk.report("erp", "1", WANG, [PHONE])
    second = await desk.report("shop", "9", relative, [PHONE])
    await desk.match()
    assert not await desk.are_one(first, second)


async def test_a_vague_likeness_waits_for_a_person_with_both_records_side_by_side(desk: CustomerDesk) -> None:
    first, second = await desk.report("erp", "1", VAGUE), await desk.report("shop", "9", VAGUE)
    await desk.match()
    (candidate,) = await desk.candidates()
    assert {side["profile_id"] for side in candidate["sides"]} == {str(first), str(second)}
    assert all(side["record"]["fields"]["name"] for side in candidate["sides"])
    assert {reason["field"]: reason["text"] for reason in candidate["reasons"]}[
        "given"
    ] == "The given names are the same."
    assert all(reason["text_zh"] for reason in candidate["reasons"])
    answer = await desk.call(
        "POST", f"/v1/merge-candidates/{candidate['candidate_id']}/decision", 200, json={"decision": "merge"}
    )
    assert answer.json()["customer_id"] == str(first), "the oldest registered customer stays"
    assert await desk.are_one(first, second)
    assert await desk.candidates() == []
    await desk.call("POST", f"/v1/merges/{answer.json()['merge_id']}/undo", 200)
    await desk.report("shop", "9", WANG, day=2)
    await desk.match()
    assert not await desk.are_one(first, second), "what somebody undid is not done again"
    assert await desk.candidates() == []


async def test_never_is_respected_by_every_later_match(desk: CustomerDesk) -> None:
    first, second = await desk.report("erp", "1", VAGUE), await desk.report("shop", "9", VAGUE)
    await desk.match()
    (candidate,) = await desk.candidates()
    path = f"/v1/merge-candidates/{candidate['candidate_id']}/decision"
    await desk.call("POST", path, 200, json={"decision": "never"})
    for profile, system in ((first, "erp"), (second, "shop")):
        await desk.report(system, "1" if profile == first else "9", WANG, day=1)
    await desk.match()
    assert not await desk.are_one(first, second)
    assert await desk.candidates() == []
    body = {"into": str(first), "from": [str(second)]}
    await desk.call("POST", "/v1/merges", 201, json=body)
    assert await desk.are_one(first, second), "by hand it can be overridden"


async def test_a_decision_that_is_put_off_comes_back_on_its_day(desk: CustomerDesk) -> None:
    await desk.report("erp", "1", VAGUE)
    await desk.report("shop", "9", VAGUE)
    await desk.match()
    (candidate,) = await desk.candidates()
    path = f"/v1/merge-candidates/{candidate['candidate_id']}/decision"
    await desk.call("POST", path, 200, json={"decision": "later", "due_at": "2999-01-01T00:00:00Z"})
    assert await desk.candidates() == []
    await desk.call("POST", path, 200, json={"decision": "later", "due_at": "2020-01-01T00:00:00Z"})
    assert [one["candidate_id"] for one in await desk.candidates()] == [candidate["candidate_id"]]


async def test_a_candidate_that_nothing_speaks_for_any_more_is_withdrawn(desk: CustomerDesk) -> None:
    await desk.report("erp", "1", VAGUE)
    await desk.report("shop", "9", VAGUE)
    await desk.match()
    assert len(await desk.candidates()) == 1
    await desk.report("shop", "9", {"kind": "company", "name": {"display": "Weiß & Söhne GmbH"}}, day=1)
    await desk.match()
    assert await desk.candidates() == []


async def test_candidates_come_in_pages(desk: CustomerDesk) -> None:
    for number in range(4):
        record = VAGUE | {"name": {"display": f"{'赵钱孙李'[number]}晓{'东南西北'[number]}"}}
        await desk.report("erp", str(number), record)
        await desk.report("shop", str(number), record)
    await desk.match()
    seen, cursor = [], None
    while True:
        query = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await desk.call("GET", "/v1/merge-candidates", 200, params=query)).json()
        seen += [candidate["candidate_id"] for candidate in page["candidates"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 4


async def test_two_simultaneous_registrations_with_a_verified_phone_make_one_customer(desk: CustomerDesk) -> None:
    body = {"kind": "person", "identifiers": [PHONE | {"region": "CN", "verified": True}]}
    made = await asyncio.gather(*(desk.register(**body) for _ in range(2)))
    profiles = [row["profile_id"] for row in await desk.database.fetch("SELECT profile_id FROM profile")]
    assert len(profiles) == 2
    assert await desk.are_one(*profiles), made


async def test_of_two_simultaneous_registrations_with_an_unverified_phone_one_is_refused(desk: CustomerDesk) -> None:
    body = {"kind": "person", "identifiers": [PHONE | {"region": "CN"}]}
    answers = await asyncio.gather(*(desk.client.post("/v1/customers", json=body) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_two_reports_with_an_unverified_phone_are_for_a_person_to_decide(desk: CustomerDesk) -> None:
    first, second = await desk.report("erp", "1", {}, [PHONE]), await desk.report("shop", "9", {}, [PHONE])
    assert not await desk.are_one(first, second)
    (candidate,) = await desk.candidates()
    assert (candidate["cause"], candidate["reasons"][0]["text"]) == ("identifier", "Both hold the same phone number.")


async def test_a_verified_phone_joins_nobody_whose_name_is_another(desk: CustomerDesk) -> None:
    """Husband and wife verified one phone: a person decides."""
    verified = PHONE | {"verified": True}
    first = await desk.report("erp", "1", {"kind": "person", "name": {"display": "王小明"}}, [verified])
    second = await desk.report("shop", "9", {"kind": "person", "name": {"display": "李娜"}}, [verified])
    assert not await desk.are_one(first, second)
    assert len(await desk.candidates()) == 1


async def test_a_number_that_changed_hands_moves_its_route_and_joins_nobody(desk: CustomerDesk) -> None:
    verified = PHONE | {"verified": True}
    first = await desk.report("erp", "1", WANG, [verified])
    other = {"kind": "person", "name": {"display": "李娜"}, "birth_date": "1999-11-30"}
    second = await desk.report("shop", "9", other, [verified])
    assert not await desk.are_one(first, second)
    assert await desk.database.fetch_value("SELECT profile_id FROM route") == second
    assert await desk.candidates() == []


async def test_a_record_that_names_anothers_record_is_linked_to_it_across_systems(desk: CustomerDesk) -> None:
    crm = {"type": "external", "value": "77", "system": "crm"}
    first = await desk.report("crm", "77", {"name": {"display": "A"}}, [crm])
    second = await desk.report("erp", "5", {}, [crm])
    assert await desk.are_one(first, second)


@pytest.mark.parametrize("crm_first", [True, False], ids=["the named one first", "the naming one first"])
async def test_files_that_name_each_others_records_are_linked_in_either_order(
    desk: CustomerDesk, crm_first: bool
) -> None:
    crm = {"type": "external", "value": "77", "system": "crm"}
    reports = [desk.report("crm", "77", {"name": {"display": "A"}}), desk.report("erp", "5", {}, [crm])]
    made = [await report for report in (reports if crm_first else reversed(reports))]
    assert await desk.are_one(*made)
    third = await desk.report("shop", "9", {}, [crm])
    assert await desk.are_one(third, *made)


async def test_a_record_that_nobody_names_claims_no_identifier(desk: CustomerDesk) -> None:
    await desk.report("crm", "77", {"name": {"display": "A"}})
    assert await desk.database.fetch_value("SELECT count(*) FROM route") == 0


async def test_two_used_to_drive_one_car(desk: CustomerDesk) -> None:
    first, second = await desk.report("erp", "1", WANG), await desk.report("erp", "2", TWIN)
    for profile in (first, second):
        await desk.call("POST", f"/v1/customers/{profile}/assets", 201, json={"serial": "LS5A3DDE7AB000001"})
    await desk.match()
    assert not await desk.are_one(first, second)


async def test_a_touch_whose_identifiers_disagree_raises_a_candidate(desk: CustomerDesk) -> None:
    email = {"type": "email", "value": "wang@firm.test"}
    first = await desk.report("erp", "1", {"name": {"display": "王小明"}}, [PHONE])
    second = await desk.report("shop", "9", {"name": {"display": "李娜"}}, [email])
    await desk.touch(first, identifiers=[PHONE, email])
    (candidate,) = await desk.candidates()
    assert candidate["cause"] == "touch"
    assert {side["profile_id"] for side in candidate["sides"]} == {str(first), str(second)}


async def test_a_blocked_number_leads_nowhere_until_it_is_freed(desk: CustomerDesk) -> None:
    holder = await desk.report("erp", "1", {}, [PHONE])
    blocked = {"identifiers": {"phone": {"blocked": ["+8613800138000"]}}}
    await put_policy(desk, **blocked)
    route = "SELECT target FROM route"
    assert await desk.database.fetch_value(route) == "blocked"
    assert not await desk.are_one(holder, await desk.report("shop", "9", {}, [PHONE]))
    assert await desk.candidates() == []
    await desk.call("POST", "/v1/policies/matching/default/rollback", 200)
    assert await desk.database.fetch_value(route) == "nobody"


async def test_a_pattern_blocks_addresses_that_are_nobodys(desk: CustomerDesk) -> None:
    await put_policy(desk, identifiers={"email": {"blocked": ["info@*"]}})
    address = {"type": "email", "value": "info@firm.test"}
    first, second = [await desk.report("erp", record, {}, [address]) for record in "12"]
    assert not await desk.are_one(first, second)
    assert await desk.candidates() == []
    assert await desk.database.fetch_value("SELECT target FROM route") == "blocked"


async def test_what_stands_for_nothing_is_no_evidence_and_has_no_route(desk: CustomerDesk) -> None:
    for address in ({"type": "email", "value": "noreply@firm.test"}, {"type": "card", "value": "N/A"}):
        first, second = [await desk.report("erp", f"{address['type']} {number}", {}, [address]) for number in "12"]
        await desk.match()
        assert not await desk.are_one(first, second)
    assert await desk.candidates() == []
    assert await desk.database.fetch_value("SELECT count(*) FROM route") == 0


async def test_the_source_that_is_believed_more_states_the_field(desk: CustomerDesk) -> None:
    await put_policy(desk, sources={"erp": 10})
    first = await desk.report("erp", "1", {"language": "zh"})
    second = await desk.report("enrichment", "1", {"language": "en"}, day=9)
    told = await desk.call("POST", "/v1/merges", 200, json={"into": str(first), "from": [str(second)], "dry_run": True})
    (language,) = told.json()["fields"]
    assert (language["value"], language["rule"]) == ("zh", "priority")


async def test_a_policy_is_tried_on_the_base_before_it_is_activated(desk: CustomerDesk) -> None:
    for system in ("erp", "shop"):
        await desk.report(system, "1", VAGUE)
    await desk.match()
    bold = {"weights": {"upper": -1.0, "lower": -5.0, "guards": ["kind"]}}
    version = (await desk.call("PUT", "/v1/policies/matching/default", 201, json=bold)).json()["version"]
    tried = {}
    for number in (0, version):
        path = "/v1/policies/matching/default/simulate"
        tried[number] = (await desk.call("POST", path, 200, json={"version": number})).json()
    assert tried[0]["outcomes"] == {"join": 0, "review": 1, "none": 0}
    assert tried[version]["would_join"]["pairs"] == 1
    assert await joins(desk) == []


async def test_what_is_no_policy_is_refused_and_names_the_place(desk: CustomerDesk) -> None:
    path = "/v1/policies/matching/default"
    wrong = {"identifiers": {"phone": {"limit": 0}}, "weights": {"upper": 1, "lower": 2}, "colour": "red"}
    problem = (await desk.call("POST", f"{path}/validate", 422, json=wrong)).json()
    assert {"/identifiers/phone/limit", "/weights", "/colour"} <= {error["pointer"] for error in problem["errors"]}
    yaml = {"content": "sources:\n  erp: 10\n", "headers": {"Content-Type": "application/yaml"}}
    assert (await desk.call("POST", f"{path}/validate", 200, **yaml)).json() == {"valid": True}
    bomb = "a: &a [1, 1]\nb: [*a, *a]\n"
    await desk.call("POST", f"{path}/validate", 400, content=bomb, headers={"Content-Type": "application/yaml"})
    await desk.call("POST", f"{path}/activate", 404, json={"version": 7})
    await desk.call("POST", f"{path}/rollback", 404)


async def test_a_customer_that_is_full_is_not_joined_by_likeness(desk: CustomerDesk) -> None:
    root = await desk.report("erp", "0", WANG)
    await desk.database.fetch(
        "INSERT INTO membership SELECT gen_random_uuid(), $1 FROM generate_series(2, $2)", root, MAX_PROFILES
    )
    other = await desk.report("shop", "9", WANG)
    await desk.match()
    assert not await desk.are_one(root, other)


async def test_whom_records_would_meet_is_told_before_they_are_reported(desk: CustomerDesk) -> None:
    first = await desk.report("erp", "1", WANG, [PHONE])
    await desk.match()
    drafts = [
        {"source": {"system": "erp", "record": "1"}},
        {"identifiers": [PHONE | {"region": "CN"}]},
        {"data": PINYIN},
        {"data": VAGUE},
        {"data": {"name": {"display": "李娜"}}, "identifiers": [{"type": "email", "value": "li@firm.test"}]},
    ]
    told = (await desk.call("POST", "/v1/matches", 200, json={"profiles": drafts})).json()["matches"]
    assert [match and match["customer_id"] for match in told] == [str(first)] * 4 + [None]
    assert [match["certain"] for match in told[:4]] == [True, True, True, False]
    assert [match["reasons"][0]["code"] for match in told[:2]] == ["source_record", "routed_phone"]
    assert await desk.database.fetch_value("SELECT count(*) FROM profile") == 1
