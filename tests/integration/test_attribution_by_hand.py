"""Attribution by hand on a real database: the anonymous find their customer, the wrongly attributed the right one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
import pytest_asyncio

from rapport_shared.contracts import catalogue, customer
from rapport_shared.normalisation import identifier_key
from tests.support.infrastructure import Databases
from tests.support.interaction_service import SECRET, Desk, desk_of, touchpoint

PERSONAL = "Geheimnis-4711"
PHONE = {"type": "phone", "value": "138 0013 8000", "region": "CN"}
VIN = "LSVAA49J132047371"


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with desk_of(databases) as desk:
        yield desk


async def anonymous(desk: Desk, **query: Any) -> list[dict[str, Any]]:
    page = await desk.call("GET", "/v1/interactions", 200, params={"attribution": "anonymous"} | query)
    return list(page.json()["interactions"])


async def attribute(desk: Desk, interaction_id: Any, expected: int, **body: Any) -> Any:
    path = f"/v1/interactions/{interaction_id}/attribute"
    return await desk.call("POST", path, expected, json={name: _text(value) for name, value in body.items()})


def _text(value: Any) -> Any:
    return [str(each) for each in value] if isinstance(value, list) else str(value)


async def delivered_to(desk: Desk, holder: UUID, sequence: int = 1) -> None:
    """The customer service tells who holds the car."""
    key = customer.AssetKey(type="serial", key=identifier_key(SECRET.encode(), "serial", VIN), normal=VIN)
    at = desk.time.now.replace(year=2025)
    holding = customer.AssetHolding(profile_id=holder, from_at=at, event_id=uuid4())
    asset = customer.AssetState(asset_id=UUID(int=7), keys=(key,), holdings=(holding,))
    await desk.hear(catalogue.ASSET_CHANGED, customer.AssetChanged(asset=asset, changed=()), sequence=sequence)


def serviced(**changes: Any) -> dict[str, Any]:
    return touchpoint(channel="erp", kind="asset.serviced", data={"serial": VIN, "work_order": "W-1"}, **changes)


async def test_the_anonymous_are_listed_and_one_is_attributed(desk: Desk) -> None:
    chat = {"channel": "chat", "kind": "chat.message"}
    withheld = touchpoint(occurred_at="2026-03-01T08:00:00Z", data={"direction": "inbound", "notes": PERSONAL})
    said = touchpoint(**chat, occurred_at="2026-03-01T09:00:00Z", data={"direction": "inbound", "text": PERSONAL})
    known = touchpoint(identifiers=[PHONE])
    await desk.arrive(withheld, said, known)
    listed = await anonymous(desk)
    assert [entry["touchpoint_id"] for entry in listed] == [said["id"], withheld["id"]]
    assert [entry["touchpoint"] for entry in listed] == [said, withheld]
    hidden = await anonymous(desk.as_caller("interactions:read"))
    assert [entry["touchpoint"] for entry in hidden] == [None, None]
    assert [entry["kind"] for entry in await anonymous(desk, channel="chat")] == ["chat.message"]
    assert len(await anonymous(desk, **{"from": "2026-03-01T08:00:00Z", "to": "2026-03-01T09:00:00Z"})) == 1
    page = (await desk.call("GET", "/v1/interactions?attribution=anonymous&limit=1", 200)).json()
    (rest,) = await anonymous(desk, cursor=page["next_cursor"])
    assert rest["touchpoint_id"] == withheld["id"]
    await desk.call("GET", "/v1/interactions", 422)
    await desk.call("GET", "/v1/interactions?attribution=anonymous&cursor=WzFd", 422)

    profile = await desk.profile()
    done = await attribute(desk, rest["interaction_id"], 200, customer_id=profile)
    assert (done.json()["changed"], done.json()["touchpoint_ids"]) == (True, [withheld["id"]])
    recorded = (await desk.standing())[withheld["id"]]
    assert (recorded["profile_id"], recorded["attribution"]["by"], recorded["recording"]) == (str(profile), "manual", 2)
    assert [entry["touchpoint_id"] for entry in await anonymous(desk)] == [said["id"]]
    (event,) = [e for e in await desk.events("interaction.recorded") if e["data"]["recording"] == 2]
    assert done.headers["rapport-event-id"] == event["id"]
    assert event["key"] == str(profile)


async def test_twice_at_once_and_again_it_is_attributed_once(desk: Desk) -> None:
    await desk.arrive(touchpoint())
    (entry,) = await anonymous(desk)
    profile = await desk.profile()
    answers = await asyncio.gather(
        *(attribute(desk, entry["interaction_id"], 200, profile_id=profile) for _ in range(5))
    )
    assert sorted(answer.json()["changed"] for answer in answers) == [False, False, False, False, True]
    there = answers[0].json()["interaction_ids"][0]
    before = await desk.events()
    for interaction_id in (entry["interaction_id"], there):
        answer = await attribute(desk, interaction_id, 200, profile_id=profile)
        assert not answer.json()["changed"]
        assert "rapport-event-id" not in answer.headers
    assert await desk.events() == before


async def test_a_conversation_goes_whole_and_what_comes_of_it_later_too(desk: Desk) -> None:
    entries = [touchpoint(conversation="c-1", occurred_at=f"2026-03-01T0{hour}:00:00Z") for hour in range(4)]
    for entry in entries[:3]:
        await desk.arrive(entry)
    listed = await anonymous(desk)
    assert len(listed) == 3
    profile = await desk.profile()
    done = (await attribute(desk, listed[0]["interaction_id"], 200, profile_id=profile)).json()
    assert set(done["touchpoint_ids"]) == {entry["id"] for entry in entries[:3]}
    assert len(done["interaction_ids"]) == 1
    await desk.arrive(entries[3])
    standing = await desk.standing()
    assert {data["profile_id"] for data in standing.values()} == {str(profile)}
    assert {data["interaction_id"] for data in standing.values()} == set(done["interaction_ids"])
    assert standing[entries[3]["id"]]["attribution"]["by"] == "conversation"


async def test_named_entries_alone_are_attributed(desk: Desk) -> None:
    entries = [touchpoint(conversation="c-1", identifiers=[PHONE]) for _ in range(3)]
    await desk.arrive(*entries)
    first = (await desk.standing())[entries[0]["id"]]
    right = await desk.profile()
    done = await attribute(
        desk, first["interaction_id"], 200, profile_id=right, touchpoint_ids=[entries[0]["id"], entries[2]["id"]]
    )
    assert len(done.headers["rapport-event-id"].split(",")) == 2, "one is taken away, one is brought"
    profiles = {id_: data["profile_id"] for id_, data in (await desk.standing()).items()}
    assert [profiles[entry["id"]] for entry in entries] == [str(right), first["profile_id"], str(right)]
    ended = await desk.events("interaction.retracted")
    assert {event["data"]["reason"] for event in ended} == {"wrong_attribution"}
    await desk.arrive(touchpoint(conversation="c-1", id=str(UUID(int=9))))
    assert (await desk.standing())[str(UUID(int=9))]["profile_id"] == first["profile_id"], "the conversation stays"


async def test_a_wrong_attribution_is_mended_and_may_be_mended_back(desk: Desk) -> None:
    call = touchpoint(identifiers=[PHONE], conversation="c-1")
    await desk.arrive(call)
    minted = (await desk.standing())[call["id"]]
    right = await desk.profile()
    await attribute(desk, minted["interaction_id"], 200, customer_id=right)
    moved = (await desk.standing())[call["id"]]
    assert (moved["profile_id"], moved["identifiers"]) == (str(right), []), "whoever called need not have the number"
    assert moved["touchpoint"] == call
    problem = await attribute(desk, minted["interaction_id"], 409, customer_id=await desk.profile())
    assert problem.json()["interaction_id"] == moved["interaction_id"], "it says where the entries are now"
    first = customer.ProfileState(profile_id=minted["profile_id"], registered=False, created_at=desk.time())
    told = customer.ProfileChanged(profile=first, changed=())
    await desk.hear(catalogue.PROFILE_CHANGED, told, UUID(minted["profile_id"]))
    await attribute(desk, moved["interaction_id"], 200, profile_id=minted["profile_id"])
    back = (await desk.standing())[call["id"]]
    assert (back["interaction_id"], back["recording"]) == (minted["interaction_id"], 3)
    await desk.arrive(call)
    assert len(await desk.events("interaction.recorded")) == 3, "a repeat is a repeat"
    await desk.arrive(touchpoint(identifiers=[PHONE], id=str(UUID(int=8))))
    assert (await desk.standing())[str(UUID(int=8))]["profile_id"] == minted["profile_id"], "the number's route stays"


async def test_what_is_found_by_itself_never_overrides_what_was_said_by_hand(desk: Desk) -> None:
    service, withdrawn, waiting = serviced(conversation="c-1"), serviced(), serviced()
    await desk.arrive(service, withdrawn, waiting)
    by_id = {entry["touchpoint_id"]: entry["interaction_id"] for entry in await anonymous(desk)}
    right, holder = await desk.profile(), await desk.profile()
    await attribute(desk, by_id[service["id"]], 200, profile_id=right)
    await desk.call("POST", f"/v1/touchpoints/{withdrawn['id']}/retractions", 201, json={"reason": "reported_in_error"})
    await delivered_to(desk, holder)
    await desk.arrive(touchpoint(channel="erp", conversation="c-1", identifiers=[PHONE]))
    assert (await desk.standing())[waiting["id"]]["profile_id"] == str(holder)
    await delivered_to(desk, other := await desk.profile(), sequence=2)
    standing = await desk.standing()
    assert standing[service["id"]]["profile_id"] == str(right)
    assert standing[waiting["id"]]["profile_id"] == str(other), "nobody said by hand whose this is"
    assert withdrawn["id"] not in standing
    assert await anonymous(desk) == []


async def test_an_asset_that_becomes_known_misses_nothing_that_is_being_recorded(desk: Desk) -> None:
    holder = await desk.profile()
    service = serviced()
    await desk.take([desk.record(orjson.dumps(service))], meanwhile=lambda: delivered_to(desk, holder))
    assert (await desk.standing())[service["id"]]["profile_id"] == str(holder)


async def test_attribution_by_hand_misses_nothing_that_is_being_recorded(desk: Desk) -> None:
    first, second = touchpoint(conversation="c-1"), touchpoint(conversation="c-1")
    await desk.arrive(first)
    (entry,) = await anonymous(desk)
    profile = await desk.profile()
    record = desk.record(orjson.dumps(second))
    await desk.take([record], meanwhile=lambda: attribute(desk, entry["interaction_id"], 200, profile_id=profile))
    assert {data["profile_id"] for data in (await desk.standing()).values()} == {str(profile)}


async def test_what_cannot_be_attributed_says_why(desk: Desk) -> None:
    await desk.arrive(touchpoint(), touchpoint(identifiers=[PHONE]))
    (entry,) = await anonymous(desk)
    known = next(data for data in (await desk.standing()).values() if data["profile_id"])
    profile = await desk.profile()
    here = entry["interaction_id"]
    await attribute(desk, uuid4(), 404, profile_id=profile)
    await attribute(desk, here, 404, profile_id=uuid4())
    await attribute(desk, here, 422)
    await attribute(desk, here, 422, profile_id=profile, customer_id=profile)
    await attribute(desk, here, 422, profile_id="nobody")
    await attribute(desk, here, 422, profile_id=profile, touchpoint_ids=[])
    wrong = await attribute(
        desk, here, 422, profile_id=profile, touchpoint_ids=[entry["touchpoint_id"], known["touchpoint_id"]]
    )
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/touchpoint_ids/1"]
    await desk.as_caller("interactions:read").call(
        "POST", f"/v1/interactions/{here}/attribute", 403, json={"profile_id": str(profile)}
    )
    path = f"/v1/touchpoints/{entry['touchpoint_id']}/retractions"
    await desk.call("POST", path, 201, json={"reason": "reported_in_error"})
    await attribute(desk, here, 409, profile_id=profile)
    await attribute(desk, here, 409, profile_id=profile, touchpoint_ids=[entry["touchpoint_id"]])
    assert await anonymous(desk) == []


@pytest.mark.parametrize("count", [300])
async def test_a_long_conversation_is_attributed_at_once(desk: Desk, count: int) -> None:
    await desk.arrive(*(touchpoint(conversation="long", channel="chat", kind="chat.message") for _ in range(count)))
    (entry, *_) = await anonymous(desk, limit=1)
    profile = await desk.profile()
    done = await attribute(desk, entry["interaction_id"], 200, profile_id=profile)
    assert len(done.json()["touchpoint_ids"]) == count
    assert len(done.headers["rapport-event-id"]) == 36, "a header is no place for hundreds of ids"
    sequences = [
        event["sequence"] for event in await desk.events("interaction.recorded") if event["data"]["recording"] == 2
    ]
    assert sorted(sequences) == list(range(1, count + 1))


async def test_what_an_asset_led_to_follows_when_its_holder_was_said_in_error(desk: Desk) -> None:
    wrong, right = await desk.profile(), await desk.profile()
    await delivered_to(desk, wrong, sequence=1)
    service = serviced()
    await desk.arrive(service)
    assert (await desk.standing())[service["id"]]["profile_id"] == str(wrong)
    key = customer.AssetKey(type="serial", key=identifier_key(SECRET.encode(), "serial", VIN), normal=VIN)
    nobody = customer.AssetState(asset_id=UUID(int=7), keys=(key,), former_holders=(wrong,))
    await desk.hear(catalogue.ASSET_CHANGED, customer.AssetChanged(asset=nobody, changed=()), sequence=2)
    assert (await desk.standing())[service["id"]]["attribution"]["by"] == "anonymous"
    await delivered_to(desk, right, sequence=3)
    recorded = (await desk.standing())[service["id"]]
    assert (recorded["profile_id"], recorded["recording"]) == (str(right), 3)
    before = await desk.events()
    await delivered_to(desk, right, sequence=4)
    assert await desk.events() == before
    await delivered_to(desk, wrong, sequence=5)
    assert (await desk.standing())[service["id"]]["profile_id"] == str(wrong)
