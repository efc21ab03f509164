"""Who reports hears what will not have the effect that they expect: where, a code, a sentence; never the value."""

from typing import Any

import pytest

from rapport_gateway.intake.accepting import IDENTIFIERS_LOOKED_AT
from rapport_shared.callers import Caller
from rapport_shared.normalisation import identifier_key
from tests.unit.gateway_edge.edge import KEY_ID, SECRET, Edge, Heard, call


def phone(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "phone", "value": value, **more}


async def warned(edge: Edge, *touchpoints: dict[str, Any]) -> list[tuple[int, str, str]]:
    answer = await edge.report({"touchpoints": list(touchpoints)})
    assert answer.status_code == 202
    told = answer.json()["warnings"]
    dry = (await edge.report({"touchpoints": list(touchpoints)}, "/v1/touchpoints?dry_run=true")).json()["results"]
    assert [one for index, result in enumerate(dry) for one in result["warnings"]] == [
        {name: value for name, value in one.items() if name != "index"} for one in told
    ], "the dry run says the same"
    return [(one["index"], one["pointer"], one["code"]) for one in told]


@pytest.mark.parametrize(
    ("identifier", "code", "expected"),
    [
        (phone("139 1234 5670"), "phone_without_region", '"region": "CN"'),
        (phone("12", region="CN"), "unreadable", "+86 138 0013 8000"),
        (phone("000-000-0000", region="US"), "stands_for_nothing", "+86 138 0013 8000"),
        ({"type": "email", "value": "wang at example"}, "unreadable", "wang@example.com"),
        ({"type": "email", "value": "test@firm.de"}, "stands_for_nothing", "wang@example.com"),
        ({"type": "external", "system": "crm", "value": "undefined"}, "stands_for_nothing", "C-1001"),
        ({"type": "card", "value": "N/A"}, "stands_for_nothing", "6222"),
    ],
)
async def test_an_identifier_that_leads_nowhere_says_why(identifier: dict[str, Any], code: str, expected: str) -> None:
    edge = Edge()
    answer = (await edge.report(call(unit=None, identifiers=[phone("+8613800138000"), identifier]))).json()
    [warning] = answer["warnings"]
    assert (warning["pointer"], warning["code"]) == ("/identifiers/1", code)
    assert expected in warning["message"]
    assert identifier["value"] not in warning["message"].replace('"undefined"', "").replace('"n/a"', "")
    assert len(edge.broker.sent) == 1, "it is accepted all the same"


async def test_the_region_is_the_numbers_own_then_the_units_then_the_deployments() -> None:
    named = call(unit=None, identifiers=[phone("138 0013 8000", region="CN")])
    of_unit = call(identifiers=[phone("138 0013 8000")])
    of_none = call(unit=None, identifiers=[phone("138 0013 8000")])
    assert await warned(Edge(), named, of_unit, of_none) == [(2, "/identifiers/0", "phone_without_region")]
    assert await warned(edge := Edge(region="CN"), named, of_unit, of_none) == []
    assert [dict(message.headers)["rapport_region"] for message in edge.broker.sent] == [b"CN"] * 3
    silent = Edge()
    await silent.report(of_none)
    assert "rapport_region" not in dict(silent.broker.sent[0].headers)


async def test_a_record_that_stands_for_nothing_names_nobody() -> None:
    edge = Edge()
    assert await warned(edge, call(identifiers=[], source={"system": "shop", "record": "null"})) == [
        (0, "/source/record", "stands_for_nothing")
    ]
    dry = await edge.report(
        call(identifiers=[], source={"system": "shop", "record": "null"}), "/v1/touchpoints?dry_run=true"
    )
    assert dry.json()["results"][0]["would_mint"] is False


async def test_a_verification_that_does_not_count_is_said() -> None:
    limited = Edge(caller=Caller(str(KEY_ID), scopes=frozenset({"*"}), may_verify=frozenset({"email"})))
    report = call(identifiers=[phone("138 0013 8000", verified=True)])
    assert await warned(limited, report) == [(0, "/identifiers/0/verified", "verification_ignored")]
    assert await warned(Edge(), report) == []


async def test_a_channel_that_was_never_seen_is_said_and_not_refused() -> None:
    edge = Edge(channels=Heard(frozenset({"kiosk"})))
    assert await warned(edge, call(), call(channel="kiosk")) == [(1, "/channel", "new_channel")]
    assert len(edge.broker.sent) == 2


async def test_a_dry_run_says_what_the_policy_blocks() -> None:
    edge = Edge()
    edge.outcomes.barred.add(identifier_key(SECRET.encode(), "phone", "+8613800138000"))
    [result] = (await edge.report(call(), "/v1/touchpoints?dry_run=true")).json()["results"]
    assert [(one["pointer"], one["code"]) for one in result["warnings"]] == [("/identifiers/0", "blocked")]
    assert (result["customer_id"], result["would_mint"]) == (None, False)


async def test_a_batch_has_a_bound_on_what_is_looked_at() -> None:
    nobody = [{"type": "card", "value": "n/a"}] * 50
    found = await warned(Edge(), *(call(identifiers=nobody) for _ in range(30)))
    assert len(found) == IDENTIFIERS_LOOKED_AT
    assert {index for index, *_ in found} == set(range(20))
