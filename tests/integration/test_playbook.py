"""The playbook on a real database: what scoring notices becomes work once, and goes with its reason."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest_asyncio

from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import (
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    STAGE_CHANGED,
    TRIGGER_CLEARED,
    TRIGGER_FIRED,
)
from rapport_ticket.commands.playbook import forget_occasions
from tests.support.infrastructure import Databases
from tests.support.ticket_service import Counter, client_of, ticket_service


@dataclass
class Desk:
    """The clock by which the ticket service reads, and what scoring tells it of customers."""

    counter: Counter
    now: datetime
    sequences: dict[UUID, int] = field(default_factory=dict)

    async def fired(self, customer: UUID, name: str = "growth", **fields: Any) -> tuple[UUID, int]:
        state = {"name": name, "since": self.now, "effective": True, "inputs": {"share_of_wallet": "0.3"}}
        return await self._tell(TRIGGER_FIRED, customer, {"trigger": state, "policy_version": 1}, **fields)

    async def cleared(
        self, customer: UUID, name: str = "growth", moved_to: UUID | None = None, **fields: Any
    ) -> tuple[UUID, int]:
        state = {"name": name, "since": self.now, "effective": True, "inputs": {}}
        data = {"trigger": state, "policy_version": 1, "moved_to": moved_to}
        return await self._tell(TRIGGER_CLEARED, customer, data, **fields)

    async def segment(self, customer: UUID, name: str, *, entered: bool) -> None:
        event_type = SEGMENT_ENTERED if entered else SEGMENT_LEFT
        data = {"segment": name, "policy_version": 1, "condition": "/when", "reading": "window", "effective": True}
        await self._tell(event_type, customer, data)

    async def stage(self, customer: UUID, before: str | None, after: str) -> None:
        await self._tell(STAGE_CHANGED, customer, {"before": before, "after": after, "since": None, "effective": True})

    async def _tell(
        self,
        event_type: Any,
        customer: UUID,
        data: dict[str, Any],
        at: datetime | None = None,
        again: tuple[UUID, int] | None = None,
    ) -> tuple[UUID, int]:
        event_id, sequence = again or (None, self.sequences.get(customer, 0) + 1)
        self.sequences[customer] = max(sequence, self.sequences.get(customer, 0))
        model = event_type.model.model_validate({"customer_id": customer, **data})
        return await self.counter.hear(event_type, model, sequence, at, event_id), sequence

    async def tickets(self, customer: UUID, **query: Any) -> list[dict[str, Any]]:
        asked = {"customer_id": str(customer), **query}
        return list((await self.counter.call("GET", "/v1/tickets", 200, params=asked)).json()["tickets"])

    async def ticket(self, customer: UUID, **query: Any) -> dict[str, Any]:
        found = await self.tickets(customer, **query)
        assert len(found) == 1, f"one ticket was expected: {[(one['kind'], one['state']) for one in found]}"
        return found[0]

    async def adopt(self, plays: dict[str, Any], **fields: Any) -> None:
        document = {"plays": plays, **fields}
        made = (await self.counter.call("PUT", "/v1/policies/playbook/default", 201, json=document)).json()
        body = {"version": made["version"]}
        await self.counter.call("POST", "/v1/policies/playbook/default/activate", 200, json=body)

    async def begin(self, ticket: dict[str, Any]) -> None:
        body = {"to": "in_progress"}
        await self.counter.call("POST", f"/v1/tickets/{ticket['ticket_id']}/transitions", 200, json=body)


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with ticket_service(databases) as service, client_of(service) as client:
        desk = Desk(Counter(client, service.database), system_clock())
        desk.counter.clock = lambda: desk.now
        yield desk


async def test_a_reason_becomes_work_for_whoever_looks_after_the_customer(desk: Desk) -> None:
    customer = await desk.counter.profile(owner="agent-17", unit="cn/east")
    event_id, _ = await desk.fired(customer)
    ticket = await desk.ticket(customer)
    assert (ticket["kind"], ticket["state"], ticket["owner"], ticket["unit"]) == (
        "opportunity",
        "new",
        "agent-17",
        "cn/east",
    )
    assert ticket["number"].startswith("O-")
    assert ticket["origin"] == {
        "play": "grow",
        "playbook_version": 0,
        "reason": "trigger:growth",
        "event_id": str(event_id),
        "figures": {"share_of_wallet": "0.3"},
    }
    cause = "SELECT headers::json ->> 'ce_causationid' AS id FROM event_log WHERE aggregate = $1"
    rows = await desk.counter.database.fetch(cause, f"ticket:{ticket['ticket_id']}")
    assert [row["id"] for row in rows] == [str(event_id)]


async def test_the_owner_of_a_merged_customer_is_that_of_its_oldest_registered_profile(desk: Desk) -> None:
    older = {"created_at": desk.now - timedelta(days=2)}
    kept = await desk.counter.profile(owner="agent-2")
    first = await desk.counter.profile(owner="agent-1", **older)
    provisional = await desk.counter.profile(owner="agent-3", registered=False, created_at=desk.now - timedelta(days=9))
    for place, profile in enumerate((first, provisional), 1):
        await desk.counter.move(profile, kept, place)
    await desk.fired(kept)
    assert (await desk.ticket(kept))["owner"] == "agent-1"


async def test_what_is_told_twice_opens_one_ticket(desk: Desk) -> None:
    customer = await desk.counter.profile()
    fired = await desk.fired(customer)
    cleared = await desk.cleared(customer)
    for _ in range(2):
        await desk.fired(customer, again=fired)
        await desk.cleared(customer, again=cleared)
    ticket = await desk.ticket(customer)
    assert (ticket["state"], len(ticket["comments"])) == ("needless", 1)
    desk.now += timedelta(days=30)
    await desk.fired(customer)
    await desk.cleared(customer, again=cleared)
    assert len(await desk.tickets(customer, state="new")) == 1, "an end that was told before ends nothing after it"


async def test_work_that_nobody_began_ends_with_its_reason_and_other_work_is_remarked_on(desk: Desk) -> None:
    idle, begun = await desk.counter.profile(), await desk.counter.profile()
    for customer in (idle, begun):
        await desk.fired(customer, "credit_watch")
    await desk.begin(await desk.ticket(begun))
    for customer in (idle, begun):
        await desk.cleared(customer, "credit_watch")
    ended, left = await desk.ticket(idle), await desk.ticket(begun)
    assert (ended["state"], ended["open"], ended["possible_states"]) == ("needless", False, ["in_progress"])
    assert (left["state"], left["open"]) == ("in_progress", True)
    for ticket in (ended, left):
        assert [(one["author"], one["visibility"], one["text"]) for one in ticket["comments"]] == [
            ("playbook", "internal", "The reason for this is gone.")
        ]


async def test_a_reason_that_comes_again_joins_the_ticket_that_is_open(desk: Desk) -> None:
    customer = await desk.counter.profile()
    await desk.fired(customer)
    await desk.begin(await desk.ticket(customer))
    await desk.cleared(customer)
    await desk.fired(customer)
    ticket = await desk.ticket(customer)
    assert [one["text"] for one in ticket["comments"]] == [
        "The reason for this is gone.",
        "The reason for this came up again.",
    ]


async def test_a_play_rests_after_a_ticket_however_often_its_reason_flips(desk: Desk) -> None:
    await desk.adopt({"ring": {"reason": "segment:quiet", "kind": "follow_up", "subject": "Ring", "cool_down_days": 3}})
    customer = await desk.counter.profile()
    for _ in range(5):
        await desk.segment(customer, "quiet", entered=True)
        await desk.segment(customer, "quiet", entered=False)
    assert len(await desk.tickets(customer)) == 1
    desk.now += timedelta(days=3)
    await desk.segment(customer, "quiet", entered=True)
    assert len(await desk.tickets(customer)) == 2


async def test_customers_that_became_one_have_one_ticket_until_the_last_reason_is_gone(desk: Desk) -> None:
    kept, merged = await desk.counter.profile(), await desk.counter.profile()
    await desk.fired(merged)
    await desk.counter.move(merged, kept, 1)
    await desk.fired(kept)
    await desk.cleared(merged)
    ticket = await desk.ticket(kept)
    assert (ticket["state"], ticket["profile_id"]) == ("new", str(merged))
    await desk.cleared(kept)
    assert (await desk.ticket(kept))["state"] == "needless"


async def test_a_merged_customer_whose_reason_was_gone_first_gets_new_work(desk: Desk) -> None:
    kept, merged = await desk.counter.profile(), await desk.counter.profile()
    await desk.fired(merged)
    await desk.cleared(merged)
    await desk.counter.move(merged, kept, 1)
    await desk.fired(kept)
    assert sorted(one["state"] for one in await desk.tickets(kept)) == ["needless", "new"]


async def test_what_a_merged_customer_had_ends_with_what_ends_for_the_whole(desk: Desk) -> None:
    await desk.adopt({"ring": {"reason": "stage:lapsed", "kind": "follow_up", "subject": "Ring"}})
    kept, merged = await desk.counter.profile(), await desk.counter.profile()
    await desk.stage(merged, None, "lapsed")
    await desk.counter.move(merged, kept, 1)
    await desk.stage(kept, "lapsed", "won_back")
    assert (await desk.ticket(kept))["state"] == "needless"


async def test_what_passed_through_two_merges_ends_with_what_ends_for_either(desk: Desk) -> None:
    first, second, whole = [await desk.counter.profile() for _ in range(3)]
    await desk.fired(first)
    await desk.counter.move(first, second, 1)
    await desk.cleared(first, moved_to=second)
    await desk.fired(second)
    for mapping_seq, profile in ((2, first), (1, second)):
        await desk.counter.move(profile, whole, mapping_seq)
    assert (await desk.ticket(whole))["state"] == "new"
    await desk.cleared(second)
    assert (await desk.ticket(whole))["state"] == "needless"


async def test_what_is_told_late_or_of_the_past_opens_nothing(desk: Desk) -> None:
    late, past = await desk.counter.profile(), await desk.counter.profile()
    await desk.fired(late, at=desk.now - timedelta(hours=73))
    state = {"name": "growth", "since": desk.now, "effective": False, "inputs": {}}
    await desk._tell(TRIGGER_FIRED, past, {"trigger": state, "policy_version": 1})
    assert await desk.tickets(late) == await desk.tickets(past) == []


async def test_a_full_ticket_still_ends_with_its_reason(desk: Desk) -> None:
    customer = await desk.counter.profile()
    await desk.fired(customer)
    ticket, status = await desk.ticket(customer), 201
    while status == 201:
        path = f"/v1/tickets/{ticket['ticket_id']}/comments"
        status = (await desk.counter.client.post(path, json={"text": "字" * 20_000})).status_code
    assert status == 409
    await desk.cleared(customer)
    assert (await desk.ticket(customer))["state"] == "needless"


async def test_a_playbook_is_tried_on_what_came_up_and_counts_from_its_activation(desk: Desk) -> None:
    customers = [await desk.counter.profile() for _ in range(3)]
    for customer in customers:
        await desk.segment(customer, "quiet", entered=True)
    await desk.segment(customers[0], "quiet", entered=False)
    await desk.fired(customers[0], "retention")
    assert len(await desk.tickets(customers[0])) == 1
    plays = {"ring": {"reason": "segment:quiet", "kind": "follow_up", "subject": "Ring them up"}}
    made = (await desk.counter.call("PUT", "/v1/policies/playbook/default", 201, json={"plays": plays})).json()
    tried = await desk.counter.call(
        "POST", "/v1/policies/playbook/default/simulate", 200, json={"version": made["version"]}
    )
    assert tried.json() == {
        "days": 90,
        "occasions": 4,
        "tickets": 3,
        "customers": 3,
        "busiest_day": {"day": desk.now.date().isoformat(), "tickets": 3},
        "plays": {
            "ring": {
                "tickets": 3,
                "customers": 3,
                "reason_gone": 1,
                "examples": sorted(str(customer) for customer in customers),
            }
        },
        "unanswered": {"trigger:retention": 1},
        "in_force": {"tickets": 1},
    }
    assert sum([len(await desk.tickets(customer)) for customer in customers]) == 1, "a trial opens nothing"
    body = {"version": made["version"]}
    await desk.counter.call("POST", "/v1/policies/playbook/default/activate", 200, json=body)
    assert sum([len(await desk.tickets(customer)) for customer in customers]) == 1, "what came up before is past"
    await desk.fired(customers[1], "retention")
    assert await desk.tickets(customers[1]) == [], "the plays of before are none any more"
    await desk.counter.call("POST", "/v1/policies/playbook/default/rollback", 200)
    await desk.fired(customers[2], "retention")
    assert (await desk.ticket(customers[2]))["origin"]["play"] == "keep"


async def test_a_wrong_playbook_is_refused_at_its_place(desk: Desk) -> None:
    document = {"plays": {"call": {"reason": "trigger:profit", "kind": "follow_up", "subject": "Call"}}}
    refused = await desk.counter.call("POST", "/v1/policies/playbook/default/validate", 422, json=document)
    assert refused.json()["errors"] == [
        {
            "pointer": "/plays/call/reason",
            "code": "unknown_reason",
            "message": "the reasons of trigger are: credit_watch, growth, retention, win_back",
        }
    ]


async def test_occasions_are_forgotten_in_time_but_those_that_open_work_answers(desk: Desk) -> None:
    open_, ended = await desk.counter.profile(), await desk.counter.profile()
    await desk.fired(open_)
    await desk.fired(ended)
    await desk.cleared(ended)
    desk.now += timedelta(days=91)
    async with desk.counter.database.transaction() as connection:
        await forget_occasions(connection, lambda: desk.now)
    rows = await desk.counter.database.fetch("SELECT customer_id FROM occasion")
    assert [row["customer_id"] for row in rows] == [open_]
    await desk.cleared(open_)
    assert (await desk.ticket(open_))["state"] == "needless"


async def test_whatever_comes_each_customer_has_at_most_one_open_ticket_of_a_play(desk: Desk) -> None:
    chance = random.Random(20260301)
    customers = [await desk.counter.profile() for _ in range(3)]
    said: list[Any] = []
    for _ in range(150):
        if said and chance.random() < 0.2:
            tell, customer, name, again = chance.choice(said)
            await tell(customer, name, again=again)
        else:
            tell, name = chance.choice((desk.fired, desk.cleared)), chance.choice(("growth", "retention"))
            customer = chance.choice(customers)
            said.append((tell, customer, name, await tell(customer, name)))
        desk.now += timedelta(hours=chance.randrange(60))
    opened = await desk.counter.database.fetch(
        "SELECT play, profile_id, bool_or(occasion.ended_at IS NULL) AS stands FROM ticket "
        "JOIN occasion_ticket USING (ticket_id) JOIN occasion USING (event_id) WHERE open GROUP BY ticket_id, play"
    )
    assert opened, "a walk that leaves nothing open shows nothing"
    assert all(row["stands"] for row in opened), f"new work without a reason: {opened}"
    assert len({(row["play"], row["profile_id"]) for row in opened}) == len(opened)
    last: dict[tuple[UUID, str], tuple[int, bool]] = {}
    for tell, customer, name, (_, sequence) in said:
        last[customer, name] = max(last.get((customer, name), (0, False)), (sequence, tell == desk.fired))
    reasons = {f"{customer}/{name}" for (customer, name), (_, on) in last.items() if on}
    kept = await desk.counter.database.fetch("SELECT customer_id, reason FROM occasion WHERE ended_at IS NULL")
    assert {f"{row['customer_id']}/{row['reason'].removeprefix('trigger:')}" for row in kept} == reasons
