"""Bad input at the intake: a clear 4xx that names the place, never a 5xx, never an echo, no good neighbour lost."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport_shared.callers import Caller
from rapport_shared.contracts.touchpoints import MAX_BATCH, MAX_BATCH_BYTES, MAX_TOUCHPOINT_BYTES
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from tests.unit.gateway_edge.edge import KEY_ID, Edge, call

SECRET_TEXT = "Geheimrat-Wang-4711"


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def order(**changes: Any) -> dict[str, Any]:
    example = json.loads(json.dumps(EXAMPLES["order.placed"]))
    example["data"].update(changes)
    return dict(example)


UNREADABLE = {
    "empty": b"",
    "not JSON": b"{nope",
    "not UTF-8": b'{"kind":"\xff\xfe"}',
    "half a surrogate pair": b'{"kind":"\\ud800"}',
    "NaN": b'{"a": NaN}',
    "two documents": b"{} {}",
    "deeper than any reader goes": deep(100_000),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_no_json_is_a_400(body: bytes) -> None:
    edge = Edge()
    answer = await edge.report(body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "/problems/malformed"
    assert not edge.broker.sent


INVALID: dict[str, tuple[Any, str, str]] = {
    "a list": ([], "", "wrong_type"),
    "null": (None, "", "wrong_type"),
    "a number": (7, "", "wrong_type"),
    "no kind": ({"id": "x"}, "/kind", "missing"),
    "an unknown kind": (call(kind="call.imagined"), "/kind", "unknown_kind"),
    "an unknown field": (call(colour="red"), "/colour", "unknown_field"),
    "an unknown field of data": (call(data={"direction": "inbound", "x": 1}), "/data/x", "unknown_field"),
    "an unknown unit": (call(unit="cn/west"), "/unit", "unknown_unit"),
    "a unit of a wrong type": (call(unit=7), "/unit", "wrong_type"),
    "an id that is none": (call(id="7"), "/id", "wrong_format"),
    "an impossible day": (call(occurred_at="2026-02-30T09:30:00+08:00"), "/occurred_at", "time"),
    "a time without offset": (call(occurred_at="2026-03-01T09:30:00"), "/occurred_at", "time"),
    "a time ahead": (call(occurred_at="2026-03-01T12:06:00Z"), "/occurred_at", "time_ahead"),
    "a wrong sum": (order(net=1), "/data/net", "sum_mismatch"),
    "nested too deep": (call(attributes=json.loads(deep(40))), "/attributes" + "/a" * 15, "too_deep"),
    "a NUL": (call(agent="a\0b"), "/agent", "text"),
    "an empty batch": ({"touchpoints": []}, "/touchpoints", "out_of_range"),
    "a batch that is no list": ({"touchpoints": {}}, "/touchpoints", "wrong_type"),
    "a batch with something beside it": ({"touchpoints": [call()], "x": 1}, "/touchpoints", "wrong_type"),
}

LARGE = call(attributes={str(n): "x" * 60_000 for n in range(MAX_TOUCHPOINT_BYTES // 60_000 + 1)})
OVER_A_LIMIT: dict[str, tuple[Any, str]] = {
    "one more than a batch": ({"touchpoints": [{}] * (MAX_BATCH + 1)}, "/touchpoints"),
    "a touchpoint over its limit": (LARGE, ""),
}


@pytest.mark.parametrize(("body", "pointer", "code"), INVALID.values(), ids=INVALID.keys())
async def test_what_is_invalid_is_a_422_that_names_the_place(body: Any, pointer: str, code: str) -> None:
    edge = Edge()
    answer = await edge.report(json.dumps(body).encode())
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in answer.json()["errors"]}, answer.text
    assert not edge.broker.sent
    assert not edge.memory.ids


@pytest.mark.parametrize(("body", "pointer"), OVER_A_LIMIT.values(), ids=OVER_A_LIMIT.keys())
async def test_what_is_over_a_limit_is_a_413_that_names_the_place(body: Any, pointer: str) -> None:
    edge = Edge()
    answer = await edge.report(body)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [(pointer, "too_large")]
    assert not edge.broker.sent


async def test_a_touchpoint_over_its_limit_is_rejected_alone() -> None:
    edge = Edge()
    good = call()
    answer = await edge.report({"touchpoints": [LARGE, good]})
    assert (answer.status_code, answer.json()["accepted"]) == (202, [{"id": good["id"]}])
    assert answer.json()["rejected"][0]["problem"]["status"] == 413


async def test_a_body_over_the_limit_is_a_413() -> None:
    answer = await Edge().report(b'"' + b"x" * MAX_BATCH_BYTES + b'"')
    assert answer.status_code == 413


async def test_a_touchpoint_needs_an_id_or_the_request_a_key() -> None:
    edge = Edge()
    nameless = {name: value for name, value in call().items() if name != "id"}
    refused = await edge.report(nameless)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/id-required")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/id"]
    first = (await edge.report({"touchpoints": [nameless, nameless]}, idempotency_key="k-1")).json()["accepted"]
    again = (await edge.report({"touchpoints": [nameless, nameless]}, idempotency_key="k-1")).json()["accepted"]
    assert first == again
    assert first[0] != first[1]
    other_key = Edge(caller=Caller(str(KEY_ID).replace("01", "02"), scopes=frozenset({"*"})))
    assert (await other_key.report(nameless, idempotency_key="k-1")).json()["accepted"] != first[:1]


async def test_good_neighbours_of_bad_touchpoints_are_accepted() -> None:
    edge = Edge()
    good = [call() for _ in range(3)]
    answer = await edge.report({"touchpoints": [good[0], call(unit="nowhere"), good[1], 7, good[2]]})
    assert answer.status_code == 202
    body = answer.json()
    assert [item["id"] for item in body["accepted"]] == [item["id"] for item in good]
    assert [(item["index"], item["problem"]["errors"][0]["pointer"]) for item in body["rejected"]] == [
        (1, "/unit"),
        (3, ""),
    ]
    assert [json.loads(message.value or b"")["id"] for message in edge.broker.sent] == [item["id"] for item in good]


async def test_a_batch_without_a_good_one_is_a_422_with_all_reasons() -> None:
    answer = await Edge().report({"touchpoints": [{}, call(unit="nowhere")]})
    assert answer.status_code == 422
    assert [item["index"] for item in answer.json()["rejected"]] == [0, 1]


@pytest.mark.parametrize(
    "wrong",
    [
        call(agent={"name": SECRET_TEXT}),
        call(identifiers=[{"type": "phone", "value": {"number": SECRET_TEXT}}]),
        call(identifiers=[{"type": SECRET_TEXT, "value": "1"}]),
        call(kind=SECRET_TEXT),
        call(unit=SECRET_TEXT),
        call(channel=SECRET_TEXT),
        call(occurred_at=SECRET_TEXT),
        call(data={"direction": SECRET_TEXT}),
        call(data={"direction": "inbound", "effort": {"talk_s": SECRET_TEXT}}),
        call(**{f"{SECRET_TEXT} <wang@example.com>": 1}),
        order(currency=SECRET_TEXT),
    ],
)
async def test_what_was_sent_is_not_echoed(wrong: dict[str, Any]) -> None:
    for body in (wrong, {"touchpoints": [wrong, call()]}):
        answer = await Edge().report(body)
        assert answer.status_code in (202, 422)
        assert SECRET_TEXT not in answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)
EDGE = Edge()
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(
    st.one_of(JSON, JSON.map(lambda inner: {"touchpoints": inner}), st.lists(JSON).map(lambda i: {"touchpoints": i}))
)
async def test_arbitrary_json_is_refused_with_a_problem(document: Any) -> None:
    answer = await EDGE.report(json.dumps(document).encode())
    assert answer.status_code in (400, 422), answer.text


@MANY
@given(st.binary(max_size=200))
async def test_arbitrary_bytes_are_refused_with_a_problem(body: bytes) -> None:
    assert (await EDGE.report(body)).status_code in (400, 422)


@MANY
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
async def test_a_good_touchpoint_with_one_arbitrary_value_never_breaks_the_edge(kind: str, data: st.DataObject) -> None:
    touchpoint = json.loads(json.dumps(EXAMPLES[kind]))
    where = touchpoint["data"] if data.draw(st.booleans()) and touchpoint["data"] else touchpoint
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(JSON)
    answer = await EDGE.report(json.dumps(touchpoint).encode())
    assert answer.status_code in (202, 400, 422), answer.text
