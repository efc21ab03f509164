"""The gateway's edge over in-memory neighbours: what it sends, remembers and passes on can be looked at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI, Request

from rapport_gateway.access.visibility import Visibility
from rapport_gateway.api import owners as owner_routes
from rapport_gateway.api import touchpoints
from rapport_gateway.intake.accepted import AcceptedIds, Reported
from rapport_gateway.intake.accepting import TouchpointIntake
from rapport_gateway.owners.client import Owners
from rapport_gateway.owners.limits import Limits
from rapport_gateway.owners.routes import Owner
from rapport_gateway.reads.customers import Views
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.contracts.codec import Message
from rapport_shared.contracts.customer import UnitState
from rapport_shared.contracts.touchpoints import MAX_BATCH_BYTES
from rapport_shared.errors import Problem
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY_ID = UUID("0198f000-0000-7000-8000-000000000001")
SECRET = "s" * 32
SHANGHAI = UnitState(
    path="cn/east/shanghai", name="Shanghai", time_zone="Asia/Shanghai", currency="CNY", phone_region="CN"
)
EVERYTHING = Caller(str(KEY_ID), scopes=frozenset({"*"}), may_verify=frozenset({"phone", "email"}))


@dataclass
class Broker:
    """Acknowledges at once, or refuses as the producer does when Kafka is away."""

    sent: list[Message] = field(default_factory=list)
    away: Problem | None = None

    async def send(self, messages: Sequence[Message]) -> None:
        if self.away is not None:
            raise self.away
        self.sent.extend(messages)


@dataclass
class Memory:
    """The accepted ids; `recent` are those that this process knows."""

    ids: dict[UUID, bytes] = field(default_factory=dict)
    recent: dict[UUID, bytes] = field(default_factory=dict)

    def reused(self, reported: Mapping[int, Reported]) -> frozenset[int]:
        return frozenset(place for place, (id_, body) in reported.items() if self.recent.get(id_, body) != body)

    async def remember(self, reported: Mapping[int, Reported]) -> frozenset[int]:
        for id_, body in reported.values():
            self.ids.setdefault(id_, body)
        return await self.look_up(reported)

    async def look_up(self, reported: Mapping[int, Reported]) -> frozenset[int]:
        return frozenset(place for place, (id_, body) in reported.items() if self.ids.get(id_, body) != body)

    async def accepted_at(self, touchpoint_id: UUID) -> datetime | None:
        return NOW if touchpoint_id in self.ids else None


@dataclass
class Outcomes:
    """What the view knows of touchpoints; it is its own hub, which never moves."""

    found: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    barred: set[str] = field(default_factory=set)

    @property
    def hub(self) -> "Outcomes":
        return self

    async def moved(self, seconds: float) -> None:
        return

    async def blocked(self, keys: Sequence[str]) -> set[str]:
        return set(keys) & self.barred

    async def touchpoint_status(self, touchpoint_id: UUID) -> dict[str, Any] | None:
        return self.found.get(touchpoint_id)


@dataclass
class Heard:
    """The channels that were reported on: any but those that are new."""

    fresh: frozenset[str] = frozenset()

    async def new(self, channels: Collection[str], *, remember: bool) -> frozenset[str]:
        return self.fresh & frozenset(channels)


@dataclass
class Edge:
    """The routes under test, whoever calls, and what happened behind them."""

    caller: Caller = EVERYTHING
    broker: Broker = field(default_factory=Broker)
    memory: Memory = field(default_factory=Memory)
    outcomes: Outcomes = field(default_factory=Outcomes)
    customers: dict[str, UUID] = field(default_factory=dict)
    owner: httpx.MockTransport | None = None
    channels: "Heard" = field(default_factory=lambda: Heard())
    region: str | None = None

    @cached_property
    def application(self) -> FastAPI:
        async def authenticate(_: Request) -> Caller:
            return self.caller

        app = make_application("edge", metrics=Metrics(), authenticate=authenticate, max_body_bytes=MAX_BATCH_BYTES)
        intake = TouchpointIntake(
            self.broker,
            cast(AcceptedIds, self.memory),
            SECRET.encode(),
            _unit,
            self._whom,
            lambda: NOW,
            self.channels,
            default_region=self.region,
        )
        app.include_router(touchpoints.router(intake, cast(Views, self.outcomes)))
        urls: dict[Owner, str] = {
            name: f"http://{name}.test" for name in ("customer", "interaction", "ticket", "scoring")
        }
        owners = Owners(urls, CallerTokens(SECRET), lambda: NOW, transport=self.owner)
        app.include_router(owner_routes.router(owners, Limits(Visibility(cast(Views, self.outcomes)), SECRET)))
        return app

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            return await client.request(method, path, **options)

    async def report(self, body: Any, path: str = "/v1/touchpoints", **headers: str) -> httpx.Response:
        """Posts JSON, or bytes as they are."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return await self.call("POST", path, content=body, headers=names)
        return await self.call("POST", path, json=body, headers=names)

    async def _whom(
        self, identifiers: Sequence[tuple[str, str]], source_profile: UUID | None, named: UUID | None
    ) -> UUID | None:
        return next((self.customers[key] for _, key in identifiers if key in self.customers), None)


async def _unit(path: str) -> UnitState | None:
    return SHANGHAI if path == SHANGHAI.path else None


def call(**changes: Any) -> dict[str, Any]:
    """A valid touchpoint that names somebody."""
    return {
        "id": str(uuid4()),
        "channel": "phone",
        "kind": "call.ended",
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "unit": SHANGHAI.path,
        "identifiers": [{"type": "phone", "value": "138 0013 8000"}],
        "data": {"direction": "inbound", "subject": "保养预约"},
        **changes,
    }
