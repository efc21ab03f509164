"""Own fields through all services, on real Kafka and PostgreSQL: declared, reported, seen, refused, mended."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import INTAKE
from rapport_shared.contracts.codec import encode_touchpoint
from rapport_shared.contracts.touchpoints import parse_touchpoint
from tests.support.conditions import until
from tests.support.own_fields import GARAGE
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")
POLICY = "/v1/policies/fields/default"
PERSONAL = "王小明-4711"


def phone_number() -> str:
    return f"138{uuid4().int % 10**8:08d}"


def touchpoint(number: str, kind: str = "call.ended", **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "store",
        "kind": kind,
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "identifiers": [{"type": "phone", "value": number, "region": "CN"}],
        "data": {},
        **changes,
    }


async def declare(caller: Caller, document: dict[str, Any]) -> str:
    await caller.until_status("GET", POLICY, 200)  # another test may have killed the owner just before
    version = (await caller.call("PUT", POLICY, 201, json=document)).json()["version"]
    done = await caller.call("POST", f"{POLICY}/activate", 200, json={"version": version})
    seen = await caller.call("GET", f"/v1/fields?version={version}&wait_ms=20000", 200)
    assert seen.json()["version"] == version
    return done.headers["rapport-event-id"]


async def withdraw(caller: Caller) -> None:
    await caller.call("POST", f"{POLICY}/activate", 200, json={"version": 0})
    assert (await caller.call("GET", "/v1/fields?version=0&wait_ms=20000", 200)).json()["version"] == 0


@pytest_asyncio.fixture(loop_scope="session")
async def declared(caller: Caller) -> AsyncIterator[Caller]:
    """The stack is the session's: what a test declares is withdrawn after it."""
    await declare(caller, GARAGE)
    yield caller
    await withdraw(caller)


async def test_a_kind_of_its_own_is_in_timeline_and_interactions(declared: Caller) -> None:
    drive = touchpoint(
        phone_number(), "custom.test_drive", data={"model": "Lavida"}, attributes={"campaign_code": "spring"}
    )
    touchpoint_id = await declared.report(drive)
    status = await declared.status(touchpoint_id)
    view = await declared.view(status["customer_id"], touchpoint_id)
    assert view["interactions"]["last"][0]["kind"] == "custom.test_drive"
    (entry,) = (await declared.call("GET", f"/v1/customers/{status['customer_id']}/timeline", 200)).json()["entries"]
    assert (entry["data"], entry["attributes"]) == ({"model": "Lavida"}, {"campaign_code": "spring"})


async def test_what_is_not_as_declared_is_refused_at_the_gateway_and_never_repeated(declared: Caller) -> None:
    wrong = touchpoint(
        phone_number(), "custom.test_drive", data={"modell": PERSONAL}, attributes={"party_size": PERSONAL}
    )
    dry = await declared.call("POST", "/v1/touchpoints?dry_run=true", 200, json=wrong)
    refused = await declared.call("POST", "/v1/touchpoints", 422, json=wrong)
    assert dry.json()["results"][0]["problem"]["errors"] == refused.json()["errors"]
    assert {(one["pointer"], one["code"]) for one in refused.json()["errors"]} == {
        ("/data/model", "missing"),
        ("/data", "unknown_field"),
        ("/attributes/party_size", "wrong_type"),
    }
    assert PERSONAL not in refused.text + dry.text
    unknown = touchpoint(phone_number(), "custom.never_declared")
    refused = await declared.call("POST", "/v1/touchpoints", 422, json=unknown)
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [("/kind", "unknown_kind")]


