"""The customer service on a real database, told of touches as the interaction service publishes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from rapport_customer import consumers
from rapport_customer.app import build
from rapport_customer.commands.match_newcomers import match_batch
from rapport_customer.domain.profiles import Statement
from rapport_customer.settings import CustomerSettings
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import system_clock
from rapport_shared.contracts import catalogue
from rapport_shared.contracts.codec import Event, Message, encode_event
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import derived_id, first_touch_profile_id, new_id, source_profile_id
from rapport_shared.contracts.interaction import (
    Attribution,
    IdentifierType,
    InteractionRecorded,
    InteractionRetracted,
    RecordedAssetKey,
    RecordedIdentifier,
)
from rapport_shared.database import Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_shared.normalisation import identifier_key, normalise_identifier
from tests.support.infrastructure import Databases

SECRET = "s" * 32
BEGUN = datetime.fromisoformat("2026-03-01T00:00:00Z")


def caller_headers(unit: str = "") -> dict[str, str]:
    """The headers of a caller that may do everything, in one unit or in the whole firm."""
    may_verify = frozenset({"phone", "email"})
    known = Caller("desk-1", scopes=frozenset({"*"}), unit=unit, may_verify=may_verify)
    return {"Authorization": f"Bearer {CallerTokens('t' * 32).sign(known, system_clock())}"}


@dataclass
class CustomerDesk:
    """A client of the customer service, and what the interaction service tells it."""

    client: httpx.AsyncClient
    database: Database
    told: list[Message] = field(default_factory=list)

    async def call(self, method: str, path: str, expected: int, **options: Any) -> httpx.Response:
        """One request; fails the test with the answer when its status is another."""
        answer = await self.client.request(method, path, **options)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def register(self, **fields: Any) -> UUID:
        """Registers a customer by hand."""
        return UUID((await self.call("POST", "/v1/customers", 201, json=fields)).json()["customer_id"])

    async def report(
        self,
        system: str,
        record: str,
        data: dict[str, Any],
        identifiers: Sequence[dict[str, Any]] = (),
        day: int = 0,
        attributes: dict[str, Any] | None = None,
    ) -> UUID:
        """A source reports a profile; answers it."""
        profile_id = source_profile_id(system, record)
        source = {"system": system, "record": record}
        await self.touch(
            profile_id, "profile.reported", identifiers, data, source=source, day=day, attributes=attributes
        )
        return profile_id

    async def touch(
        self,
        profile_id: UUID,
        kind: str = "call.ended",
        identifiers: Sequence[dict[str, Any]] = (),
        data: dict[str, Any] | None = None,
        *,
        source: dict[str, str] | None = None,
        day: int = 0,
        attributes: dict[str, Any] | None = None,
        assets: Sequence[RecordedAssetKey] = (),
    ) -> UUID:
        """A touchpoint was recorded at a profile; answers the event."""
        at = BEGUN + timedelta(days=day)
        event_id = new_id(system_clock())
        body = {"id": str(event_id), "channel": "erp", "kind": kind, "source": source, "data": data or {}}
        body |= {"attributes": attributes} if attributes is not None else {}
        recorded = InteractionRecorded(
            interaction_id=event_id,
            touchpoint_id=event_id,
            profile_id=profile_id,
            attribution=Attribution(by="source"),
            identifiers=tuple(recorded_identifier(**identifier) for identifier in identifiers),
            assets=tuple(assets),
            kind=kind,
            channel="erp",
            touchpoint=body,
        )
        envelope = Envelope(
            event_id,
            catalogue.INTERACTION_RECORDED.source,
            catalogue.INTERACTION_RECORDED.wire,
            str(event_id),
            at,
            at,
            1,
            profile_id=profile_id,
            touchpoint_id=event_id,
        )
        await self.hear(encode_event(Event(envelope, catalogue.INTERACTION_RECORDED, recorded)))
        return event_id

    async def retract(self, profile_id: UUID, event_id: UUID) -> None:
        """A recorded touchpoint of a profile no longer counts."""
        data = InteractionRetracted(
            interaction_id=event_id, touchpoint_id=event_id, event_id=event_id, reason="reported_in_error"
        )
        kind = catalogue.INTERACTION_RETRACTED
        own = derived_id("retraction", event_id)
        envelope = Envelope(
            own,
            kind.source,
            kind.wire,
            str(event_id),
            system_clock(),
            system_clock(),
            2,
            profile_id=profile_id,
            touchpoint_id=event_id,
        )
        await self.hear(encode_event(Event(envelope, kind, data)))

    @staticmethod
    def statements(reports: Mapping[UUID, tuple[tuple[str, str], dict[str, Any], int]]) -> list[Statement]:
        """What reports, by their events, state of a profile."""
        return [
            Statement(*record, fields, (), BEGUN + timedelta(days=day), event_id)
            for event_id, (record, fields, day) in reports.items()
        ]

    async def hear(self, *messages: Message) -> None:
        """The customer service consumes messages in one batch."""
        self.told += messages
        subscription = consumers.touches(SECRET.encode(), system_clock, OutboxSignal())
        items = []
        for message in messages:
            headers = {name: value.decode() for name, value in message.headers}
            item = subscription.decode(
                Record(Partition(message.topic, 0), 0, message.key, headers, message.value, system_clock())
            )
            assert item is not None
            items.append(item)
        async with self.database.transaction() as connection:
            await subscription.apply(connection, items)

    async def match(self) -> None:
        """The matcher works until nobody waits."""
        matched = 1
        while matched:
            async with self.database.transaction() as connection:
                matched = await match_batch(connection, system_clock)

    async def customer_of(self, profile_id: UUID) -> UUID:
        """The customer of a profile."""
        found: UUID = await self.database.fetch_value(
            "SELECT customer_id FROM membership WHERE profile_id = $1", profile_id
        )
        return found

    async def are_one(self, *profiles: UUID) -> bool:
        """Whether profiles are one customer."""
        return len({await self.customer_of(profile_id) for profile_id in profiles}) == 1

    async def candidates(self) -> list[dict[str, Any]]:
        """The review queue."""
        return list((await self.call("GET", "/v1/merge-candidates", 200)).json()["candidates"])

    async def events(self) -> list[Message]:
        """All that the service has published, in the order in which it was recorded."""
        rows = await self.database.fetch(
            "SELECT topic, key, headers::json AS headers, value FROM event_log ORDER BY recorded_at, event_id"
        )
        return [Message(row["topic"], row["key"], _headers(row["headers"]), row["value"]) for row in rows]


def _headers(text: Any) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.encode()) for name, value in json.loads(text).items())


def recorded_identifier(
    type: str, value: str, *, verified: bool = False, region: str = "CN", system: str | None = None
) -> RecordedIdentifier:
    """An identifier as the interaction service records it."""
    form = normalise_identifier(type, value, region, system)
    return RecordedIdentifier(
        type=IdentifierType(type),
        key=identifier_key(SECRET.encode(), type, form.normal),
        raw=form.raw,
        normal=form.normal,
        norm_version=form.norm_version,
        verified=verified,
        system=system,
        routable=IdentifierType(type).addressable and form.usable,
    )


def minted(type: str, value: str, route_seq: int = 0) -> UUID:
    """The profile that a first touch by an identifier makes."""
    return first_touch_profile_id(recorded_identifier(type, value).key, route_seq)


@asynccontextmanager
async def customer_desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    """The customer service on a fresh database, and a caller that may do everything."""

    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_customer", dsn)

    async with databases.fresh(await databases.template("customer", prepare)) as dsn:
        settings = CustomerSettings(
            kafka="127.0.0.1:1", database=dsn, token_secret="t" * 32, identifier_secret=SECRET, pool_size=12
        )
        service = build(settings)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(service.api, raise_app_exceptions=False),
            base_url="http://customer",
            headers=caller_headers(),
        )
        async with service.database, client:
            yield CustomerDesk(client, service.database)
