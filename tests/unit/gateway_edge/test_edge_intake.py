"""What the intake sends to Kafka, to whom it listens, and what it says became of a touchpoint."""

import json
from uuid import UUID, uuid4

from rapport_shared.callers import Caller
from rapport_shared.contracts.catalogue import INTAKE, TOUCHPOINT_REPORTED
from rapport_shared.errors import unavailable
from rapport_shared.intake_headers import signed_headers
from rapport_shared.normalisation import identifier_key
from tests.unit.gateway_edge.edge import KEY_ID, SECRET, Edge, call

WRITTEN_KEY = identifier_key(SECRET.encode(), "phone", "138 0013 8000")
PHONE_KEY = identifier_key(SECRET.encode(), "phone", "+8613800138000")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_touchpoint_becomes_a_cloud_event_in_binary_mode() -> None:
    edge = Edge()
    touchpoint = call()
    answer = await edge.report(touchpoint, traceparent=TRACE)
    accepted = {"accepted": [{"id": touchpoint["id"]}], "rejected": [], "warnings": []}
    assert (answer.status_code, answer.json()) == (202, accepted)
    [message] = edge.broker.sent
    signed = dict(signed_headers(SECRET.encode(), touchpoint["id"], message.value or b"", {"email", "phone"}, "CN"))
    assert (message.topic, message.key) == (INTAKE.name, WRITTEN_KEY.encode())
    assert json.loads(message.value or b"") == touchpoint
    assert {name: value.decode() for name, value in message.headers} == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": touchpoint["id"],
        "ce_source": "/rapport/gateway",
        "ce_type": TOUCHPOINT_REPORTED,
        "ce_subject": touchpoint["id"],
        "ce_time": "2026-03-01T01:30:00.000000Z",
        "rapport_mayverify": "email phone",
        "rapport_region": "CN",
        "rapport_signature": signed["rapport_signature"].decode(),
        "traceparent": TRACE,
    }
    assert list(edge.memory.ids) == [UUID(touchpoint["id"])]


async def test_a_trace_that_is_none_travels_no_further() -> None:
    edge = Edge()
    assert (await edge.report(call(), traceparent="wang@example.com")).status_code == 202
    assert "traceparent" not in dict(edge.broker.sent[0].headers)


async def test_who_cannot_be_routed_is_keyed_by_the_touchpoint() -> None:
    edge = Edge()
    touchpoint = call(identifiers=[{"type": "device", "value": "d-1"}])
    await edge.report(touchpoint)
    assert edge.broker.sent[0].key == touchpoint["id"].encode()


