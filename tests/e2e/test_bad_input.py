"""Bad input gets a clear problem that names the place, never a 5xx, never the value; good neighbours are kept."""

import json
from typing import Any
from uuid import uuid4

import pytest

from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from tests.e2e.test_one_view import call, phone_number
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "Geheimnis-4711"


def wrong_sum() -> dict[str, Any]:
    order = json.loads(json.dumps(EXAMPLES["order.placed"]))
    order["id"] = str(uuid4())
    order.pop("unit", None)
    order["data"]["net"] += 1
    return dict(order)


CASES: list[tuple[str, Any, str, str]] = [
    ("unknown kind", {"kind": f"call.{SECRET}"}, "/kind", "unknown_kind"),
    ("unknown field", {"surprise": SECRET}, "/surprise", "unknown_field"),
    ("unknown unit", {"unit": f"no/such/{SECRET}"}, "/unit", "unknown_unit"),
    ("impossible time", {"occurred_at": "2026-13-45T00:00:00Z"}, "/occurred_at", "time"),
    ("time without offset", {"occurred_at": "2026-03-01T00:00:00"}, "/occurred_at", "time"),
    ("time ahead", {"occurred_at": "2099-01-01T00:00:00Z"}, "/occurred_at", "time_ahead"),
    ("wrong type", {"identifiers": SECRET}, "/identifiers", "wrong_type"),
    ("NUL in a text", {"data": {"text": f"{SECRET}\x00"}}, "/data/text", "text"),
]


@pytest.mark.parametrize(("name", "changes", "pointer", "code"), CASES, ids=[case[0] for case in CASES])
async def test_a_wrong_touchpoint_is_refused_with_its_place(
    caller: Caller, name: str, changes: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await caller.call("POST", "/v1/touchpoints", 422, json=call(phone_number(), **changes))
    assert answer.headers["content-type"] == "application/problem+json"
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in answer.json()["errors"]}
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"nul", b"[" * 20_000], ids=["empty", "cut", "bytes", "word", "deep"]
)
async def test_what_is_no_json_is_a_400(caller: Caller, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await caller.call("POST", "/v1/touchpoints", 400, content=body, headers=headers)
    assert answer.json()["type"] == "/problems/malformed"


async def test_a_deep_touchpoint_and_a_wrong_sum_are_refused(caller: Caller) -> None:
    deep: Any = SECRET
    for _ in range(40):
        deep = {"a": deep}
    answer = await caller.call("POST", "/v1/touchpoints", 422, json=call(phone_number(), attributes={"x": deep}))
    assert answer.json()["errors"][0]["code"] == "too_deep"
    answer = await caller.call("POST", "/v1/touchpoints", 422, json=wrong_sum())
    assert "sum_mismatch" in {error["code"] for error in answer.json()["errors"]}


async def test_limits_of_size(caller: Caller) -> None:
    many = {"touchpoints": [call(phone_number()) for _ in range(501)]}
    answer = await caller.call("POST", "/v1/touchpoints", 413, json=many)
    assert answer.json()["errors"][0]["pointer"] == "/touchpoints"
    long_text = call(phone_number(), data={"text": "x" * 70_000})
    await caller.call("POST", "/v1/touchpoints", 422, json=long_text)
    large = call(phone_number(), attributes={str(number): "x" * 60_000 for number in range(5)})
    answer = await caller.call("POST", "/v1/touchpoints", 413, json=large)
    page = (await caller.call("GET", answer.json()["type"], 200)).json()
    assert (page["code"], page["status"]) == ("too-large", 413)
    answer = await caller.call("POST", "/v1/touchpoints", 413, content=b" " * (6 * 1024 * 1024))
    assert answer.json()["type"] == "/problems/too-large"


async def test_of_a_half_bad_batch_the_good_half_is_kept(caller: Caller) -> None:
    number = phone_number()
    good, bad = call(number), call(number, kind="call.unheard")
    answer = await caller.call("POST", "/v1/touchpoints", 202, json={"touchpoints": [bad, good]})
    assert answer.json()["accepted"] == [{"id": good["id"]}]
    assert [line["index"] for line in answer.json()["rejected"]] == [0]
    assert (await caller.status(good["id"]))["state"] == "recorded"
    await caller.call("POST", "/v1/touchpoints", 422, json={"touchpoints": [bad]})


async def test_an_id_or_an_idempotency_key_is_required(caller: Caller) -> None:
    touchpoint = call(phone_number())
    del touchpoint["id"]
    answer = await caller.call("POST", "/v1/touchpoints", 422, json=touchpoint)
    assert answer.json()["type"] == "/problems/id-required"
    headers = {"Idempotency-Key": str(uuid4())}
    first = await caller.call("POST", "/v1/touchpoints", 202, json=touchpoint, headers=headers)
    second = await caller.call("POST", "/v1/touchpoints", 202, json=touchpoint, headers=headers)
    assert first.json() == second.json()


async def test_callers_without_key_scope_or_channel_are_refused(caller: Caller) -> None:
    answer = await caller.client.get("/v1/me", headers={"Authorization": "Bearer rk_wrong"})
    assert answer.status_code == 401
    body = {"name": "mail", "channel": "email", "scopes": ["touchpoints:write"]}
    key = (await caller.call("POST", "/v1/keys", 201, json=body)).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    await caller.call("GET", f"/v1/customers/{uuid4()}", 403, headers=headers)
    await caller.call("POST", "/v1/touchpoints", 403, json=call(phone_number()), headers=headers)
    keys = (await caller.call("GET", "/v1/keys", 200)).json()["keys"]
    key_id = next(line["key_id"] for line in keys if line["name"] == "mail")
    await caller.call("DELETE", f"/v1/keys/{key_id}", 200)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/customers/not-an-id", 422),
        ("GET", "/v1/customers/00000000-0000-4000-8000-00000000dead", 404),
        ("GET", "/v1/touchpoints/00000000-0000-4000-8000-00000000dead", 404),
        ("GET", "/v1/customers/00000000-0000-4000-8000-00000000dead?after=x", 422),
        ("GET", "/v1/customers/00000000-0000-4000-8000-00000000dead?sections=nothing", 422),
        ("GET", "/v1/tickets?cursor=nonsense", 422),
        ("GET", "/nowhere", 404),
        ("PUT", "/v1/touchpoints", 405),
    ],
)
async def test_wrong_requests_are_problems(caller: Caller, method: str, path: str, expected: int) -> None:
    answer = await caller.call(method, path, expected)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == expected
