"""Through all services: who belongs to whom, a customer that changes hands with open work, a used car."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from rapport_shared.contracts.ids import source_profile_id
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

SYSTEM = "party-erp"


def touchpoint(record: str, kind: str, data: dict[str, Any], day: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "channel": "erp",
        "kind": kind,
        "occurred_at": f"2026-03-{day:02d}T08:00:00+08:00",
        "source": {"system": SYSTEM, "record": record},
        "data": data,
        **more,
    }


async def party(caller: Caller, name: str, kind: str = "person", **relations: str) -> tuple[str, str]:
    """A party that the ERP reports, with relations to other records; answers record and customer."""
    record = str(uuid4())
    await report(caller, record, name, kind, **relations)
    customer_id = str(source_profile_id(SYSTEM, record))
    await caller.until_status("GET", f"/v1/customers/{customer_id}/record", 200)
    return record, customer_id


async def report(caller: Caller, record: str, name: str, kind: str = "person", **relations: str) -> None:
    stated = [{"type": type_, "to": {"system": SYSTEM, "record": to}} for type_, to in relations.items()]
    data = {"kind": kind, "name": {"display": name}, "relations": stated}
    await caller.report(touchpoint(record, "profile.reported", data))


async def shown(caller: Caller, customer_id: str, section: str) -> Any:
    answer = await caller.client.get(f"/v1/customers/{customer_id}?sections={section}", follow_redirects=True)
    return answer.json().get(section) if answer.status_code == 200 else None


async def until_shown(caller: Caller, what: str, customer_id: str, section: str, holds: Any) -> Any:
    async def so() -> Any:
        found = await shown(caller, customer_id, section)
        return (found,) if found is not None and holds(found) else None

    return (await until(what, so))[0]


async def test_people_of_a_company_are_seen_from_both_sides_and_follow_a_merge(caller: Caller) -> None:
    company = str(uuid4())
    _, anna = await party(caller, "Anna", employee_of=company)
    _, bert = await party(caller, "Bert", employee_of=company)
    waiting = await until_shown(
        caller, "Anna's view waits for the company", anna, "identity", lambda one: one["relations_total"] == 1
    )
    assert waiting["relations"][0]["display_name"] is None
    await report(caller, company, "Acme", "company")
    acme = str(source_profile_id(SYSTEM, company))
    people = await until_shown(
        caller,
        "Acme's view lists its people",
        acme,
        "identity",
        lambda one: one["related"].get("employee_of", {}).get("total") == 2,
    )
    assert {one["display_name"] for one in people["related"]["employee_of"]["customers"]} == {"Anna", "Bert"}

    def works_at(name: str, customer_id: str) -> Any:
        return lambda one: [(r["display_name"], r["customer_id"]) for r in one["relations"]] == [(name, customer_id)]

    await until_shown(caller, "Anna works at Acme", anna, "identity", works_at("Acme", acme))
    await report_anew(caller, company, "Acme Group")
    await until_shown(caller, "Bert's view knows the new name", bert, "identity", works_at("Acme Group", acme))
    _, branch = await party(caller, "Acme Holding", "company")
    made = await caller.call("POST", "/v1/merges", 201, json={"into": branch, "from": [acme]})
    merged = (await caller.view(branch, made.headers["rapport-event-id"]))["identity"]
    await until_shown(caller, "Anna's view follows", anna, "identity", works_at(merged["display_name"], branch))
    assert merged["related"]["employee_of"]["total"] == 2
    page = (await caller.call("GET", f"/v1/customers/{branch}/relations?type=employee_of&limit=1", 200)).json()
    assert (len(page["relations"]), page["relations"][0]["direction"]) == (1, "incoming")
    more = await caller.call("GET", f"/v1/customers/{branch}/relations?limit=1&cursor={page['next_cursor']}", 200)
    assert more.json()["next_cursor"] is None
    await caller.call("POST", f"/v1/merges/{made.json()['merges'][0]['merge_id']}/undo", 200)
    await until_shown(caller, "Anna's view is as before", anna, "identity", works_at("Acme Group", acme))
    await caller.call("PUT", f"/v1/customers/{acme}/relations/employee_of/{acme}", 422)
    ended = await caller.call("DELETE", f"/v1/customers/{anna}/relations/employee_of/{acme}", 200)
    view = await caller.view(anna, ended.headers["rapport-event-id"])
    assert (view["identity"]["relations"], view["identity"]["relations_total"]) == ([], 0)


async def report_anew(caller: Caller, record: str, name: str) -> None:
    data = {"kind": "company", "name": {"display": name}}
    await caller.report(touchpoint(record, "profile.reported", data, day=9))


async def ticket(caller: Caller, customer_id: str, owner: str) -> str:
    body = {"kind": "repair", "customer": {"id": customer_id}, "subject": "noise", "owner": owner}

    async def opened() -> str | None:
        answer = await caller.client.post("/v1/tickets", json=body)
        return answer.json()["ticket_id"] if answer.status_code == 201 else None

    return str(await until("a ticket is opened", opened))


async def test_open_work_goes_with_a_customer_and_with_all_of_somebody_who_leaves(caller: Caller) -> None:
    leaves, stays = f"li-{uuid4().hex[:8]}", f"wu-{uuid4().hex[:8]}"
    (record, one), (_, other) = await party(caller, "One"), await party(caller, "Other")
    promise = {"text": "call back", "due_at": "2026-04-01T09:00:00+08:00"}
    call = {"direction": "inbound", "promises": [promise]}
    await caller.report(touchpoint(record, "call.ended", call, day=2, channel="phone"))
    line = {"line": "1", "sku": "P", "quantity": "1", "net": 10_000, "tax": 0, "cost": 4_000}
    order = {"order": str(uuid4()), "currency": "CNY", "net": 10_000, "tax": 0, "gross": 10_000, "lines": [line]}
    await caller.report(touchpoint(record, "order.placed", order, day=3))
    for customer_id in (one, other):
        await caller.call("PUT", f"/v1/customers/{customer_id}/owner", 200, json={"owner": leaves})
    tickets = [await ticket(caller, customer_id, leaves) for customer_id in (one, one, other)]
    path, body = f"/v1/owners/{leaves}/hand-over", {"to": stays, "reason": "leaves the firm"}

    async def foreseen() -> dict[str, Any] | None:
        told = (await caller.call("POST", path, 200, json=body | {"dry_run": True})).json()
        whole = told["customers"] == 2 and told["open_tickets"] == 3 and told["open_promises"] == 1 and told["value"]
        return told if whole else None

    told = await until("the view knows what the hand-over carries", foreseen)
    assert told is not None
    begun = (await caller.call("POST", path, 202, json=body)).json()

    async def done() -> bool:
        progress = (await caller.call("GET", f"/v1/hand-overs/{begun['hand_over_id']}", 200)).json()
        return bool(progress["state"] == "done" and progress["handed"] == 2)

    await until("the hand-over is done", done)
    for ticket_id in tickets:

        async def followed(ticket_id: str = ticket_id) -> bool:
            return bool((await caller.call("GET", f"/v1/tickets/{ticket_id}", 200)).json()["owner"] == stays)

        await until("the ticket followed", followed)
    await until_shown(
        caller,
        "the view shows the new owner at customer and tickets",
        one,
        "tickets",
        lambda section: {line["owner"] for line in section["open"]} == {stays},
    )
    assert (await shown(caller, one, "identity"))["owner"] == stays
    history = (await caller.call("GET", f"/v1/customers/{one}/hand-overs", 200)).json()["hand_overs"]
    assert [(line["former_owner"], line["owner"], line["handed_over"]) for line in history] == [
        (leaves, stays, True),
        (None, leaves, False),
    ]
    carried = history[0]["carried"]
    assert (carried["open_tickets"], carried["open_promises"], carried["value"]) == (2, 1, told["value"])
    after = (await caller.call("POST", path, 200, json=body | {"dry_run": True})).json()
    assert (after["customers"], after["open_tickets"]) == (0, 0), "nothing is left with somebody who leaves"


async def test_a_used_car_keeps_its_history_and_a_plate_finds_it(caller: Caller) -> None:
    (seller_record, seller), (buyer_record, buyer) = await party(caller, "Seller"), await party(caller, "Buyer")
    serial, plate = f"W{uuid4().hex[:12].upper()}", f"B-{uuid4().hex[:6].upper()}"
    await caller.report(
        touchpoint(seller_record, "asset.delivered", {"serial": serial, "plate": plate, "type": "vehicle"}, 1)
    )
    done = {"serial": serial, "work_order": "WO-1", "mileage": 12_000, "work": ["oil"], "borne_by": "us"}
    await caller.report(touchpoint(seller_record, "asset.serviced", done, 5))
    car = (
        await until_shown(
            caller,
            "the seller's car was serviced",
            seller,
            "assets",
            lambda cars: cars and cars[0]["services"] == 1,
        )
    )[0]
    assert (car["last_service"]["mileage"], car["plate"]) == (12_000, plate.replace("-", ""))
    sold = await caller.report(touchpoint(buyer_record, "asset.transferred", {"serial": serial}, 10))
    await until_shown(caller, "the buyer has the car", buyer, "assets", lambda cars: len(cars) == 1)
    await until_shown(caller, "the seller has it no longer", seller, "assets", lambda cars: not cars)
    found = (await caller.call("POST", "/v1/assets/lookup", 200, json={"plate": plate})).json()["assets"]
    assert [one["asset_id"] for one in found] == [car["asset_id"]]
    asset = (await caller.call("GET", f"/v1/assets/{car['asset_id']}", 200)).json()
    assert [holder["customer_id"] for holder in asset["holders"]] == [seller, buyer]
    service = asset["services"][0]
    assert (service["work_order"], service["work"], service["borne_by"]) == ("WO-1", ["oil"], "us")
    await caller.call("GET", f"/v1/customers/{seller}", 200)
    await caller.call("GET", f"/v1/customers/{buyer}", 200)
    await caller.call("POST", f"/v1/touchpoints/{sold}/retractions", 201, json={"reason": "reported_in_error"})
    await until_shown(caller, "the sale was an error", seller, "assets", lambda cars: len(cars) == 1)
    await until_shown(caller, "the buyer never had it", buyer, "assets", lambda cars: not cars)
    await caller.call("POST", "/v1/assets/lookup", 422, json={})
    await caller.call("GET", f"/v1/assets/{UUID(int=7)}", 404)