async def test_profile_fields_are_survivorship_fields_that_can_be_explained(declared: Caller) -> None:
    number = phone_number()
    report = touchpoint(number, "profile.reported", data={"kind": "person", "name": {"display": "王小明"}})
    crm = report | {"source": {"system": "crm", "record": number}, "attributes": {"loyalty_level": "silver"}}
    touchpoint_id = await declared.report(crm)
    customer_id = (await declared.status(touchpoint_id))["customer_id"]
    await declared.until_status("GET", f"/v1/customers/{customer_id}/record", 200)
    edit = await declared.call(
        "PATCH", f"/v1/customers/{customer_id}/record", 200, json={"attributes": {"loyalty_level": "gold"}}
    )
    view = await declared.view(customer_id, edit.headers["rapport-event-id"])
    assert view["identity"]["attributes"] == {"loyalty_level": "gold"}
    path = f"/v1/customers/{customer_id}/explain?field=identity.attributes.loyalty_level"
    explained = (await declared.call("GET", path, 200)).json()
    assert (explained["value"], explained["rule"], explained["source"]) == ("gold", "manual", "manual")
    assert [loser["value"] for loser in explained["losers"]] == ["silver"]


async def test_a_customer_is_looked_up_by_a_field_that_is_declared_for_it(declared: Caller) -> None:
    club_number = f"Club {uuid4().hex[:10]}"
    made = await declared.call("POST", "/v1/customers", 201, json={"attributes": {"club_number": club_number}})
    customer_id = made.json()["customer_id"]
    await declared.view(customer_id, made.headers["rapport-event-id"])

    async def found(name: str, value: Any, expected: int = 200) -> Any:
        body = {"attribute": {"name": name, "value": value}}
        return (await declared.call("POST", "/v1/customers/lookup", expected, json=body)).json()

    match = {"customer_id": customer_id, "reason": "attribute", "display_name": None}
    assert (await found("club_number", club_number.upper()))["matches"] == [match]
    assert (await found("club_number", "never given"))["matches"] == []
    for name, value, pointer in (
        ("loyalty_level", "gold", "/attribute/name"),
        ("never_declared", "x", "/attribute/name"),
        ("club_number", PERSONAL * 4, "/attribute/value"),
    ):
        refused = await found(name, value, 422)
        assert [one["pointer"] for one in refused["errors"]] == [pointer]
        assert PERSONAL not in str(refused)


async def test_asset_fields_are_in_the_assets_of_the_view(declared: Caller) -> None:
    made = await declared.call("POST", "/v1/customers", 201, json={"kind": "person"})
    customer_id = made.json()["customer_id"]
    asset = {"serial": f"VIN{uuid4().hex[:12]}", "attributes": {"warranty_until": "2030-01-01", "colour": "blue"}}
    added = await declared.call("POST", f"/v1/customers/{customer_id}/assets", 201, json=asset)
    view = await declared.view(customer_id, added.headers["rapport-event-id"])
    assert view["assets"][0]["attributes"] == {"colour": "blue", "warranty_until": "2030-01-01"}


async def test_ticket_fields_are_in_the_ticket_and_in_its_line_of_the_view(declared: Caller) -> None:
    touchpoint_id = await declared.report(touchpoint(phone_number()))
    customer_id = (await declared.status(touchpoint_id))["customer_id"]
    body = {"kind": "repair", "customer": {"id": customer_id}, "subject": "空调异响", "attributes": {"guide": "G-7"}}

    async def refused() -> bool:
        # the ticket service hears of the policy and of the customer by itself, and refuses either until it has
        answer = await declared.client.post("/v1/tickets", json=body)
        return answer.status_code == 422 and any(e["pointer"] == "/attributes/bay" for e in answer.json()["errors"])

    await until("the ticket service to know what is declared", refused)
    body["attributes"] = {"bay": 3}
    opened = await declared.call("POST", "/v1/tickets", 201, json=body)
    assert opened.json()["attributes"] == {"bay": 3}
    view = await declared.view(customer_id, opened.headers["rapport-event-id"])
    assert view["tickets"]["open"][0]["attributes"] == {"bay": 3}


