"""What a caller of a unit gets of answers about many customers: its own, and of those whom it may know of."""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from rapport_gateway.access.visibility import Visibility
from rapport_gateway.owners.limits import may_sum
from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.reads.customers import Views
from rapport_shared.callers import Caller
from rapport_shared.errors import not_found
from tests.unit.gateway_edge.edge import EVERYTHING, KEY_ID, NOW, Edge, Outcomes

ISOLATED = ("shops/ulm",)


@dataclass
class Known(Outcomes):
    """A view that knows of customers' units, and where merged ones went."""

    units: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    joined: dict[UUID, UUID] = field(default_factory=dict)

    async def known(self, customer_id: UUID) -> StoredView:
        if customer_id not in self.units:
            raise not_found("customer")
        own = self.units[customer_id]
        return StoredView(customer_id, 1, 1, NOW, self.joined.get(customer_id), {}, own)

    async def find(self, customer_id: UUID) -> StoredView | None:
        return await self.known(customer_id) if customer_id in self.units else None

    async def units_of(self, customer_ids: list[UUID]) -> dict[UUID, tuple[str, ...]]:
        return {customer: self.units[customer] for customer in customer_ids if customer in self.units}

    async def names_of(self, customer_ids: Collection[UUID]) -> dict[UUID, str]:
        return {customer: f"customer {customer.int}" for customer in customer_ids if customer in self.units}

    async def isolated_units(self) -> tuple[str, ...]:
        return ISOLATED


ULM, BONN, NOWHERE, BOTH, UNHEARD = (UUID(int=number) for number in range(11, 16))
UNITS = {ULM: ("shops/ulm",), BONN: ("shops/bonn",), NOWHERE: (), BOTH: ("shops/bonn", "shops/ulm/west")}
EVERYBODY = [ULM, BONN, NOWHERE, BOTH, UNHEARD]


def edge(unit: str, body: Any, moved: dict[UUID, UUID] | None = None) -> tuple[Edge, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def owner(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=body)

    caller = Caller(str(KEY_ID), scopes=frozenset({"*"}), unit=unit) if unit else EVERYTHING
    outcomes = Known(units=dict(UNITS), joined=moved or {})
    return Edge(caller=caller, outcomes=outcomes, owner=httpx.MockTransport(owner)), seen


@pytest.mark.parametrize(
    ("unit", "listed"),
    [
        ("", EVERYBODY),
        ("shops", [BONN, NOWHERE, BOTH]),
        ("shops/bonn", [BONN, NOWHERE, BOTH]),
        ("shops/kiel", [NOWHERE]),
        ("shops/ulm", [ULM, BOTH]),
        ("shops/ulm/west", [BOTH]),
    ],
)
@pytest.mark.parametrize(
    ("path", "name"), [("/v1/value/ranking", "customers"), ("/v1/segments/big/members", "members")]
)
async def test_a_list_shows_a_unit_its_own_that_it_may_know_of(
    unit: str, listed: list[UUID], path: str, name: str
) -> None:
    lines = [{"customer_id": str(customer), "since": "…"} for customer in EVERYBODY]
    gateway, _ = edge(unit, {name: lines, "next_cursor": "on"})
    answer = (await gateway.call("GET", path)).json()
    assert [UUID(line["customer_id"]) for line in answer[name]] == listed
    assert (answer["next_cursor"] == "on") is (unit == "")
    names = [line["customer_name"] for line in answer[name] if line["customer_id"] != str(UNHEARD)]
    assert names == [f"customer {customer.int}" for customer in listed if customer != UNHEARD]


async def test_a_cursor_of_a_unit_says_nothing_and_leads_on() -> None:
    gateway, seen = edge("shops/bonn", {"members": [{"customer_id": str(ULM)}], "next_cursor": f"after {ULM}"})
    path = "/v1/segments/big/members?limit=1"
    page = (await gateway.call("GET", path)).json()
    assert page["members"] == []
    assert str(ULM) not in page["next_cursor"]
    await gateway.call("GET", f"{path}&cursor={page['next_cursor']}")
    assert dict(seen[-1].url.params) == {"limit": "1", "cursor": f"after {ULM}"}
    elsewhere, _ = edge("shops/kiel", {})
    for gate, cursor in ((elsewhere, page["next_cursor"]), (gateway, "x"), (gateway, "a.b.c.d.e"), (gateway, "")):
        answer = await gate.call("GET", f"{path}&cursor={cursor}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/cursor"), cursor
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("customer", "unit", "status"),
    [
        (ULM, "shops/ulm", 200),
        (ULM, "shops/bonn", 404),
        (ULM, "", 200),
        (BONN, "shops/kiel", 200),
        (BONN, "shops/ulm", 404),
        (UNHEARD, "shops/bonn", 404),
        (UNHEARD, "", 200),
    ],
)
async def test_the_value_of_a_customer_is_for_those_who_may_know_of_it(customer: UUID, unit: str, status: int) -> None:
    gateway, seen = edge(unit, {})
    assert (await gateway.call("GET", f"/v1/customers/{customer}/value?known_at=2026-01-01")).status_code == status
    assert len(seen) == (status == 200)


