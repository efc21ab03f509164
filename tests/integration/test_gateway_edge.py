"""The gateway's edge on real Kafka and PostgreSQL: keys, accepted ids, and a producer that outlives its broker."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import Request

from deploy.local.infrastructure import Infrastructure
from rapport_gateway.access.credentials import Credentials
from rapport_gateway.access.store.keys import KeyGrant, KeyRevoked, create_key, new_key, revoke_key
from rapport_gateway.api import access, tokens
from rapport_gateway.intake.accepted import AcceptedIds
from rapport_gateway.intake.producer import IntakeProducer
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import INTAKE
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Database
from rapport_shared.errors import Problem
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.topics import administration, apply
from rapport_shared.migrations import migrate
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application
from rapport_shared.web.commands import CommandRunner
from tests.support.infrastructure import Databases

PATIENCE_MS = 2000


@dataclass
class Door:
    """The access routes on a database of their own."""

    database: Database
    client: httpx.AsyncClient

    async def grant(self, **changes: Any) -> str:
        grant: dict[str, Any] = {"name": "k", "channel": "*", "scopes": ["*"], **changes}
        key = new_key()
        async with self.database.transaction() as connection:
            await create_key(connection, key, KeyGrant(**grant), system_clock())
        return key

    async def call(self, key: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)


@asynccontextmanager
async def door_of(database: Database, *, demo_keys_allowed: bool = True) -> AsyncIterator[Door]:
    ring = Credentials(database, system_clock, demo_keys_allowed)
    app = make_application("edge", metrics=Metrics(), authenticate=ring.authenticate)
    runner = CommandRunner(database, OutboxSignal(), system_clock)
    app.include_router(access.router(database, runner, system_clock))
    app.include_router(tokens.router(runner, system_clock))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield Door(database, client)


@pytest_asyncio.fixture
async def tables(databases: Databases) -> AsyncIterator[Database]:
    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_gateway", dsn)

    async with (
        databases.fresh(await databases.template("gateway", prepare)) as dsn,
        Database(dsn, size=4, application="test") as database,
    ):
        yield database


@pytest_asyncio.fixture
async def door(tables: Database) -> AsyncIterator[Door]:
    async with door_of(tables) as opened:
        yield opened


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(door: Door) -> None:
    keeper = await door.grant()
    body = {"name": "call centre", "channel": "phone", "scopes": ["touchpoints:write"], "may_verify": ["phone"]}
    made = await door.call(keeper, "POST", "/v1/keys", json=body, headers={"Idempotency-Key": "k"})
    assert made.status_code == 201
    key = made.json()["key"]
    again = await door.call(keeper, "POST", "/v1/keys", json=body, headers={"Idempotency-Key": "k"})
    assert again.json() == {"key_id": made.json()["key_id"]}
    me = (await door.call(key, "GET", "/v1/me")).json()
    assert (me["name"], me["channel"], me["scopes"]) == ("call centre", "phone", ["touchpoints:write"])
    listed = await door.call(keeper, "GET", "/v1/keys")
    assert key not in listed.text
    assert key[-4:] in {entry["ending"] for entry in listed.json()["keys"]}
    for table in ("api_key", "idempotent_answer"):
        rows = await door.database.fetch(f"SELECT t::text AS text FROM {table} t")
        assert not [row for row in rows if key in row["text"]]


async def test_who_has_no_key_in_force_is_a_401(door: Door) -> None:
    keeper, key = await door.grant(), new_key()
    assert (await door.client.get("/v1/me")).status_code == 401
    assert (await door.call(key, "GET", "/v1/me")).status_code == 401
    made = (await door.call(keeper, "POST", "/v1/keys", json={"name": "x", "channel": "*", "scopes": ["*"]})).json()
    assert (await door.call(keeper, "DELETE", f"/v1/keys/{made['key_id']}")).status_code == 200
    assert (await door.call(made["key"], "GET", "/v1/me")).status_code == 401
    assert (await door.call(keeper, "DELETE", f"/v1/keys/{uuid4()}")).status_code == 404


async def test_a_revoked_key_is_forgotten_after_two_seconds(tables: Database) -> None:
    now = system_clock()
    async with door_of(tables) as door:
        key = await door.grant()
        app_clock = [now]
        ring = Credentials(tables, lambda: app_clock[0], True)
        app = make_application("edge", metrics=Metrics(), authenticate=ring.authenticate)
        app.include_router(access.router(tables, CommandRunner(tables, OutboxSignal(), system_clock), system_clock))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.test") as client:
            headers = {"Authorization": f"Bearer {key}"}
            key_id = (await client.get("/v1/me", headers=headers)).json()["key_id"]
            async with tables.transaction() as connection:
                assert await revoke_key(connection, key_id, now)
            app_clock[0] = now + timedelta(seconds=3)
            assert (await client.get("/v1/me", headers=headers)).status_code == 401


async def test_a_token_is_narrower_than_its_key_and_ends_with_it(door: Door) -> None:
    keeper = await door.grant()
    body = {"scopes": ["customers:read"], "minutes": 5}
    made = await door.call(keeper, "POST", "/v1/tokens", json=body)
    assert made.status_code == 201
    token = made.json()["token"]
    me = (await door.call(token, "GET", "/v1/me")).json()
    assert me["scopes"] == ["customers:read"]
    assert (await door.call(token, "POST", "/v1/tokens", json=body)).status_code == 403
    kept = await door.database.fetch("SELECT t::text AS text FROM access_token t")
    assert not [row for row in kept if token in row["text"]]
    assert (await door.call(keeper, "DELETE", f"/v1/keys/{me['key_id']}")).status_code == 200
    async with door_of(door.database) as later:
        assert (await later.call(token, "GET", "/v1/me")).status_code == 401


async def test_a_revoked_or_expired_token_is_refused(door: Door) -> None:
    keeper, now = await door.grant(), [system_clock()]
    made = (await door.call(keeper, "POST", "/v1/tokens", json={"scopes": ["customers:read"], "minutes": 1})).json()
    other = (await door.call(keeper, "POST", "/v1/tokens", json={"scopes": ["customers:read"]})).json()
    assert (await door.call(keeper, "DELETE", f"/v1/tokens/{other['token_id']}")).status_code == 200
    assert (await door.call(keeper, "DELETE", f"/v1/tokens/{uuid4()}")).status_code == 404
    credentials = Credentials(door.database, lambda: now[0], demo_keys_allowed=True)
    with pytest.raises(Problem, match="not in force"):
        await credentials.authenticate(asked_with(other["token"]))
    caller = await credentials.authenticate(asked_with(made["token"]))
    assert caller.expires_at is not None
    now[0] = caller.expires_at
    with pytest.raises(Problem, match="expired"):
        await credentials.authenticate(asked_with(made["token"]))


def asked_with(credential: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", f"Bearer {credential}".encode())]})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scopes": ["customer:read"]}, 422),
        ({"scopes": ["*"]}, 422),
        ({"scopes": ["keys:write"]}, 422),
        ({"scopes": ["customers:read"], "minutes": 61}, 422),
        ({"scopes": ["customers:read", "tickets:read"], "customer_id": str(uuid4())}, 422),
        ({"scopes": ["customers:read"], "unit": "shops"}, 201),
    ],
    ids=["misspelt", "everything", "keys", "too-long", "more-than-one-customer", "a-unit"],
)
async def test_what_a_token_may_be(door: Door, body: dict[str, Any], status: int) -> None:
    keeper = await door.grant()
    assert (await door.call(keeper, "POST", "/v1/tokens", json=body)).status_code == status


async def test_production_refuses_demo_keys(tables: Database) -> None:
    async with door_of(tables) as local, door_of(tables, demo_keys_allowed=False) as production:
        key = await local.grant(demo=True)
        assert (await local.call(key, "GET", "/v1/me")).status_code == 200
        refused = await production.call(key, "GET", "/v1/me")
        assert refused.status_code == 401
        assert "demo" in refused.json()["detail"].lower()


@pytest.mark.parametrize(
    "wanted",
    [
        {"scopes": ["*"]},
        {"scopes": ["customers:*"]},
        {"channel": "*"},
        {"channel": "web"},
        {"unit": ""},
        {"unit": "cn/eastern"},
        {"may_verify": ["email"]},
    ],
)
async def test_a_key_cannot_grant_what_it_lacks(door: Door, wanted: dict[str, Any]) -> None:
    own = {"channel": "phone", "scopes": ["keys:write", "customers:read"], "unit": "cn/east", "may_verify": ["phone"]}
    keeper = await door.grant(**own)
    allowed = await door.call(keeper, "POST", "/v1/keys", json={**own, "name": "x", "unit": "cn/east/shanghai"})
    assert allowed.status_code == 201, allowed.text
    refused = await door.call(keeper, "POST", "/v1/keys", json={**own, "name": "x", **wanted})
    assert refused.status_code == 403, refused.text


async def test_a_keeper_of_a_unit_sees_and_revokes_its_keys_alone(door: Door) -> None:
    firm, keeper = await door.grant(), await door.grant(unit="cn/east", scopes=["keys:write"])
    inside, outside = await door.grant(unit="cn/east/shanghai"), await door.grant(unit="cn/eastern")
    listed = (await door.call(keeper, "GET", "/v1/keys")).json()["keys"]
    assert {entry["ending"] for entry in listed} == {keeper[-4:], inside[-4:]}
    ids = {entry["ending"]: entry["key_id"] for entry in (await door.call(firm, "GET", "/v1/keys")).json()["keys"]}
    assert (await door.call(keeper, "DELETE", f"/v1/keys/{ids[outside[-4:]]}")).status_code == 404
    assert (await door.call(keeper, "DELETE", f"/v1/keys/{ids[firm[-4:]]}")).status_code == 404
    assert (await door.call(keeper, "DELETE", f"/v1/keys/{ids[inside[-4:]]}")).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a\0b"},
        {"name": ""},
        {"channel": "a\0b"},
        {"channel": "Phone Line"},
        {"unit": "a\0b"},
        {"unit": "/cn/"},
        {"scopes": ["everything"]},
        {"scopes": []},
        {"may_verify": ["shoe size"]},
        {"extra": 1},
    ],
)
async def test_a_wrong_key_is_a_422(door: Door, wrong: dict[str, Any]) -> None:
    body = {"name": "x", "channel": "phone", "scopes": ["touchpoints:write"], **wrong}
    answer = await door.call(await door.grant(), "POST", "/v1/keys", json=body)
    assert answer.status_code == 422, answer.text
    assert f"/{next(iter(wrong))}" in answer.json()["errors"][0]["pointer"]


async def test_the_same_key_again_keeps_its_id_but_a_revoked_one_stays_revoked(tables: Database) -> None:
    key, now = new_key(), system_clock()
    async with tables.transaction() as connection:
        first = await create_key(connection, key, KeyGrant("a", "*", ["*"]), now)
        assert await create_key(connection, key, KeyGrant("b", "phone", ["units:read"]), now) == first
        await revoke_key(connection, first, now)
        with pytest.raises(KeyRevoked):
            await create_key(connection, key, KeyGrant("c", "*", ["*"]), now)


async def test_with_the_database_away_a_caller_gets_a_503() -> None:
    dsn = "postgresql://nobody:nothing@127.0.0.1:1/nowhere"
    async with Database(dsn, size=2, application="test") as database, door_of(database) as door:
        answer = await door.call(new_key(), "GET", "/v1/me")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            await AcceptedIds(database, system_clock).remember({0: (uuid4(), b"a")})


async def test_accepted_ids_of_many_requests_share_commits(tables: Database) -> None:
    accepted = AcceptedIds(tables, system_clock)
    ids = [uuid4() for _ in range(300)]
    await asyncio.gather(*(accepted.remember({0: (i, b"a"), 1: (ids[0], b"a")}) for i in ids))
    stored = await tables.fetch("SELECT touchpoint_id, xmin::text AS transaction FROM accepted_touchpoint")
    assert {row["touchpoint_id"] for row in stored} == set(ids)
    assert len({row["transaction"] for row in stored}) < 30


async def test_an_id_is_accepted_for_one_body_whoever_comes_first(tables: Database) -> None:
    here, there = AcceptedIds(tables, system_clock), AcceptedIds(tables, system_clock)
    id_, fresh = uuid4(), uuid4()
    one, other = {"x": (id_, b"a")}, {"x": (id_, b"b"), "y": (fresh, b"b")}
    answers = await asyncio.gather(here.remember(one), there.remember(other))
    assert sorted(map(len, answers)) == [0, 1], "one of the two bodies is the first"
    winner, loser = (one, other) if not answers[0] else (other, one)
    for ids in (here, there):
        assert await ids.look_up(winner) == await ids.remember(winner) == frozenset()
        assert await ids.look_up(loser) == await ids.remember(loser) == {"x"}
        assert not ids.reused(winner)
        assert ids.reused(loser) == {"x"}


async def test_of_ids_that_both_come_at_once_the_first_stands(tables: Database) -> None:
    accepted = AcceptedIds(tables, system_clock)
    id_ = uuid4()
    assert await accepted.remember({0: (id_, b"a"), 1: (id_, b"b")}) == {1}


async def test_an_id_of_before_bodies_were_kept_takes_the_next(tables: Database) -> None:
    id_ = uuid4()
    await tables.fetch("INSERT INTO accepted_touchpoint VALUES ($1, now()) RETURNING 1", id_)
    accepted = AcceptedIds(tables, system_clock)
    assert await accepted.look_up({0: (id_, b"a")}) == frozenset()
    assert await accepted.remember({0: (id_, b"a")}) == frozenset()
    assert await accepted.remember({0: (id_, b"b")}) == {0}


def message() -> Message:
    return Message(INTAKE.name, b"k", (("ce_id", str(uuid4()).encode()),), b"{}")


@asynccontextmanager
async def producing(servers: str) -> AsyncIterator[tuple[IntakeProducer, "asyncio.Task[None]"]]:
    producer = IntakeProducer(servers, PATIENCE_MS)
    role = asyncio.create_task(producer.run())
    try:
        yield producer, role
    finally:
        role.cancel()
        await asyncio.gather(role, return_exceptions=True)


async def until_sent(producer: IntakeProducer, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            await producer.send([message()])
            return
        except Problem:
            assert time.monotonic() < deadline, "the producer does not recover"
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("end", ["kill", "pause"])
async def test_a_broker_away_is_a_503_and_the_producer_recovers_by_itself(
    infrastructure: Infrastructure, end: str
) -> None:
    async with administration(infrastructure.kafka) as client:
        await apply(client, 3, 1)
    async with producing(infrastructure.kafka) as (producer, role):
        await until_sent(producer, 20)
        await (infrastructure.broker.kill() if end == "kill" else infrastructure.broker.pause())
        try:
            began = time.monotonic()
            refusals = await asyncio.gather(*(producer.send([message()]) for _ in range(20)), return_exceptions=True)
            assert time.monotonic() - began < PATIENCE_MS / 1000 + 1
            assert {str(refusal) for refusal in refusals} == {"Kafka is away."}
            # Longer than any flush waits: the role must outlive a broker that stays away.
            await asyncio.sleep(12)
            assert not role.done(), role
            with pytest.raises(Problem, match="Kafka is away"):
                await producer.send([message()])
        finally:
            await (infrastructure.broker.restart() if end == "kill" else infrastructure.broker.resume())
        await until_sent(producer, 10)
        assert not role.done()