async def test_kafka_away_is_a_503() -> None:
    edge = Edge()
    edge.broker.away = unavailable("Kafka")
    for body in (call(), {"touchpoints": [call(), call(unit="nowhere")]}):
        answer = await edge.report(body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_key_reports_for_its_channel_and_its_unit_alone() -> None:
    limited = Caller(str(KEY_ID), channel="phone", scopes=frozenset({"touchpoints:write"}), unit="cn/east")
    edge = Edge(caller=limited)
    assert (await edge.report(call())).status_code == 202
    for wrong, pointer in ((call(channel="web"), "/channel"), (call(unit="cn/eastern/x"), "/unit")):
        answer = await edge.report(wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (403, pointer)
    batch = await edge.report({"touchpoints": [call(), call(channel="web")]})
    assert (batch.status_code, batch.json()["rejected"][0]["problem"]["status"]) == (202, 403)


async def test_what_a_key_of_a_unit_reports_without_one_is_of_its_unit() -> None:
    edge = Edge(caller=Caller(str(KEY_ID), scopes=frozenset({"touchpoints:write"}), unit="cn/east/shanghai"))
    named, silent, null = call(), call(unit=None), call(unit=None)
    del silent["unit"]
    assert (await edge.report({"touchpoints": [named, silent, null]})).status_code == 202
    assert [json.loads(message.value or b"")["unit"] for message in edge.broker.sent] == ["cn/east/shanghai"] * 3
    assert [dict(message.headers)["rapport_region"] for message in edge.broker.sent] == [b"CN"] * 3
    firm = Edge()
    assert (await firm.report(silent)).status_code == 202
    assert "unit" not in json.loads(firm.broker.sent[0].value or b"")


async def test_without_the_scope_nothing_is_taken() -> None:
    edge = Edge(caller=Caller(str(KEY_ID), scopes=frozenset({"touchpoints:read"})))
    answer = await edge.report(call())
    assert (answer.status_code, answer.json()["scope"]) == (403, "touchpoints:write")
    assert not edge.broker.sent


async def test_a_dry_run_says_whom_it_would_meet_and_sends_nothing() -> None:
    edge = Edge(customers={PHONE_KEY: (customer := uuid4())})
    unknown = call(identifiers=[{"type": "phone", "value": "138 0013 8001"}])
    nobody = call(identifiers=[])
    answer = await edge.report({"touchpoints": [call(), unknown, nobody, {}]}, "/v1/touchpoints?dry_run=true")
    assert answer.status_code == 200
    met, minted, anonymous, invalid = answer.json()["results"]
    assert (met["valid"], met["customer_id"], met["would_mint"]) == (True, str(customer), False)
    assert (minted["customer_id"], minted["would_mint"]) == (None, True)
    assert (anonymous["customer_id"], anonymous["would_mint"]) == (None, False)
    assert (invalid["valid"], invalid["problem"]["status"]) == (False, 422)
    assert not edge.broker.sent
    assert not edge.memory.ids


async def test_after_a_202_the_status_is_never_a_404() -> None:
    edge = Edge()
    touchpoint = call()
    path = f"/v1/touchpoints/{touchpoint['id']}"
    assert (await edge.call("GET", path)).status_code == 404
    await edge.report(touchpoint)
    assert (await edge.call("GET", path)).json() == {"state": "accepted"}
    edge.outcomes.found[UUID(touchpoint["id"])] = {"state": "anonymous"}
    assert (await edge.call("GET", path)).json() == {"state": "anonymous"}


async def test_a_status_asks_for_an_id_and_a_bounded_wait() -> None:
    assert (await Edge().call("GET", "/v1/touchpoints/7")).status_code == 422
    assert (await Edge().call("GET", f"/v1/touchpoints/{uuid4()}?wait_ms=30001")).status_code == 422


async def test_the_identifier_that_names_one_person_most_decides() -> None:
    card = identifier_key(SECRET.encode(), "card", "4711")
    edge = Edge(customers={PHONE_KEY: uuid4(), card: (holder := uuid4())})
    touchpoint = call(identifiers=[{"type": "phone", "value": "138 0013 8000"}, {"type": "card", "value": "4711"}])
    await edge.report(touchpoint)
    assert edge.broker.sent[0].key == card.encode()
    answer = await edge.report(touchpoint, "/v1/touchpoints?dry_run=true")
    assert answer.json()["results"][0]["customer_id"] == str(holder)


async def test_another_body_under_a_known_id_or_key_is_refused_before_anything_is_sent() -> None:
    edge = Edge()
    first = call()
    keyed = {name: value for name, value in first.items() if name != "id"}
    for body, headers in ((first, {}), (keyed, {"Idempotency_Key": "a"})):
        accepted = await edge.report(body, **headers)
        assert accepted.status_code == 202, accepted.text
        edge.memory.recent |= edge.memory.ids
        sent = len(edge.broker.sent)
        answer = await edge.report({**body, "data": {"direction": "outbound"}}, **headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")
        assert answer.json()["errors"][0]["pointer"] == "/id"
        assert len(edge.broker.sent) == sent
        assert (await edge.report(body, **headers)).status_code == 202


async def test_a_repeat_may_differ_in_when_it_is_sent() -> None:
    edge = Edge()
    first = call(sent_at="2026-03-01T09:31:00+08:00")
    for repeat in (first, first | {"sent_at": "2026-03-01T09:40:00+08:00", "occurred_at": "2026-03-01T09:29:58+08:00"}):
        assert (await edge.report(repeat)).status_code == 202
        edge.memory.recent |= edge.memory.ids


async def test_of_a_batch_only_what_reuses_an_id_is_rejected() -> None:
    edge = Edge()
    first, other = call(), call()
    await edge.report(first)
    changed = {**first, "data": {"direction": "outbound"}}
    answer = await edge.report({"touchpoints": [other, changed, first]})
    assert (answer.status_code, [one["index"] for one in answer.json()["rejected"]]) == (202, [1])
    assert [one["id"] for one in answer.json()["accepted"]] == [other["id"], first["id"]]
    all_reused = await edge.report({"touchpoints": [changed]})
    assert (all_reused.status_code, all_reused.json()["rejected"][0]["problem"]["status"]) == (422, 422)


async def test_a_dry_run_says_that_an_id_is_reused() -> None:
    edge = Edge()
    first = call()
    await edge.report(first)
    answer = await edge.report({**first, "data": {"direction": "outbound"}}, "/v1/touchpoints?dry_run=true")
    [verdict] = answer.json()["results"]
    assert (verdict["valid"], verdict["problem"]["type"]) == (False, "/problems/idempotency-key-reused")
