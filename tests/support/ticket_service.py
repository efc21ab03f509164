"""A ticket service on a real database, its client, and what other services tell it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.contracts import catalogue, customer
from rapport_shared.contracts.catalogue import EventType
from rapport_shared.contracts.codec import Event, encode_event
from rapport_shared.contracts.customer import ProfileMove, RouteTarget
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.policies import PolicyActivated
from rapport_shared.database import Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.migrations import migrate
from rapport_shared.normalisation import identifier_key
from rapport_shared.policy_registers import FIELDS_PLACE, policy_register
from rapport_shared.service import Service
from rapport_ticket import consumers
from rapport_ticket.app import build
from rapport_ticket.commands.playbook import Playbook
from rapport_ticket.settings import TicketSettings
from tests.support.infrastructure import Databases

SECRET = "s" * 32
PHONE = {"type": "phone", "value": "138 0013 8000", "region": "CN"}


@dataclass
class Counter:
    """A client of the ticket service, and what the customer service tells it."""

    client: httpx.AsyncClient
    database: Database
    clock: Clock = system_clock

    async def call(self, method: str, path: str, expected: int, **options: Any) -> httpx.Response:
        answer = await self.client.request(method, path, **options)
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def open(self, profile: UUID, expected: int = 201, **fields: Any) -> dict[str, Any]:
        body = {"kind": "repair", "customer": {"id": str(profile)}, "subject": "空调异响"} | fields
        return dict((await self.call("POST", "/v1/tickets", expected, json=body)).json())

    async def hear(
        self, event_type: EventType, data: Any, sequence: int = 1, at: datetime | None = None, event: UUID | None = None
    ) -> UUID:
        """The ticket service consumes an event, recorded `at` an instant or now; answers its id."""
        now = at or self.clock()
        event_id = event or new_id(now)
        envelope = Envelope(event_id, event_type.source, event_type.wire, "subject", now, now, sequence)
        message = encode_event(Event(envelope, event_type, data))
        headers = {name: value.decode() for name, value in message.headers}
        record = Record(Partition(message.topic, 0), 0, message.key, headers, message.value, now)
        subscriptions: tuple[Any, ...] = (
            consumers.registers(),
            consumers.occasions(Playbook(self.clock), OutboxSignal()),
            policy_register(FIELDS_PLACE),
        )
        for subscription in subscriptions:
            read = message.topic in {topic.name for topic in subscription.topics} and subscription.uses(record)
            if read and (item := subscription.decode(record)) is not None:
                async with self.database.transaction() as connection:
                    await subscription.apply(connection, [item])
        return event_id

    async def declare(self, document: dict[str, Any], version: int = 1) -> None:
        activated = PolicyActivated(kind="fields", name="default", unit="", version=version, document=document)
        await self.hear(catalogue.CUSTOMER_POLICY_ACTIVATED, activated, version)

    async def profile(self, **known: Any) -> UUID:
        profile_id = uuid4()
        fields: dict[str, Any] = {"registered": True, "created_at": system_clock()} | known
        state = customer.ProfileState(profile_id=profile_id, **fields)
        await self.hear(catalogue.PROFILE_CHANGED, customer.ProfileChanged(profile=state, changed=()))
        return profile_id

    async def unit(self, path: str) -> None:
        state = customer.UnitState(path=path, name=path, time_zone="UTC", currency="CNY", phone_region="CN")
        await self.hear(catalogue.UNIT_CHANGED, customer.UnitChanged(unit=state, changed=()))

    async def route(self, profile: UUID | None, target: RouteTarget = RouteTarget.PROFILE, seq: int = 1) -> None:
        key = identifier_key(SECRET.encode(), "phone", "+8613800138000")
        routed = customer.IdentifierRouted(
            identifier_key=key,
            identifier_type=IdentifierType.PHONE,
            target=target,
            profile_id=profile,
            route_seq=seq,
            valid_from=system_clock(),
        )
        await self.hear(catalogue.IDENTIFIER_ROUTED, routed, seq)

    async def move(self, profile: UUID, to: UUID, mapping_seq: int) -> None:
        moves = (ProfileMove(profile_id=profile, mapping_seq=mapping_seq, customer_id=to),)
        await self.hear(catalogue.CUSTOMER_UNMERGED, customer.CustomerUnmerged(merge_id=uuid4(), moves=moves))

    async def events(self, ticket_id: str) -> list[Any]:
        return await self.database.fetch(
            "SELECT event_id, type, sequence, key, headers::json ->> 'ce_customerid' AS customer FROM event_log "
            "WHERE aggregate = $1 ORDER BY sequence",
            f"ticket:{ticket_id}",
        )

    async def numbers(self, **query: Any) -> list[str]:
        page = (await self.call("GET", "/v1/tickets", 200, params=query)).json()
        return [ticket["number"] for ticket in page["tickets"]]


def client_of(service: Service, **caller: Any) -> httpx.AsyncClient:
    """A client who may do everything with tickets and policies."""
    known = Caller("desk-1", scopes=frozenset({"tickets:*", "policies:*"}), **caller)
    token = CallerTokens("t" * 32).sign(known, system_clock())
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(service.api, raise_app_exceptions=False),
        base_url="http://ticket",
        headers={"Authorization": f"Bearer {token}"},
    )


@asynccontextmanager
async def ticket_service(databases: Databases, clock: Clock = system_clock) -> AsyncIterator[Service]:
    """The service on a database of its own."""
    async with databases.fresh() as dsn:
        await asyncio.to_thread(migrate, "rapport_ticket", dsn)
        settings = TicketSettings(
            kafka="127.0.0.1:1", database=dsn, token_secret="t" * 32, identifier_secret=SECRET, pool_size=12
        )
        service = build(settings, clock)
        async with service.database:
            yield service
