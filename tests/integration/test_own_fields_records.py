"""Own fields of profiles and assets, on a real database: stated by sources and by hand, tried before it is in force."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio
import yaml

from rapport_shared.contracts.interaction import RecordedAssetKey
from rapport_shared.normalisation import identifier_key, normalise_asset_key
from tests.support.customer_service import SECRET, CustomerDesk, customer_desk
from tests.support.infrastructure import Databases
from tests.support.own_fields import GARAGE, LABELS

POLICY = "/v1/policies/fields/default"
PERSONAL = "王小明-4711"


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as desk:
        yield desk


async def declare(desk: CustomerDesk, document: dict[str, Any]) -> int:
    body = yaml.safe_dump(document, allow_unicode=True)
    headers = {"Content-Type": "application/yaml"}
    version: int = (await desk.call("PUT", POLICY, 201, content=body, headers=headers)).json()["version"]
    await desk.call("POST", f"{POLICY}/activate", 200, json={"version": version})
    return version


async def stated(desk: CustomerDesk, profile_id: UUID) -> dict[str, list[Any]]:
    record = (await desk.call("GET", f"/v1/customers/{profile_id}/record", 200)).json()["record"]
    return {
        name.removeprefix("attributes."): [candidate["value"] for candidate in candidates]
        for name, candidates in record["fields"].items()
        if name.startswith("attributes.")
    }


async def asset(desk: CustomerDesk) -> dict[str, Any]:
    changed = [event for event in await desk.events() if b"asset_changed" in dict(event.headers)["ce_type"]]
    state: dict[str, Any] = json.loads(changed[-1].value or b"")["asset"]
    return state


def asset_key(serial: str) -> RecordedAssetKey:
    form = normalise_asset_key("serial", serial)
    return RecordedAssetKey(
        type="serial",
        key=identifier_key(SECRET.encode(), "serial", form.normal),
        raw=form.raw,
        normal=form.normal,
        norm_version=form.norm_version,
    )


async def test_a_source_states_own_fields_and_its_next_snapshot_replaces_them(desk: CustomerDesk) -> None:
    await declare(desk, GARAGE)
    first = {"loyalty_level": "silver", "club_number": "C-1", "party_size": 3, "never_declared": 1}
    profile_id = await desk.report("erp", "1", {"kind": "person"}, attributes=first)
    assert await stated(desk, profile_id) == {"club_number": ["C-1"], "loyalty_level": ["silver"]}
    await desk.report("erp", "1", {"kind": "person"}, day=1, attributes={"loyalty_level": "gold"})
    assert await stated(desk, profile_id) == {"loyalty_level": ["gold"]}


async def test_reports_in_any_order_come_to_one_record(desk: CustomerDesk) -> None:
    await declare(desk, GARAGE)
    late = await desk.report("erp", "1", {}, day=2, attributes={"loyalty_level": "gold"})
    await desk.report("erp", "1", {}, day=1, attributes={"loyalty_level": "silver", "club_number": "C-1"})
    assert await stated(desk, late) == {"loyalty_level": ["gold"]}


async def test_without_a_policy_a_report_states_none_and_a_hand_cannot(desk: CustomerDesk) -> None:
    profile_id = await desk.report("erp", "1", {}, attributes={"loyalty_level": "gold"})
    assert await stated(desk, profile_id) == {}
    answer = await desk.call("POST", "/v1/customers", 422, json={"attributes": {"loyalty_level": "gold"}})
    assert answer.json()["errors"][0]["pointer"] == "/attributes/loyalty_level"


async def test_a_hand_states_and_withdraws_what_is_declared_and_nothing_else(desk: CustomerDesk) -> None:
    await declare(desk, GARAGE)
    company = {"kind": "company", "attributes": {"tax_number": "91310000"}}
    assert (await desk.call("POST", "/v1/customers", 422, json={"kind": "company"})).json()["errors"] == [
        {"pointer": "/attributes/tax_number", "code": "missing", "message": "is required"}
    ]
    profile_id = await desk.register(**company)
    path = f"/v1/customers/{profile_id}/record"
    await desk.call("PATCH", path, 200, json={"attributes": {"loyalty_level": "gold"}})
    assert await stated(desk, profile_id) == {"loyalty_level": ["gold"], "tax_number": ["91310000"]}
    refused = await desk.call("PATCH", path, 422, json={"attributes": {"loyalty_level": PERSONAL, "tax_number": None}})
    assert {(one["pointer"], one["code"]) for one in refused.json()["errors"]} == {
        ("/attributes/loyalty_level", "not_allowed"),
        ("/attributes/tax_number", "missing"),
    }
    assert PERSONAL not in refused.text
    await desk.call("PATCH", path, 200, json={"attributes": {"loyalty_level": None}})
    assert await stated(desk, profile_id) == {"tax_number": ["91310000"]}
    for text in ("a\0b", "\ud800"):
        body = json.dumps({"attributes": {"club_number": text}})
        await desk.call("PATCH", path, 422, content=body, headers={"Content-Type": "application/json"})


async def test_what_a_later_version_removes_stays_readable_and_comes_back_after_a_retraction(
    desk: CustomerDesk,
) -> None:
    await declare(desk, GARAGE)
    profile_id = await desk.report("erp", "1", {}, attributes={"club_number": "C-1"})
    wrong = await desk.touch(
        profile_id, "profile.reported", source={"system": "erp", "record": "1"}, day=1, attributes={}
    )
    assert await stated(desk, profile_id) == {}
    await declare(desk, {"profiles": {}})
    await desk.retract(profile_id, wrong)
    assert await stated(desk, profile_id) == {"club_number": ["C-1"]}


async def test_a_version_is_tried_on_what_is_recorded(desk: CustomerDesk) -> None:
    await declare(desk, GARAGE)
    for number, level in enumerate(["gold", "silver", "silver"]):
        await desk.report("erp", str(number), {}, attributes={"loyalty_level": level, "club_number": PERSONAL})
    narrower = {"profiles": {"loyalty_level": {**GARAGE["profiles"]["loyalty_level"], "options": {"gold": LABELS}}}}
    version = (await desk.call("PUT", POLICY, 201, json=narrower)).json()["version"]
    answer = await desk.call("POST", f"{POLICY}/simulate", 200, json={"version": version})
    profiles = answer.json()["profiles"]
    assert (profiles["values"], profiles["refused"], profiles["complete"]) == (6, 5, True)
    assert profiles["reasons"] == [
        {"field": "club_number", "code": "unknown_field", "values": 3},
        {"field": "loyalty_level", "code": "not_allowed", "values": 2},
    ]
    assert PERSONAL not in answer.text
    present = await desk.call("POST", f"{POLICY}/simulate", 200, json={"version": 1})
    assert present.json()["profiles"]["refused"] == 0


async def test_a_document_that_is_no_policy_is_refused_with_its_place(desk: CustomerDesk) -> None:
    wrong = {"profiles": {"one": {"type": "txt", "labels": LABELS}}}
    answer = await desk.call("POST", f"{POLICY}/validate", 422, json=wrong)
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/profiles/one/type"]
    assert (await desk.call("POST", f"{POLICY}/validate", 200, json=GARAGE)).json() == {"valid": True}


async def test_an_asset_has_own_fields_by_hand_and_by_touch_whatever_the_order(desk: CustomerDesk) -> None:
    await declare(desk, GARAGE)
    profile_id = await desk.register(kind="person")
    path = f"/v1/customers/{profile_id}/assets"
    missing = await desk.call("POST", path, 422, json={"serial": "S-1"})
    assert [one["pointer"] for one in missing.json()["errors"]] == ["/attributes/warranty_until"]
    await desk.call("POST", path, 201, json={"serial": "S-1", "attributes": {"warranty_until": "2030-01-01"}})
    serviced = {"serial": "S-1", "work_order": "W-1"}
    key = asset_key("S-1")
    await desk.touch(profile_id, "asset.serviced", data=serviced, day=9, assets=[key], attributes={"colour": "blue"})
    await desk.touch(
        profile_id,
        "asset.serviced",
        data={**serviced, "work_order": "W-0"},
        day=3,
        assets=[key],
        attributes={"colour": "red", "never_declared": 1},
    )
    assert {name: one["value"] for name, one in (await asset(desk))["attributes"].items()} == {
        "colour": "blue",
        "warranty_until": "2030-01-01",
    }
