"""The gateway and the interaction service take the same touchpoints: what one refuses, the other quarantines."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_gateway.intake.touchpoints import TouchpointRules
from rapport_interaction.commands.quarantine import undeclared
from rapport_interaction.domain.arrivals import Arrival, read_arrival
from rapport_shared.callers import Caller
from rapport_shared.contracts.catalogue import INTAKE, TOUCHPOINT_REPORTED
from rapport_shared.contracts.customer import UnitState
from rapport_shared.errors import Problem
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.own_fields import OwnRules
from tests.support.own_fields import ANYTHING, GARAGE, declarations, rules, stated

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLER = Caller(str(UUID(int=1)), scopes=frozenset({"*"}))
KINDS: dict[str, dict[str, Any]] = {
    "call.ended": {"direction": "inbound"},
    "profile.reported": {"kind": "company"},
    "asset.delivered": {"serial": "S-1"},
    "asset.serviced": {"serial": "S-1", "work_order": "W-1"},
    "custom.test_drive": {"model": "Lavida"},
    "custom.unknown": {},
}


def body(kind: str, attributes: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {
        "id": "0198f3a2-0000-7000-8000-000000000001",
        "channel": "store",
        "kind": kind,
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "identifiers": [{"type": "email", "value": "a@example.com"}],
        "data": {**KINDS[kind], **data},
        "attributes": attributes,
    }


async def at_the_gateway(own: OwnRules, touchpoint: dict[str, Any]) -> list[tuple[str, str, str]]:
    async def no_unit(_: str) -> UnitState | None:
        return None

    async def declared() -> OwnRules:
        return own

    judge = TouchpointRules(b"s" * 32, no_unit, lambda: NOW, declared)
    try:
        await judge.check(touchpoint, 0, CALLER, None)
    except Problem as problem:
        return [(one.pointer, one.code, one.message) for one in problem.errors]
    return []


def at_the_intake(own: OwnRules, touchpoint: dict[str, Any]) -> list[tuple[str, str, str]]:
    headers = {"ce_type": TOUCHPOINT_REPORTED, "ce_source": "/connector"}
    value = orjson.dumps(touchpoint)
    arrival = read_arrival(b"s" * 32, Record(Partition(INTAKE.name, 0), 1, b"key", headers, value, NOW))
    assert isinstance(arrival, Arrival)
    found = undeclared(own, arrival)
    return [(one.pointer, one.code, one.message) for one in found.reasons] if found else []


@given(st.data())
@settings(max_examples=60)
async def test_both_doors_take_what_is_declared(data: st.DataObject) -> None:
    fields = data.draw(declarations())
    own, touchpoint = rules({"touchpoints": fields}), body("call.ended", data.draw(stated(fields)))
    assert await at_the_gateway(own, touchpoint) == at_the_intake(own, touchpoint) == []


@given(st.sampled_from(sorted(KINDS)), st.data())
@settings(max_examples=150)
async def test_both_doors_say_the_same_of_anything(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from([*GARAGE["profiles"], *GARAGE["assets"], *GARAGE["touchpoints"], "never_declared"])
    touchpoint = body(kind, data.draw(st.dictionaries(names, ANYTHING, max_size=4)))
    own = rules(GARAGE)
    assert await at_the_gateway(own, touchpoint) == at_the_intake(own, touchpoint)


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_without_a_policy_everything_is_taken(kind: str) -> None:
    anything = body(kind, {"whatever": [1, {"deep": None}]})
    assert await at_the_gateway(rules({}), anything) == at_the_intake(rules({}), anything) == []