async def test_a_sheet_brings_own_fields_under_the_names_of_its_template(declared: Caller) -> None:
    answer = await declared.call("GET", "/v1/imports/template?language=zh", 200)
    header = answer.content.decode("utf-8-sig").splitlines()[0]
    assert "会员等级" in header.split(",")
    content = (
        f"客户编号,姓名,手机,会员等级\r\nK-1,王小明,+86 {phone_number()},金卡\r\nK-2,李雷,,{PERSONAL}\r\n".encode()
    )
    query = {"name": "members.csv", "system": f"erp-{uuid4().hex}"}
    headers = {"Content-Type": "text/csv"}
    made = await declared.call("POST", "/v1/imports", 202, params=query, content=content, headers=headers)
    path = f"/v1/imports/{made.json()['import_id']}"

    async def reached(*states: str) -> bool:
        return (await declared.call("GET", f"{path}?wait_ms=20000", 200)).json()["state"] in states

    await until("the rows to be checked", lambda: reached("checked"))
    rows = (await declared.call("GET", f"{path}/rows", 200)).json()["rows"]
    assert [(row["verdict"], [reason["column"] for reason in row["reasons"]]) for row in rows] == [
        ("new", []),
        ("rejected", ["会员等级"]),
    ]
    assert PERSONAL not in str(rows[1]["reasons"])
    await declared.call("POST", f"{path}/run", 202)
    await until("the import to be done", lambda: reached("done"))
    (row,) = (await declared.call("GET", f"{path}/rows?verdict=recorded", 200)).json()["rows"]

    async def shown() -> bool:
        view = (await declared.call("GET", f"/v1/customers/{row['customer_id']}", 200)).json()
        return bool(view["identity"]["attributes"] == {"loyalty_level": "gold"})

    await until("the field in the view", shown)


async def test_what_a_connector_produces_waits_until_it_is_declared(declared: Caller, stack: Stack) -> None:
    body = touchpoint(phone_number(), attributes={"guide": "G-7"})
    message = encode_touchpoint(parse_touchpoint(body, strict=True), orjson.dumps(body), "any", ())
    headers = [(name, b"/connector" if name == "ce_source" else value) for name, value in message.headers]

    async def quarantined() -> bool:
        # the interaction service hears of the policy by its own consumer: until then a connector is believed
        body["id"] = str(uuid4())
        async with AIOKafkaProducer(bootstrap_servers=stack.infrastructure.kafka) as producer:
            await producer.send_and_wait(INTAKE.name, orjson.dumps(body), message.key, headers=headers)
        return bool((await declared.status(str(body["id"])))["state"] == "quarantined")

    await until("the intake to know what is declared", quarantined)
    found = (await declared.call("GET", "/v1/quarantine?reason=own_fields&limit=200", 200)).json()["quarantined"]
    (item,) = [one for one in found if one["touchpoint_id"] == body["id"]]
    assert [(one["pointer"], one["code"]) for one in item["errors"]] == [("/attributes/guide", "unknown_field")]
    guide = {"type": "text", "labels": {"en": "Guide", "zh": "导购"}}
    await declare(declared, {**GARAGE, "touchpoints": {**GARAGE["touchpoints"], "guide": guide}})
    path = f"/v1/quarantine/{item['quarantine_id']}/replay"

    async def recorded() -> bool:
        return (await declared.client.post(path)).status_code == 200

    await until("the replay to record it", recorded)
    assert (await declared.status(str(body["id"])))["state"] in ("recorded", "quarantined")
    await until("it to be seen as recorded", lambda: _recorded(declared, str(body["id"])))


async def _recorded(caller: Caller, touchpoint_id: str) -> bool:
    return bool((await caller.status(touchpoint_id))["state"] == "recorded")


async def test_once_withdrawn_everything_is_taken_as_before(caller: Caller) -> None:
    await declare(caller, GARAGE)
    await withdraw(caller)
    anything = touchpoint(phone_number(), "custom.never_declared", data={"a": [1]}, attributes={"b": {"c": 1}})
    touchpoint_id = await caller.report(anything)
    assert (await caller.status(touchpoint_id))["state"] == "recorded"
