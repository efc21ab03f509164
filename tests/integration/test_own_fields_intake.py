"""Own fields at the intake, on a real database: what is not as declared waits in quarantine, with the reason."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from rapport_shared.contracts.catalogue import CUSTOMER_POLICY_ACTIVATED
from rapport_shared.contracts.policies import PolicyActivated
from tests.support.infrastructure import Databases
from tests.support.interaction_service import Desk, desk_of, touchpoint
from tests.support.own_fields import GARAGE

PERSONAL = "王小明-4711"


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with desk_of(databases) as desk:
        yield desk


async def declare(desk: Desk, document: dict[str, Any], version: int) -> None:
    data = PolicyActivated(kind="fields", name="default", unit="", version=version, document=document)
    await desk.hear(CUSTOMER_POLICY_ACTIVATED, data, sequence=version)


async def test_what_is_not_as_declared_waits_and_is_recorded_once_it_is(desk: Desk) -> None:
    await declare(desk, GARAGE, 1)
    wrong = touchpoint(attributes={"party_size": 12, "guide": PERSONAL})
    await desk.arrive(wrong, touchpoint(attributes={"party_size": 3}))
    (item,) = await desk.quarantined()
    assert (item["reason"], item["kind"]) == ("own_fields", "call.ended")
    assert {(one["pointer"], one["code"]) for one in item["errors"]} == {
        ("/attributes/party_size", "out_of_range"),
        ("/attributes/guide", "unknown_field"),
    }
    assert PERSONAL not in str(item)
    assert PERSONAL not in str(await desk.events("interaction.quarantined"))
    path = f"/v1/quarantine/{item['quarantine_id']}/replay"
    refused = (await desk.call("POST", path, 422)).json()
    assert {one["code"] for one in refused["errors"]} == {"out_of_range", "unknown_field"}
    labels = {"en": "Guide", "zh": "导购"}
    wider = {**GARAGE["touchpoints"], "guide": {"type": "text", "labels": labels}}
    wider["party_size"] = {**wider["party_size"], "maximum": 12}
    await declare(desk, {**GARAGE, "touchpoints": wider}, 2)
    done = (await desk.call("POST", path, 200)).json()
    assert (done["state"], done["touchpoint_id"]) == ("mended", wrong["id"])
    assert (await desk.standing())[wrong["id"]]["touchpoint"]["attributes"] == wrong["attributes"]


async def test_a_kind_of_its_own_is_recorded_once_it_is_declared_and_all_that_wait_by_rule(desk: Desk) -> None:
    await declare(desk, {"kinds": {}}, 1)
    drives = [touchpoint(kind="custom.test_drive", data={"model": "Lavida"}) for _ in range(3)]
    await desk.arrive(*drives)
    assert {one["errors"][0]["code"] for one in await desk.quarantined()} == {"unknown_kind"}
    await declare(desk, GARAGE, 2)
    done = (await desk.call("POST", "/v1/quarantine/replay", 200, json={"reason": "own_fields"})).json()
    assert (done["examined"], done["recorded"]) == (3, 3)
    assert set(await desk.standing()) == {one["id"] for one in drives}


async def test_an_older_version_that_comes_late_changes_nothing(desk: Desk) -> None:
    await declare(desk, GARAGE, 2)
    await declare(desk, {}, 1)
    await desk.arrive(touchpoint(attributes={"never_declared": 1}))
    assert len(await desk.quarantined()) == 1


async def test_a_repeat_of_what_waits_is_a_repeat_and_a_patch_is_checked_too(desk: Desk) -> None:
    await declare(desk, GARAGE, 1)
    wrong = touchpoint(attributes={"party_size": 0})
    await desk.arrive(wrong)
    await desk.arrive(wrong)
    (item,) = await desk.quarantined()
    path = f"/v1/quarantine/{item['quarantine_id']}/fix"
    still = {"patch": [{"op": "replace", "path": "/attributes/party_size", "value": 10}]}
    assert (await desk.call("POST", path, 422, json=still)).json()["errors"][0]["pointer"] == "/attributes/party_size"
    right = {"patch": [{"op": "replace", "path": "/attributes/party_size", "value": 9}]}
    assert (await desk.call("POST", path, 200, json=right)).json()["state"] == "mended"


async def test_what_the_gateway_has_checked_is_recorded_whatever_is_declared_by_now(desk: Desk) -> None:
    await declare(desk, GARAGE, 1)
    checked = touchpoint(attributes={"declared_a_moment_ago": 1})
    await desk.arrive_by_gateway(checked)
    assert set(await desk.standing()) == {checked["id"]}
