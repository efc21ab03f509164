"""The interaction service on a real database: what it reads is handed to its consumers, what it writes is read back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson

from rapport_interaction import consumers
from rapport_interaction.app import build
from rapport_interaction.domain.arrivals import read_arrival
from rapport_interaction.domain.readings import Normaliser
from rapport_interaction.settings import InteractionSettings
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.contracts import catalogue, customer
from rapport_shared.contracts.catalogue import GATEWAY_SOURCE, INTAKE, TOUCHPOINT_REPORTED, EventType
from rapport_shared.contracts.codec import Event, encode_event
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import new_id
from rapport_shared.database import Database
from rapport_shared.intake_headers import signed_headers
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_shared.policy_registers import FIELDS_PLACE, MATCHING_PLACE, policy_register
from rapport_shared.service import Service
from tests.support.conditions import until
from tests.support.infrastructure import Databases

__all__ = ["Desk", "desk_of", "touchpoint"]

SECRET = "s" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
ALL = frozenset({"interactions:*", "quarantine:*"})


@dataclass
class Time:
    """A clock that stands until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


def touchpoint(**changes: Any) -> dict[str, Any]:
    """A call of nobody known: without identifiers, for each test says whom it names."""
    return {
        "id": str(uuid4()),
        "channel": "phone",
        "kind": "call.ended",
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "data": {"direction": "inbound", "subject": "保养预约"},
        **changes,
    }