async def test_the_past_of_a_merged_customer_is_no_way_round() -> None:
    gateway, seen = edge("shops/kiel", {}, {NOWHERE: ULM})
    assert (await gateway.call("GET", f"/v1/customers/{NOWHERE}/value?known_at=2026-01-01")).status_code == 404
    assert not seen


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/reports/cohorts"),
        ("GET", f"/v1/value/runs/{UUID(int=1)}"),
        ("POST", "/v1/value/rankings"),
        ("POST", "/v1/policies/segment/big/simulate"),
        ("POST", "/v1/policies/matching/default/simulate"),
        ("POST", "/v1/policies/fields/default/simulate"),
    ],
)
async def test_what_is_about_everybody_is_for_callers_of_the_whole_firm(method: str, path: str) -> None:
    gateway, seen = edge("shops/bonn", {})
    assert (await gateway.call(method, path, json={})).status_code == 403
    assert not seen
    gateway, _ = edge("", {})
    assert (await gateway.call(method, path, json={})).status_code == 200


async def test_sums_that_a_foreign_franchise_is_in_are_left_out() -> None:
    units = [{"unit": unit} for unit in ("shops", "shops/bonn", "shops/ulm", "shops/ulm/west")]
    gateway, _ = edge("shops", {"units": units})
    answer = (await gateway.call("GET", "/v1/reports/customer-health")).json()
    assert answer["units"] == [{"unit": "shops/bonn"}]
    assert may_sum("shops/ulm", "shops/ulm", ISOLATED)
    assert may_sum("shops/ulm/west", "shops/ulm/west", ISOLATED)


async def test_an_error_of_the_owner_comes_back_as_it_is() -> None:
    gateway = Edge(
        caller=Caller(str(KEY_ID), scopes=frozenset({"*"}), unit="shops"),
        outcomes=Known(),
        owner=httpx.MockTransport(lambda _: httpx.Response(404, json={"title": "none"})),
    )
    answer = await gateway.call("GET", "/v1/value/ranking")
    assert (answer.status_code, answer.json()) == (404, {"title": "none"})


async def test_a_list_of_the_whole_firm_asks_nobody() -> None:
    assert await Visibility(cast(Views, None)).listed([ULM, UNHEARD], EVERYTHING) == {ULM, UNHEARD}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/customers/{ULM}/record", 200),
        ("GET", f"/v1/customers/{NOWHERE}/record", 200),
        ("GET", f"/v1/customers/{BONN}/record", 404),
        ("PATCH", f"/v1/customers/{ULM}/record", 403),
        ("GET", "/v1/value/ranking", 403),
        ("GET", "/v1/segments", 403),
    ],
    ids=["its-own", "merged-into-it", "another", "a-change", "a-list", "what-is-about-nobody"],
)
async def test_a_token_of_a_customer_reads_this_customer_alone(method: str, path: str, status: int) -> None:
    gateway, seen = edge("", {}, moved={NOWHERE: ULM})
    gateway.caller = dataclasses.replace(EVERYTHING, customer_id=ULM)
    assert (await gateway.call(method, path, json={})).status_code == status
    assert len(seen) == (status == 200)


async def test_a_token_of_a_customer_finds_this_customer_alone() -> None:
    gateway, _ = edge("", {}, moved={NOWHERE: ULM})
    visibility = Visibility(cast(LiveView, gateway.outcomes))
    merged = dataclasses.replace(EVERYTHING, customer_id=NOWHERE)
    assert await visibility.seen(EVERYBODY, merged) == {ULM}
    assert await visibility.seen([BONN], merged) == set()
