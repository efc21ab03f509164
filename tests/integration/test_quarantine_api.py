"""The quarantine on a real database: what is mended is recorded once, as if it had arrived so; nothing else changes."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from rapport_interaction import store
from tests.support.infrastructure import Databases
from tests.support.interaction_service import Desk, desk_of, touchpoint

PERSONAL = "王小明-4711"
PHONE = {"type": "phone", "value": "138 0013 8000"}
UNIT = "cn/east/suzhou"


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with desk_of(databases) as desk:
        yield desk


async def one(desk: Desk, **query: Any) -> dict[str, Any]:
    (item,) = await desk.quarantined(**query)
    return item


async def state_of(desk: Desk) -> list[Any]:
    """Everything that a command may change."""
    return [
        [tuple(row) for row in await desk.database.fetch(f"SELECT * FROM {table} ORDER BY 1")]
        for table in ("quarantine", "touchpoint", "event_log", "outbox", "route", "interaction")
    ]


async def test_a_touchpoint_of_a_new_unit_is_recorded_as_it_is(desk: Desk) -> None:
    stray = touchpoint(unit=UNIT, identifiers=[PHONE])
    await desk.arrive(stray)
    item = await one(desk)
    assert (item["reason"], item["kind"], item["channel"], item["source"]) == (
        "unknown_unit",
        "call.ended",
        "phone",
        None,
    )
    path = f"/v1/quarantine/{item['quarantine_id']}"
    dry = (await desk.call("POST", f"{path}/replay", 200, json={"dry_run": True})).json()
    assert (dry["would_record"], [error["pointer"] for error in dry["errors"]]) == (False, ["/unit"])
    refused = (await desk.call("POST", f"{path}/replay", 422)).json()
    assert [error["code"] for error in refused["errors"]] == ["unknown_unit"]
    await desk.unit(UNIT)
    before = await state_of(desk)
    assert (await desk.call("POST", f"{path}/replay", 200, json={"dry_run": True})).json()["would_record"]
    assert await state_of(desk) == before
    done = await desk.call("POST", f"{path}/replay", 200)
    assert (done.json()["state"], done.json()["touchpoint_id"]) == ("mended", stray["id"])
    (mended,) = await desk.events("interaction.quarantine_mended")
    assert done.headers["rapport-event-id"].split(",") == [stray["id"], mended["id"]]
    assert (mended["sequence"], mended["key"]) == (2, item["quarantine_id"])
    recorded = (await desk.standing())[stray["id"]]
    assert recorded["identifiers"][0]["normal"] == "+8613800138000", "the region is the unit's"
    assert await desk.quarantined() == []
    assert (await one(desk, state="mended"))["settled_at"] is not None


async def test_what_is_mended_equals_a_clean_run_in_whatever_order(databases: Databases) -> None:
    source = {"system": "erp-east", "record": "C-1"}
    right = [
        touchpoint(unit=UNIT, identifiers=[PHONE], conversation="c-1"),
        touchpoint(unit=UNIT, conversation="c-1", channel="phone", kind="call.answered"),
        touchpoint(source=source, identifiers=[{"type": "email", "value": "a@example.com"}]),
        touchpoint(
            channel="web", kind="web.visited", data={"page": "/"}, identifiers=[{"type": "device", "value": "d"}]
        ),
    ]
    async with desk_of(databases) as clean, desk_of(databases) as desk:
        for each in (clean, desk):
            await each.unit(UNIT)
        for body in right:
            await clean.arrive(body)
        for body in right:
            await desk.arrive({**body, "occurred_at": "yesterday"})
        items = await desk.quarantined()
        assert {item["reason"] for item in items} == {"time"}
        patch = [{"op": "replace", "path": "/occurred_at", "value": right[0]["occurred_at"]}]
        seed = random.SystemRandom().randrange(2**32)
        print(f"seed {seed}")
        random.Random(seed).shuffle(items)
        for item in items:
            await desk.call("POST", f"/v1/quarantine/{item['quarantine_id']}/fix", 200, json={"patch": patch})

        def said(data: dict[str, Any]) -> dict[str, Any]:
            # who came first decides how a profile was found, not which it is
            return {name: value for name, value in data.items() if name not in ("attribution", "recording")}

        expected = {id_: said(data) for id_, data in (await clean.standing()).items()}
        assert {id_: said(data) for id_, data in (await desk.standing()).items()} == expected


async def test_a_patch_says_what_is_still_wrong_until_nothing_is(desk: Desk) -> None:
    wrong = touchpoint(kind="call.imagined", occurred_at="yesterday", data={"text": PERSONAL, "direction": "sideways"})
    await desk.arrive(wrong)
    item = await one(desk)
    path = f"/v1/quarantine/{item['quarantine_id']}/fix"
    patch = [{"op": "replace", "path": "/kind", "value": "call.ended"}]
    dry = await desk.call("POST", path, 200, json={"patch": patch, "dry_run": True})
    assert [error["pointer"] for error in dry.json()["errors"]] == ["/occurred_at", "/data/direction"]
    refused = await desk.call("POST", path, 422, json={"patch": patch})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/occurred_at", "/data/direction"]
    assert PERSONAL not in dry.text + refused.text
    patch += [
        {"op": "replace", "path": "/occurred_at", "value": "2026-03-01T09:00:00Z"},
        {"op": "replace", "path": "/data/direction", "value": "inbound"},
    ]
    done = (await desk.call("POST", path, 200, json={"patch": patch})).json()
    assert (done["state"], done["touchpoint_id"], done["profile_id"]) == ("mended", wrong["id"], None)
    assert list(await desk.standing()) == [wrong["id"]]


BAD_PATCHES: list[tuple[str, Any, str, str]] = [
    ("no operation", [{"op": "append", "path": "/data", "value": 1}], "/patch/0/op", "not_allowed"),
    ("no path", [{"op": "remove"}], "/patch/0/path", "missing"),
    ("no value", [{"op": "add", "path": "/data"}], "/patch/0/value", "missing"),
    ("no pointer", [{"op": "remove", "path": "data"}], "/patch/0/path", "wrong_format"),
    ("a path that is a number", [{"op": "remove", "path": 7}], "/patch/0/path", "wrong_format"),
    ("no such place", [{"op": "replace", "path": "/nowhere", "value": 1}], "/patch/0/path", "no_such_place"),
    ("no such parent", [{"op": "add", "path": "/no/where", "value": 1}], "/patch/0/path", "no_such_place"),
    (
        "a test that fails",
        [{"op": "test", "path": "/kind", "value": PERSONAL}, {"op": "remove", "path": "/unit"}],
        "/patch/0",
        "test_failed",
    ),
    ("the id", [{"op": "replace", "path": "/id", "value": str(uuid4())}], "/patch/0/path", "not_allowed"),
    ("the id, moved", [{"op": "move", "from": "/id", "path": "/data/id"}], "/patch/0/from", "not_allowed"),
    ("another id in a new body", [{"op": "replace", "path": "", "value": touchpoint()}], "/patch", "not_allowed"),
    ("a limit", [{"op": "add", "path": "/data/subject", "value": "x" * 70_000}], "/data/subject", "too_large"),
    (
        "a bomb",
        [{"op": "copy", "from": "/data", "path": f"/data/{n}"} for n in range(60)],
        "/patch/",
        "too_",
    ),
    ("many", [{"op": "test", "path": "/kind", "value": "x"}] * 101, "/patch", "too_long"),
    (
        "nested",
        [{"op": "add", "path": "/data/subject", "value": json.loads("[" * 90 + "]" * 90)}],
        "/data/subject",
        "too_deep",
    ),
    (
        "huge",
        [{"op": "add", "path": "/attributes", "value": {str(n): "x" * 60_000 for n in range(5)}}],
        "",
        "too_large",
    ),
]


@pytest.mark.parametrize(("name", "patch", "pointer", "code"), BAD_PATCHES, ids=[case[0] for case in BAD_PATCHES])
async def test_a_bad_patch_changes_nothing(desk: Desk, name: str, patch: Any, pointer: str, code: str) -> None:
    await desk.arrive(touchpoint(unit=UNIT, data={"direction": "inbound", "notes": PERSONAL}))
    await desk.unit(UNIT)
    item = await one(desk)
    before = await state_of(desk)
    answer = await desk.call("POST", f"/v1/quarantine/{item['quarantine_id']}/fix", 422, json={"patch": patch})
    (error, *_) = answer.json()["errors"]
    assert error["pointer"].startswith(pointer)
    assert error["code"].startswith(code), error
    assert PERSONAL not in answer.text
    assert await state_of(desk) == before
    many = await desk.client.post("/v1/quarantine/replay", json={"patch": patch})
    assert many.status_code == 422 or many.json()["wrong"][0]["errors"][0] == error
    assert await state_of(desk) == before


@pytest.mark.parametrize("body", [{"patch": []}, {"patch": {"op": "remove"}}, {}, {"patch": [1]}, {"surprise": 1}])
async def test_what_is_no_patch_is_refused(desk: Desk, body: Any) -> None:
    await desk.call("POST", f"/v1/quarantine/{uuid4()}/fix", 422, json=body)


async def test_what_was_no_json_is_written_anew(desk: Desk) -> None:
    await desk.arrive(b"\xff{ " + PERSONAL.encode())
    item = await one(desk)
    path = f"/v1/quarantine/{item['quarantine_id']}"
    shown = (await desk.call("GET", path, 200)).json()
    assert (shown["body"], PERSONAL in shown["body_text"]) == (None, True)
    assert (await desk.call("POST", f"{path}/replay", 422)).json()["errors"][0]["code"] == "not_json"
    body = touchpoint()
    del body["id"]
    patch = [{"op": "replace", "path": "", "value": body}]
    done = (await desk.call("POST", f"{path}/fix", 200, json={"patch": patch})).json()
    assert done["touchpoint_id"] == item["quarantine_id"], "there is no other id for it"
    assert list(await desk.standing()) == [item["quarantine_id"]]


async def test_a_record_of_an_unknown_type_is_mended_by_its_body_alone(desk: Desk) -> None:
    body = touchpoint()
    await desk.arrive(body, headers={"ce_type": "something.else"})
    item = await one(desk)
    assert (item["reason"], item["touchpoint_id"]) == ("unknown_type", body["id"])
    await desk.call("POST", f"/v1/quarantine/{item['quarantine_id']}/replay", 200)
    assert list(await desk.standing()) == [body["id"]]


async def test_a_conflict_is_recorded_under_its_own_id_beside_the_first(desk: Desk) -> None:
    first = touchpoint(identifiers=[PHONE | {"region": "CN", "verified": True}])
    other = {**first, "data": {"direction": "outbound"}}
    await desk.arrive_by_gateway(first, other, may_verify={"phone"})
    item = await one(desk)
    assert (item["reason"], item["conflict_of"]) == ("id_conflict", first["id"])
    path = f"/v1/quarantine/{item['quarantine_id']}"
    done = (await desk.call("POST", f"{path}/replay", 200)).json()
    assert done["touchpoint_id"] == item["touchpoint_id"] != first["id"]
    standing = await desk.standing()
    assert standing[done["touchpoint_id"]]["touchpoint"] == {**other, "id": done["touchpoint_id"]}
    assert standing[done["touchpoint_id"]]["identifiers"][0]["verified"], "the gateway's headers count still"
    before = await state_of(desk)
    await desk.arrive_by_gateway(other, first, may_verify={"phone"})
    assert await state_of(desk) == before, "repeats of both change nothing"


async def test_a_repeat_of_what_was_mended_is_a_repeat(desk: Desk) -> None:
    stray, torn = touchpoint(unit="cn/nowhere"), touchpoint(kind="call.imagined")
    await desk.arrive(stray, torn)
    fixes = {
        stray["id"]: [{"op": "remove", "path": "/unit"}],
        torn["id"]: [{"op": "replace", "path": "/kind", "value": "call.ended"}],
    }
    for item in await desk.quarantined():
        body = {"patch": fixes[item["touchpoint_id"]]}
        await desk.call("POST", f"/v1/quarantine/{item['quarantine_id']}/fix", 200, json=body)
    before = await state_of(desk)
    await desk.unit("cn/nowhere")
    await desk.arrive(stray, torn)
    await desk.arrive(torn, stray)
    assert await state_of(desk) == before


async def test_fixed_and_replayed_many_times_at_once_it_is_recorded_once(desk: Desk) -> None:
    stray = touchpoint(unit=UNIT)
    await desk.arrive(stray)
    await desk.unit(UNIT)
    path = f"/v1/quarantine/{(await one(desk))['quarantine_id']}"
    patch = {"patch": [{"op": "test", "path": "/unit", "value": UNIT}]}
    await asyncio.gather(
        *(desk.call("POST", f"{path}/replay", 200) for _ in range(5)),
        *(desk.call("POST", f"{path}/fix", 200, json=patch) for _ in range(5)),
        *(desk.call("POST", "/v1/quarantine/replay", 200, json={}) for _ in range(3)),
    )
    assert sorted(event["type"] for event in await desk.events()) == [
        "interaction.quarantine_mended",
        "interaction.quarantined",
        "interaction.recorded",
    ]
    other = {"patch": [{"op": "replace", "path": "/data/direction", "value": "outbound"}]}
    await desk.call("POST", f"{path}/fix", 409, json=other)
    await desk.call("POST", f"{path}/dismiss", 409, json={"reason": "test"})


async def test_mended_while_the_channel_reports_it_anew_it_is_recorded_once(desk: Desk) -> None:
    await desk.unit(UNIT)
    for _ in range(10):
        wrong = touchpoint(unit=UNIT, occurred_at="yesterday")
        right = {**wrong, "occurred_at": "2026-03-01T09:30:00+08:00"}
        await desk.arrive(wrong)
        item = await one(desk)
        fix = {"patch": [{"op": "replace", "path": "/occurred_at", "value": right["occurred_at"]}]}
        path = f"/v1/quarantine/{item['quarantine_id']}/fix"

        async def report(body: dict[str, Any] = right) -> None:
            try:
                await desk.arrive(body)
            except Exception:  # the consumer takes what the database refused once more, one by one
                await desk.arrive(body)

        await asyncio.gather(desk.call("POST", path, 200, json=fix), report())
        assert await desk.quarantined() == []
    assert len(await desk.standing()) == 10


async def test_what_is_dismissed_stays_dismissed(desk: Desk) -> None:
    await desk.arrive(b'{"id": 1}')
    item = await one(desk)
    path = f"/v1/quarantine/{item['quarantine_id']}"
    await desk.call("POST", f"{path}/dismiss", 422, json={"reason": PERSONAL})
    done = await desk.call("POST", f"{path}/dismiss", 200, json={"reason": "unusable"})
    (event,) = await desk.events("interaction.quarantine_dismissed")
    assert done.headers["rapport-event-id"] == event["id"]
    assert (event["data"]["reason"], event["data"]["decided_by"]) == ("unusable", "desk-1")
    before = await state_of(desk)
    again = await desk.call("POST", f"{path}/dismiss", 200, json={"reason": "unusable"})
    assert "rapport-event-id" not in again.headers
    await desk.call("POST", f"{path}/replay", 409)
    assert await state_of(desk) == before
    assert await store.count_quarantined(desk.database) == 0
    assert (await one(desk, state="dismissed"))["dismissal"] == "unusable"
    await desk.call("POST", f"/v1/quarantine/{uuid4()}/dismiss", 404, json={"reason": "unusable"})


async def test_a_touchpoint_from_ahead_is_recorded_when_its_time_has_come(desk: Desk) -> None:
    early = touchpoint(occurred_at=(desk.time.now + timedelta(minutes=9)).isoformat())
    await desk.arrive(early)
    path = f"/v1/quarantine/{(await one(desk))['quarantine_id']}/replay"
    assert (await desk.call("POST", path, 422)).json()["errors"][0]["code"] == "time_ahead"
    desk.later(seconds=30)
    assert (await desk.call("POST", path, 422)).json()["errors"][0]["pointer"] == "/occurred_at"
    desk.later(minutes=4)
    await desk.call("POST", path, 200)
    (recorded,) = await desk.events("interaction.recorded")
    assert recorded["id"] == early["id"]


async def test_many_are_replayed_by_rule_a_batch_at_a_time(desk: Desk) -> None:
    erp = [touchpoint(unit=UNIT, channel="erp", source={"system": "erp-east"}) for _ in range(7)]
    others = [touchpoint(unit="cn/west", channel="web", kind="web.visited", data={"page": "/"}) for _ in range(3)]
    for body in (*erp, *others):
        await desk.arrive(body)
        desk.later(seconds=1)
    rule = {"reason": "unknown_unit", "channel": "erp", "source": "erp-east", "limit": 3}
    first = (await desk.call("POST", "/v1/quarantine/replay", 200, json=rule | {"dry_run": True})).json()
    assert (first["matching"], first["examined"], first["recorded"], len(first["wrong"])) == (7, 3, 0, 3)
    await desk.unit(UNIT)
    for dry_run in (True, False):
        matching: list[int] = []
        recorded, cursor = 0, None
        while cursor is not None or not matching:
            body = rule | {"dry_run": dry_run} | ({"cursor": cursor} if cursor else {})
            done = (await desk.call("POST", "/v1/quarantine/replay", 200, json=body)).json()
            matching.append(done["matching"])
            recorded += done["recorded"]
            cursor = done["next_cursor"]
        assert (matching, recorded) == ([7, 4, 1], 7)
        assert len(await desk.standing()) == (0 if dry_run else 7)
    assert {item["touchpoint_id"] for item in await desk.quarantined()} == {body["id"] for body in others}
    patch = [{"op": "test", "path": "/kind", "value": "web.visited"}, {"op": "replace", "path": "/unit", "value": UNIT}]
    done = (await desk.call("POST", "/v1/quarantine/replay", 200, json={"patch": patch, "kind": "web.visited"})).json()
    assert (done["matching"], done["recorded"], done["next_cursor"]) == (3, 3, None)
    assert len(await desk.standing()) == 10
    nothing = (await desk.call("POST", "/v1/quarantine/replay", 200, json={})).json()
    assert (nothing["matching"], nothing["examined"]) == (0, 0)


async def test_a_patch_of_many_is_applied_to_each_anew(desk: Desk) -> None:
    bodies = [touchpoint(unit=UNIT) for _ in range(3)]
    await desk.arrive(*bodies)
    await desk.unit(UNIT)
    patch = [
        {"op": "add", "path": "/attributes", "value": {"mended": []}},
        {"op": "add", "path": "/attributes/mended/-", "value": 1},
    ]
    await desk.call("POST", "/v1/quarantine/replay", 200, json={"patch": patch})
    for recorded in (await desk.standing()).values():
        assert recorded["touchpoint"]["attributes"] == {"mended": [1]}


async def test_a_unit_that_a_patch_names_is_looked_at_though_the_gateway_had_checked_another(desk: Desk) -> None:
    first = touchpoint(unit=UNIT, identifiers=[PHONE])
    await desk.arrive_by_gateway(first, {**first, "data": {"direction": "outbound"}}, region="CN")
    path = f"/v1/quarantine/{(await one(desk))['quarantine_id']}/fix"
    body = {"patch": [{"op": "replace", "path": "/unit", "value": "de/berlin"}]}
    assert (await desk.call("POST", path, 422, json=body)).json()["errors"][0]["code"] == "unknown_unit"
    await desk.unit("de/berlin", "DE")
    done = (await desk.call("POST", path, 200, json=body)).json()
    identifier = (await desk.standing())[done["touchpoint_id"]]["identifiers"][0]
    assert identifier["normal"] == "+4913800138000", "its region is that of its unit now"


async def test_the_list_is_filtered_and_paged(desk: Desk) -> None:
    for number in range(4):
        await desk.arrive(touchpoint(unit=UNIT, channel="phone" if number % 2 else "erp", source={"system": "s-1"}))
        desk.later(hours=1)
    await desk.arrive(touchpoint(kind="call.imagined"), touchpoint(kind=PERSONAL, channel=PERSONAL))
    assert len(await desk.quarantined(reason="unknown_unit")) == 4
    assert len(await desk.quarantined(channel="erp")) == 2
    assert len(await desk.quarantined(source="s-1", kind="call.ended")) == 4
    times = {"from": "2026-03-01T13:00:00Z", "to": "2026-03-01T15:00:00Z"}
    assert len(await desk.quarantined(**times)) == 2
    names = {(item["kind"], item["channel"]) for item in await desk.quarantined(reason="unknown_kind")}
    assert names == {("call.imagined", "phone"), (None, None)}, "what is no name may be personal"
    seen: list[str] = []
    cursor = None
    while cursor is not None or not seen:
        query = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        page = (await desk.call("GET", "/v1/quarantine", 200, params=query)).json()
        seen += [item["quarantine_id"] for item in page["quarantined"]]
        cursor = page["next_cursor"]
    assert (len(seen), len(set(seen))) == (6, 6)
    for cursor in ("nonsense", "WzEsIDJd", "WyJ4IiwgInkiXQ"):
        await desk.call("GET", f"/v1/quarantine?cursor={cursor}", 422)
        await desk.call("POST", "/v1/quarantine/replay", 422, json={"cursor": cursor})


async def test_a_body_is_shown_to_whom_it_may_be_for_thirty_days(desk: Desk) -> None:
    wrong = touchpoint(occurred_at="yesterday", data={"direction": "inbound", "text": PERSONAL})
    await desk.arrive(wrong)
    item = await one(desk)
    path = f"/v1/quarantine/{item['quarantine_id']}"
    shown = await desk.call("GET", path, 200)
    assert (shown.json()["body"], shown.headers["cache-control"]) == (wrong, "no-store")
    reader = desk.as_caller("quarantine:read")
    hidden = await reader.call("GET", path, 200)
    assert PERSONAL not in hidden.text
    assert (hidden.json()["body"], hidden.json()["body_kept"]) == (None, True)
    await reader.call("POST", f"{path}/replay", 403)
    await desk.as_caller("quarantine:write").call("GET", path, 403)
    await desk.call("GET", f"/v1/quarantine/{uuid4()}", 404)
    assert all(PERSONAL not in json.dumps(event, ensure_ascii=False) for event in await desk.events())
    async with desk.database.transaction() as connection:
        await store.prune_quarantine(connection, desk.time() + timedelta(seconds=1))
    shown = await desk.call("GET", path, 200)
    assert (shown.json()["body_kept"], shown.json()["errors"][0]["pointer"]) == (False, "/occurred_at")
    assert (await desk.call("POST", f"{path}/replay", 422)).json()["errors"][0]["code"] == "gone"


async def test_an_idempotency_key_gets_the_first_answer(desk: Desk) -> None:
    await desk.arrive(touchpoint(unit=UNIT))
    await desk.unit(UNIT)
    path = f"/v1/quarantine/{(await one(desk))['quarantine_id']}/replay"
    first = await desk.call("POST", path, 200, headers={"Idempotency-Key": "k"})
    again = await desk.call("POST", path, 200, headers={"Idempotency-Key": "k"})
    assert (first.json(), first.headers["rapport-event-id"]) == (again.json(), again.headers["rapport-event-id"])


async def test_headers_of_before_are_kept_for_what_the_gateway_checked(desk: Desk) -> None:
    body = touchpoint(unit=UNIT, surprise=1)
    await desk.arrive_by_gateway(body)
    item = await one(desk)
    assert item["reason"] == "unknown_field", "of the gateway's, unknown fields are refused"
    path = f"/v1/quarantine/{item['quarantine_id']}/fix"
    await desk.call("POST", path, 200, json={"patch": [{"op": "remove", "path": "/surprise"}]})
    assert "surprise" not in (await desk.standing())[body["id"]]["touchpoint"]