@dataclass
class Desk:
    """Somebody at the desk of the interaction service, and what Kafka brings it."""

    client: httpx.AsyncClient
    service: Service
    time: Time
    offsets: int = field(default=0)

    @property
    def database(self) -> Database:
        """The service's database."""
        return self.service.database

    async def call(self, method: str, path: str, expected: int, **options: Any) -> httpx.Response:
        """One request; fails the test with the answer when its status is another."""
        answer = await self.client.request(method, path, **options)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def record(
        self, value: bytes | None, *, source: str = "/connector", headers: dict[str, str] | None = None
    ) -> Record:
        """The next record of the intake topic."""
        self.offsets += 1
        named = {"ce_type": TOUCHPOINT_REPORTED, "ce_source": source} | (headers or {})
        return Record(Partition(INTAKE.name, 0), self.offsets, b"key", named, value, self.time())

    async def arrive(self, *bodies: Any, **options: Any) -> None:
        """Touchpoints (or bytes that are none) arrive in one batch."""
        values = [body if isinstance(body, bytes) else orjson.dumps(body) for body in bodies]
        await self.take([self.record(value, **options) for value in values])

    async def arrive_by_gateway(
        self, *bodies: Any, region: str | None = None, may_verify: Collection[str] = ()
    ) -> None:
        """Touchpoints arrive that the gateway has checked and signed."""
        records = []
        for body in bodies:
            value = orjson.dumps(body)
            signed = signed_headers(SECRET.encode(), body["id"], value, may_verify, region)
            headers = {"ce_id": body["id"]} | {name: text.decode() for name, text in signed}
            records.append(self.record(value, source=GATEWAY_SOURCE, headers=headers))
        await self.take(records)

    async def take(self, records: list[Record], meanwhile: Callable[[], Awaitable[Any]] | None = None) -> None:
        """The intake consumes records; before it commits, `meanwhile` has begun, and has ended or waits for it."""
        subscription = consumers.intake(Normaliser(SECRET.encode()), self.time, OutboxSignal())
        async with self.database.transaction() as connection:
            await subscription.apply(connection, [read_arrival(SECRET.encode(), record) for record in records])
            if meanwhile is None:
                return
            other = asyncio.ensure_future(meanwhile())

            async def ended_or_waits() -> bool:
                return other.done() or bool(await self.database.fetch_value(_WAITING))

            await until("somebody who waits for the intake", ended_or_waits)
        await other

    async def hear(self, event_type: EventType, data: Any, profile_id: UUID | None = None, sequence: int = 1) -> None:
        """The consumers of the customer service's events are told one."""
        now = self.time()
        envelope = Envelope(
            new_id(now), event_type.source, event_type.wire, "subject", now, now, sequence, profile_id=profile_id
        )
        message = encode_event(Event(envelope, event_type, data))
        headers = {name: value.decode() for name, value in message.headers}
        record = Record(Partition(message.topic, 0), 0, message.key, headers, message.value, now)
        subscriptions: tuple[Any, ...] = (
            consumers.registers(self.time, OutboxSignal()),
            consumers.profiles(),
            consumers.memberships(),
            policy_register(FIELDS_PLACE, MATCHING_PLACE),
        )
        for subscription in subscriptions:
            item = subscription.decode(record) if subscription.uses(record) else None
            if item is not None:
                async with self.database.transaction() as connection:
                    await subscription.apply(connection, [item])

    async def follow(self, *touchpoint_ids: str) -> None:
        """The service reads its own recordings of touchpoints, in the order given: of all where none is named."""
        subscription = consumers.evidence(SECRET.encode(), self.time, OutboxSignal())
        for record in await self._own_records(touchpoint_ids):
            item = subscription.decode(record) if subscription.uses(record) else None
            if item is not None:
                async with self.database.transaction() as connection:
                    await subscription.apply(connection, [item])

    async def _own_records(self, touchpoint_ids: Collection[str]) -> list[Record]:
        rows = await self.database.fetch(
            "SELECT topic, key, headers, value FROM event_log ORDER BY recorded_at, sequence"
        )
        records = [
            Record(Partition(row["topic"], 0), 0, row["key"], json.loads(row["headers"]), row["value"], self.time())
            for row in rows
        ]
        if not touchpoint_ids:
            return records
        named = {
            place: orjson.loads(record.value or b"{}").get("touchpoint_id") for place, record in enumerate(records)
        }
        return [records[place] for wanted in touchpoint_ids for place, found in named.items() if found == wanted]

    async def unit(self, path: str, region: str = "CN") -> None:
        """A unit is created."""
        state = customer.UnitState(path=path, name=path, time_zone="UTC", currency="CNY", phone_region=region)
        await self.hear(catalogue.UNIT_CHANGED, customer.UnitChanged(unit=state, changed=()))

    async def profile(self) -> UUID:
        """A profile is registered."""
        profile_id = uuid4()
        state = customer.ProfileState(profile_id=profile_id, registered=True, created_at=self.time())
        await self.hear(catalogue.PROFILE_CHANGED, customer.ProfileChanged(profile=state, changed=()), profile_id)
        return profile_id

    async def quarantined(self, **query: Any) -> list[dict[str, Any]]:
        """What is in quarantine, the latest first."""
        page = (await self.call("GET", "/v1/quarantine", 200, params=query)).json()
        return list(page["quarantined"])

    async def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """What the service has said so far, in order: type, id, sequence, key and data."""
        rows = await self.database.fetch(
            "SELECT event_id, type, aggregate, sequence, key, value FROM event_log ORDER BY recorded_at, sequence"
        )
        found = [
            {
                "type": row["type"].split(".", 2)[1] + "." + row["type"].split(".")[2],
                "id": str(row["event_id"]),
                "sequence": row["sequence"],
                "key": row["key"].decode(),
                "data": json.loads(row["value"]),
            }
            for row in rows
        ]
        return [event for event in found if name is None or event["type"] == name]

    async def standing(self) -> dict[str, dict[str, Any]]:
        """The recordings that count, by touchpoint."""
        ended = {event["data"]["event_id"] for event in await self.events("interaction.retracted")}
        recorded = [event for event in await self.events("interaction.recorded") if event["id"] not in ended]
        found = {event["data"]["touchpoint_id"]: event["data"] for event in recorded}
        assert len(found) == len(recorded), "a touchpoint counts twice"
        return found

    def as_caller(self, *scopes: str) -> Desk:
        """Somebody else at the desk."""
        return Desk(_client(self.service, frozenset(scopes), self.time), self.service, self.time)

    def later(self, **by: float) -> None:
        """Time goes on."""
        self.time.now += timedelta(**by)


def _client(service: Service, scopes: frozenset[str], time: Time) -> httpx.AsyncClient:
    tokens, caller = CallerTokens("t" * 32), Caller("desk-1", scopes=scopes)

    def signed(request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {tokens.sign(caller, time())}"
        return request

    return httpx.AsyncClient(
        transport=httpx.ASGITransport(service.api, raise_app_exceptions=False),
        base_url="http://interaction",
        auth=signed,
    )


@asynccontextmanager
async def desk_of(databases: Databases) -> AsyncIterator[Desk]:
    """A desk on a database of its own."""

    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_interaction", dsn)

    async with databases.fresh(await databases.template("interaction", prepare)) as dsn:
        time = Time()
        settings = InteractionSettings(
            kafka="127.0.0.1:1", database=dsn, token_secret="t" * 32, identifier_secret=SECRET, pool_size=12
        )
        service = build(settings, time)
        async with service.database, _client(service, ALL, time) as client:
            yield Desk(client, service, time)
