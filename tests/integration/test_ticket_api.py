"""Tickets over HTTP on a real database, with the registers fed as the customer service publishes them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.service import Service
from tests.support.infrastructure import Databases
from tests.support.own_fields import GARAGE
from tests.support.ticket_service import PHONE, Counter, client_of, ticket_service


@pytest_asyncio.fixture
async def service(databases: Databases) -> AsyncIterator[Service]:
    async with ticket_service(databases) as service:
        yield service


@pytest_asyncio.fixture
async def counter(service: Service) -> AsyncIterator[Counter]:
    async with client_of(service) as client:
        yield Counter(client, service.database)


def _differ(tickets: Sequence[str]) -> bool:
    return len(set(tickets)) == len(tickets)


async def test_a_ticket_is_opened_worked_on_resolved_and_reopened(counter: Counter) -> None:
    profile = await counter.profile()
    ticket = await counter.open(profile)
    path = f"/v1/tickets/{ticket['ticket_id']}"
    assert ticket["number"].startswith("R-")
    assert (ticket["state"], ticket["open"], ticket["customer_id"]) == ("new", True, str(profile))
    remark = await counter.call("POST", f"{path}/comments", 201, json={"text": "Needs a part", "visibility": "public"})
    assert remark.json()["comments"][0]["author"] == "desk-1"
    step = {"to": "in_progress", "note": "part arrived"}
    await counter.call("POST", f"/v1/tickets/{ticket['number'].lower()}/transitions", 200, json=step)
    done = await counter.call("POST", f"{path}/resolve", 200, json={"resolution": "压缩机已更换"})
    assert (done.json()["open"], done.json()["possible_states"]) == (False, ["closed", "in_progress"])
    again = (await counter.call("POST", f"{path}/transitions", 200, json={"to": "in_progress"})).json()
    assert (again["resolution"], again["resolved_at"]) == (None, None)
    events = await counter.events(ticket["ticket_id"])
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert [event["type"].split(".")[2] for event in events] == [
        "opened",
        "commented",
        "transitioned",
        "resolved",
        "transitioned",
    ]
    assert {bytes(event["key"]).decode() for event in events} == {str(profile)}


async def test_a_transition_that_is_not_possible_is_refused_with_what_is(counter: Counter) -> None:
    ticket = await counter.open(await counter.profile())
    path = f"/v1/tickets/{ticket['ticket_id']}/transitions"
    for to in ("closed", "resolved", "nowhere", "new"):
        refused = (await counter.call("POST", path, 409, json={"to": to})).json()
        assert refused["state"] == "new"
        assert refused["possible"] == ["assigned", "scheduled", "in_progress", "cancelled"]
        assert "scheduled" in refused["detail"]
    assert len(await counter.events(ticket["ticket_id"])) == 1


async def test_an_edit_keeps_to_the_revision_that_was_seen(counter: Counter) -> None:
    await counter.unit("cn/east")
    ticket = await counter.open(await counter.profile(), owner="agent-17")
    path = f"/v1/tickets/{ticket['ticket_id']}"
    read = await counter.call("GET", path, 200)
    assert read.headers["etag"] == '"1"'
    fields = {"owner": None, "priority": "urgent", "unit": "cn/east"}
    edited = await counter.call("PATCH", path, 200, json=fields, headers={"If-Match": '"1"'})
    assert edited.headers["etag"] == '"2"'
    assert (edited.json()["owner"], edited.json()["priority"]) == (None, "urgent")
    same = await counter.call("PATCH", path, 200, json={"priority": "urgent"})
    assert same.headers["rapport-event-id"] == edited.headers["rapport-event-id"]
    for verb, place, body in (
        ("PATCH", path, {"priority": "low"}),
        ("POST", f"{path}/comments", {"text": "x"}),
        ("POST", f"{path}/transitions", {"to": "assigned"}),
        ("POST", f"{path}/resolve", {"resolution": "x"}),
    ):
        stale = await counter.call(verb, place, 412, json=body, headers={"If-Match": '"1"'})
        assert stale.headers["etag"] == '"2"'


async def test_an_id_of_the_callers_own_makes_one_ticket(counter: Counter) -> None:
    profile, ticket_id = await counter.profile(), str(uuid4())
    body = {"id": ticket_id, "kind": "service", "customer": {"id": str(profile)}, "subject": "Winter tyres"}
    answers = await asyncio.gather(*(counter.client.post("/v1/tickets", json=body) for _ in range(8)))
    assert sorted({answer.status_code for answer in answers}) == [200, 201]
    assert len({answer.headers["rapport-event-id"] for answer in answers}) == 1
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert len(await counter.events(ticket_id)) == 1
    await counter.call("POST", "/v1/tickets", 409, json=body | {"subject": "Summer tyres"})


async def test_an_idempotency_key_makes_one_ticket(counter: Counter) -> None:
    body = {"kind": "service", "customer": {"id": str(await counter.profile())}, "subject": "Winter tyres"}
    headers = {"Idempotency-Key": "k-1"}
    first = await counter.call("POST", "/v1/tickets", 201, json=body, headers=headers)
    again = await counter.call("POST", "/v1/tickets", 201, json=body, headers=headers)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    await counter.call("POST", "/v1/tickets", 422, json=body | {"kind": "repair"}, headers=headers)


async def test_numbers_are_never_given_twice(counter: Counter) -> None:
    profile = await counter.profile()
    opened = await asyncio.gather(*(counter.open(profile) for _ in range(30)))
    assert _differ([ticket["number"] for ticket in opened])


async def test_identifiers_lead_to_the_profile_that_they_are_routed_to(counter: Counter) -> None:
    first, second = await counter.profile(), await counter.profile()
    fields: dict[str, Any] = {"customer": {"identifiers": [PHONE]}}
    unknown = await counter.open(first, 404, **fields)
    assert "touchpoint" in unknown["detail"]
    await counter.route(second, seq=2)
    await counter.route(first, seq=1)
    assert (await counter.open(first, **fields))["profile_id"] == str(second)
    await counter.unit("cn/east")
    national: dict[str, Any] = {
        "customer": {"identifiers": [{"type": "phone", "value": "13800138000"}]},
        "unit": "cn/east",
    }
    assert (await counter.open(first, **national))["profile_id"] == str(second)
    await counter.route(None, RouteTarget.BLOCKED, 3)
    await counter.open(first, 404, **fields)


async def test_a_ticket_stays_at_the_profile_that_was_named(counter: Counter) -> None:
    kept, merged = await counter.profile(), await counter.profile()
    before = await counter.open(merged)
    await counter.move(merged, kept, 1)
    during = await counter.open(merged)
    other = await counter.open(kept)
    assert (during["profile_id"], during["customer_id"]) == (str(merged), str(kept))
    assert (await counter.events(during["ticket_id"]))[0]["customer"] == str(kept)
    together = [other["number"], during["number"], before["number"]]
    assert await counter.numbers(customer_id=str(kept)) == together
    assert await counter.numbers(customer_id=str(merged)) == together
    await counter.move(merged, merged, 3)
    await counter.move(merged, kept, 2)
    assert await counter.numbers(customer_id=str(kept)) == [other["number"]]
    assert await counter.numbers(customer_id=str(merged)) == [during["number"], before["number"]]


async def test_lists_page_without_gaps_and_filter(counter: Counter) -> None:
    await counter.unit("cn/east/shanghai")
    await counter.unit("cn/eastern")
    profile = await counter.profile()
    opened = [
        await counter.open(profile, kind=kind, owner="agent-17", unit=unit)
        for kind, unit in (("repair", "cn/east/shanghai"), ("service", "cn/eastern"), ("complaint", None)) * 3
    ]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await counter.call("GET", "/v1/tickets", 200, params=query)).json()
        seen += [ticket["number"] for ticket in page["tickets"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == [ticket["number"] for ticket in reversed(opened)]
    assert len(await counter.numbers(kind="complaint")) == 3
    assert len(await counter.numbers(unit="cn/east")) == 3
    assert len(await counter.numbers(state="new", owner="agent-17", open=True)) == 9
    assert await counter.numbers(customer_id=str(uuid4())) == []


async def test_a_state_that_no_process_has_is_refused_with_the_nearest(counter: Counter) -> None:
    refused = await counter.call("GET", "/v1/tickets", 422, params={"state": "resolvd"})
    [error] = refused.json()["errors"]
    assert (error["pointer"], error["message"]) == (
        "/query/state",
        "There is no such state; the nearest is `resolved`.",
    )


async def test_a_caller_of_one_unit_sees_that_units_tickets(counter: Counter, service: Service) -> None:
    for path in ("cn/east", "cn/west"):
        await counter.unit(path)
    profile = await counter.profile()
    await counter.open(profile, unit="cn/west")
    async with client_of(service, unit="cn/east") as client:
        east = Counter(client, service.database)
        mine = await east.open(profile)
        assert mine["unit"] == "cn/east"
        assert await east.numbers() == [mine["number"]]
        await east.open(profile, 422, unit="cn/west")


async def test_a_case_may_have_arisen_before_it_is_told(counter: Counter) -> None:
    profile = await counter.profile()
    ticket = await counter.open(profile, occurred_at="2025-12-01T08:00:00+08:00")
    assert ticket["opened_at"] == "2025-12-01T00:00:00Z"
    ahead = await counter.open(profile, 422, occurred_at="2999-01-01T00:00:00Z")
    assert ahead["errors"][0] == {
        "pointer": "/occurred_at",
        "code": "time_ahead",
        "message": "The time is more than five minutes in the future.",
    }


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("subject", "", "/subject"),
        ("subject", " \t", "/subject"),
        ("subject", "a\x00b", "/subject"),
        ("subject", "x" * 201, "/subject"),
        ("description", "x" * 20_001, "/description"),
        ("description", "a\x00", "/description"),
        ("owner", "\x00", "/owner"),
        ("unit", "cn/\x00", "/unit"),
        ("unit", "nowhere", "/unit"),
        ("kind", "lead", "/kind"),
        ("priority", 3, "/priority"),
        ("secret", "x", "/secret"),
        ("occurred_at", "2026-01-01", "/occurred_at"),
        ("occurred_at", 1767225600, "/occurred_at"),
        ("customer", {}, "/customer"),
        ("customer", {"id": str(uuid4()), "identifiers": [PHONE]}, "/customer"),
        ("customer", {"identifiers": [{"type": "phone", "value": "private words"}]}, "/customer/identifiers/0/value"),
        ("customer", {"identifiers": [{"type": "social", "value": "x"}]}, "/customer/identifiers/0"),
        ("id", "x", "/id"),
    ],
)
async def test_a_wrong_request_is_refused_at_its_place(counter: Counter, field: str, value: Any, pointer: str) -> None:
    refused = await counter.open(await counter.profile(), 422, **{field: value})
    assert refused["errors"][0]["pointer"] == pointer
    assert "private words" not in str(refused)


async def test_what_is_not_there_or_cannot_be_read_is_never_a_fault_of_ours(counter: Counter) -> None:
    ticket = await counter.open(await counter.profile())
    path = f"/v1/tickets/{ticket['ticket_id']}"
    await counter.open(uuid4(), 404)
    for name in (str(uuid4()), "R-999999", "nonsense"):
        await counter.call("GET", f"/v1/tickets/{name}", 404)
    await counter.call("GET", "/v1/tickets/a%00b", 422)
    for query in ({"cursor": "nonsense"}, {"cursor": "WzEsMl0"}, {"owner": "a\x00"}, {"limit": "0"}, {"kind": "x"}):
        await counter.call("GET", "/v1/tickets", 422, params=query)
    await counter.call("PATCH", path, 422, json={"subject": None})
    await counter.call("PATCH", path, 422, json={"state": "closed"})
    surrogate = b'{"text": "\\ud800"}'
    json_type = {"Content-Type": "application/json"}
    await counter.call("POST", f"{path}/comments", 422, content=surrogate, headers=json_type)
    await counter.call("POST", f"{path}/comments", 400, content=b'{"text": "\xff"}', headers=json_type)
    await counter.call("POST", f"{path}/comments", 400, content=b"[" * 100_000, headers=json_type)


async def test_a_full_ticket_says_so(counter: Counter) -> None:
    ticket = await counter.open(await counter.profile())
    path = f"/v1/tickets/{ticket['ticket_id']}/comments"
    status = 201
    for _ in range(30):
        answer = await counter.client.post(path, json={"text": "字" * 20_000})
        status = answer.status_code
        if status != 201:
            break
    assert status == 409
    await counter.call("GET", f"/v1/tickets/{ticket['ticket_id']}", 200)


async def test_own_fields_are_stated_by_kind_edited_and_withdrawn_as_declared(counter: Counter) -> None:
    await counter.declare(GARAGE)
    profile = await counter.profile()
    refused = await counter.open(profile, 422, attributes={"cause": "accident", "guide": "王小明-4711"})
    assert {(one["pointer"], one["code"]) for one in refused["errors"]} == {
        ("/attributes/guide", "unknown_field"),
        ("/attributes/bay", "missing"),
        ("/attributes/insurer", "missing"),
    }
    assert "王小明" not in str(refused)
    ticket = await counter.open(profile, attributes={"cause": "wear", "bay": 3, "insurer": None})
    assert ticket["attributes"] == {"bay": 3, "cause": "wear"}
    path = f"/v1/tickets/{ticket['ticket_id']}"
    half = await counter.call("PATCH", path, 422, json={"attributes": {"cause": "accident"}})
    assert [one["pointer"] for one in half.json()["errors"]] == ["/attributes/insurer"]
    whole = {"attributes": {"cause": "accident", "insurer": "PICC"}}
    assert (await counter.call("PATCH", path, 200, json=whole)).json()["attributes"] == {
        "bay": 3,
        "cause": "accident",
        "insurer": "PICC",
    }
    await counter.call("PATCH", path, 422, json={"attributes": {"bay": None}})
    back = {"attributes": {"cause": "wear", "insurer": None}}
    assert (await counter.call("PATCH", path, 200, json=back)).json()["attributes"] == {"bay": 3, "cause": "wear"}
    types = [event["type"] for event in await counter.events(ticket["ticket_id"])]
    assert types == ["rapport.ticket.opened.v1", "rapport.ticket.updated.v1", "rapport.ticket.updated.v1"]


async def test_a_ticket_that_was_opened_before_a_version_stays_readable_and_editable_without_it(
    counter: Counter,
) -> None:
    await counter.declare(GARAGE)
    profile = await counter.profile()
    ticket = await counter.open(profile, attributes={"bay": 3})
    await counter.declare({"tickets": {}}, 2)
    path = f"/v1/tickets/{ticket['ticket_id']}"
    edited = await counter.call("PATCH", path, 200, json={"priority": "high"})
    assert edited.json()["attributes"] == {"bay": 3}
    assert (await counter.open(profile))["attributes"] == {}
    await counter.open(profile, 422, attributes={"bay": 3})
