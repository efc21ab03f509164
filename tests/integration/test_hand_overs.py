"""Customers that change hands, on real databases: what goes along, in batches, once, and what stays where it is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest_asyncio

from rapport_customer.commands.hand_overs import AT_ONCE, hand_over_batch
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import PROFILE_CHANGED
from rapport_shared.contracts.codec import Event, encode_event
from rapport_shared.contracts.customer import HandOver, ProfileChanged, ProfileState
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.ticket import TicketState
from rapport_shared.database import Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_ticket import consumers
from rapport_ticket.commands.tickets import Tickets
from rapport_ticket.domain.tickets import first_state
from rapport_ticket.store import tickets as store
from rapport_ticket.store.tickets import StoredTicket
from tests.support.customer_service import CustomerDesk, customer_desk
from tests.support.infrastructure import Databases


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as service:
        yield service


async def owners(desk: CustomerDesk) -> dict[UUID, str | None]:
    rows = await desk.database.fetch("SELECT state FROM profile WHERE sequence > 0")
    states = [ProfileState.model_validate_json(row["state"]) for row in rows]
    return {state.profile_id: state.owner for state in states}


async def told(desk: CustomerDesk) -> list[dict[str, Any]]:
    found = [
        orjson.loads(event.value or b"{}") for event in await desk.events() if event.topic.startswith("rapport.cust")
    ]
    return [data["hand_over"] for data in found if data.get("hand_over")]


async def work(desk: CustomerDesk, batches: int = 100) -> None:
    for _ in range(batches):
        async with desk.database.transaction() as connection:
            if not await hand_over_batch(connection, system_clock):
                return


async def test_a_customer_is_handed_over_with_all_its_profiles_in_one_event_each(desk: CustomerDesk) -> None:
    one, other, apart = [
        await desk.register(name={"display": name}, owner=owner)
        for name, owner in (("A", "li"), ("B", "li"), ("C", "wu"))
    ]
    await desk.call("POST", "/v1/merges", 201, json={"into": str(one), "from": [str(other), str(apart)]})
    await desk.call("PUT", f"/v1/customers/{apart}/owner", 200, json={"owner": "wang"})
    assert (await told(desk))[-1]["handed_over"] is False
    body = {"owner": "zhao", "reason": "moved to Suzhou", "hand_over": True}
    answer = await desk.call("PUT", f"/v1/customers/{one}/owner", 200, json=body)
    assert len(answer.headers["rapport-event-id"].split(",")) == 2
    assert await owners(desk) == {one: "zhao", other: "zhao", apart: "wang"}, "what another looks after stays"
    last = (await told(desk))[-1]
    assert (last["former_owner"], last["owner"], last["reason"]) == ("li", "zhao", "moved to Suzhou")
    assert set(last["profiles"]) == {str(one), str(other), str(apart)}
    again = await desk.call("PUT", f"/v1/customers/{one}/owner", 200, json=body)
    assert "rapport-event-id" not in again.headers


async def test_all_customers_of_somebody_who_leaves_go_in_batches_and_once(desk: CustomerDesk) -> None:
    await desk.call("PUT", "/v1/units/cn", 201, json=unit("CN"))
    await desk.call("PUT", "/v1/units/cn/east", 201, json=unit("East"))
    count = AT_ONCE + 7
    east = [await desk.register(name={"display": "E"}, owner="li", unit="cn/east") for _ in range(count)]
    firm = await desk.register(name={"display": "F"}, owner="li", unit="cn")
    path, body = "/v1/owners/li/hand-over", {"to": "zhao", "unit": "cn/east"}
    tried = (await desk.call("POST", path, 202, json=body | {"dry_run": True})).json()
    assert (tried["state"], tried["remaining"]) == ("done", count)
    begun = (await desk.call("POST", path, 202, json=body)).json()
    assert (begun["state"], begun["remaining"]) == ("running", count)
    assert (await desk.call("POST", path, 202, json=body)).json()["hand_over_id"] == begun["hand_over_id"]
    await desk.call("POST", path, 409, json={"to": "wu"})
    await work(desk, batches=1)
    progress = f"/v1/hand-overs/{begun['hand_over_id']}"
    half = (await desk.call("GET", progress, 200)).json()
    assert (half["handed"], half["remaining"], half["state"]) == (AT_ONCE, 7, "running")
    await asyncio.gather(work(desk), work(desk))
    done = (await desk.call("GET", progress, 200)).json()
    assert (done["handed"], done["remaining"], done["state"]) == (count, 0, "done")
    assert await owners(desk) == dict.fromkeys(east, "zhao") | {firm: "li"}
    assert len(await told(desk)) == count, "each once"
    assert {one["hand_over_id"] for one in await told(desk)} == {begun["hand_over_id"]}
    await desk.call("POST", path, 422, json={"to": "li"})
    await desk.call("GET", f"/v1/hand-overs/{uuid4()}", 404)


def unit(name: str) -> dict[str, str]:
    return {"name": name, "time_zone": "Asia/Shanghai", "currency": "CNY", "phone_region": "CN"}


@pytest_asyncio.fixture
async def tickets(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh() as dsn:
        await asyncio.to_thread(migrate, "rapport_ticket", dsn)
        async with Database(dsn, size=2, application="test") as database:
            yield database


async def opened(database: Database, profile_id: UUID, owner: str, *, closed: bool = False) -> UUID:
    now = system_clock()
    fields = {"kind": "repair", "profile_id": profile_id, "subject": "空调异响", "owner": owner}
    async with database.transaction() as connection:
        state = first_state(uuid4(), await store.next_number(connection), fields, now, now)
        state = state.model_copy(update={"open": not closed})
        stored = StoredTicket(state, profile_id, 1, now, "", uuid4(), uuid4())
        assert await store.insert_ticket(connection, stored)
    return state.ticket_id


async def test_open_tickets_of_the_former_owner_follow_and_no_others(tickets: Database) -> None:
    profile, stranger = uuid4(), uuid4()
    own = [await opened(tickets, profile, "li"), await opened(tickets, profile, "li")]
    left = [
        await opened(tickets, profile, "li", closed=True),
        await opened(tickets, profile, "wu"),
        await opened(tickets, stranger, "li"),
    ]
    now = system_clock()
    state = ProfileState(profile_id=profile, registered=True, owner="zhao", created_at=now)
    over = HandOver(hand_over_id=uuid4(), former_owner="li", owner="zhao", handed_over=True, profiles=(profile,))
    data = ProfileChanged(profile=state, changed=("owner",), hand_over=over)
    kind = PROFILE_CHANGED
    message = encode_event(Event(Envelope(new_id(now), kind.source, kind.wire, str(profile), now, now, 1), kind, data))
    headers = {name: value.decode() for name, value in message.headers}
    record = Record(Partition(message.topic, 0), 0, message.key, headers, message.value, now)
    subscription = consumers.hand_overs(Tickets(b"s" * 32, system_clock), OutboxSignal())
    item = subscription.decode(record)
    assert item is not None
    for _ in range(2):
        async with tickets.transaction() as connection:
            await subscription.apply(connection, [item])
    assert await ticket_owners(tickets, own) == ["zhao", "zhao"]
    assert await ticket_owners(tickets, left) == ["li", "wu", "li"]
    assert await tickets.fetch_value("SELECT count(*) FROM event_log WHERE type LIKE '%ticket.updated%'") == 2
    await tickets.fetch("UPDATE ticket SET owner = 'li' WHERE ticket_id = $1", own[0])
    async with tickets.transaction() as connection:
        await subscription.apply(connection, [item])
    row = await tickets.fetch_value("SELECT owner FROM ticket WHERE ticket_id = $1", own[0])
    assert row == "li", "a topic that is read again hands nothing over again"


async def ticket_owners(database: Database, ids: list[UUID]) -> list[str | None]:
    rows = [await database.fetch_value("SELECT register FROM ticket WHERE ticket_id = $1", one) for one in ids]
    return [TicketState.model_validate_json(row).owner for row in rows]
