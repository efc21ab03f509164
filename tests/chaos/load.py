"""A load whose outcome is known: touchpoints, registrations and tickets of customers that nobody has seen before.

Everything is drawn from a seed. What is posted is posted until it is acknowledged, under the same id or key each time,
as the gateway's contract tells its callers to.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

import httpx

__all__ = ["Acknowledged", "Load", "Person"]

AGAIN_SECONDS = 0.2
_FOR_NOW = frozenset({"unavailable", "in-flight"})
_LARGEST_BATCH = 40
_WORKERS = 6


@dataclass(slots=True)
class Person:
    """Somebody known by a phone number, and what the view must say of them."""

    phone: str
    touchpoints: set[str] = field(default_factory=set)
    contacts: int = 0
    orders: int = 0
    revenue: int = 0
    tickets: int = 0
    name: str | None = None

    @property
    def identifiers(self) -> list[dict[str, str]]:
        """As touchpoints and lookups take them."""
        return [{"type": "phone", "value": self.phone, "region": "CN"}]


@dataclass(frozen=True, slots=True)
class Post:
    """One request: touchpoints in a batch, or a command."""

    person: Person
    path: str
    body: Any
    headers: dict[str, str]
    touchpoints: int = 0


@dataclass(slots=True)
class Acknowledged:
    """How much of the load was acknowledged; whoever waits for an amount is woken when it is reached."""

    touchpoints: int = 0
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, count: int) -> None:
        """Counts what was acknowledged."""
        async with self._moved:
            self.touchpoints += count
            self._moved.notify_all()

    async def reach(self, count: int) -> None:
        """Returns once so many touchpoints are acknowledged."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.touchpoints >= count)


class Load:
    """`size` touchpoints of `people` persons; of these each fourth is registered and each fifth opens a ticket."""

    def __init__(self, seed: int, size: int, people: int) -> None:
        self._random = random.Random(seed)
        self.size = size
        self.acknowledged = Acknowledged()
        self.given_up: list[str] = []
        first = self._random.randrange(10**7)
        self.people = [Person(f"138{(first + number) % 10**8:08d}") for number in range(people)]
        self._posts = list(self._make())

    async def post(self, gateway: str, key: str, *, patience_seconds: float = 90) -> None:
        """Posts everything, each request until it is acknowledged or patience ends: then it stands in `given_up`.

        Raises AssertionError for an answer that no repetition can mend.
        """
        posts = iter(self._posts)
        limits = httpx.Limits(max_connections=_WORKERS)
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx.AsyncClient(base_url=gateway, headers=headers, timeout=30, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(_WORKERS):
                group.create_task(self._work(client, posts, patience_seconds))

    async def _work(self, client: httpx.AsyncClient, posts: Iterator[Post], patience_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        for post in posts:
            deadline = loop.time() + patience_seconds
            while not await _acknowledged(client, post):
                if loop.time() > deadline:
                    self.given_up.append(f"{post.person.phone}: {post.path} was never acknowledged")
                    break
                await asyncio.sleep(AGAIN_SECONDS)
            await self.acknowledged.add(post.touchpoints)

    def _make(self) -> Iterator[Post]:
        left, turn = self.size, 0
        commands = self._commands()
        while left:
            person = self.people[turn % len(self.people)]
            count = min(left, self._random.choice((1, 1, 1, _LARGEST_BATCH)))
            batch = [self._touchpoint(person) for _ in range(count)]
            left, turn = left - count, turn + 1
            yield Post(person, "/v1/touchpoints", {"touchpoints": batch} if count > 1 else batch[0], {}, count)
            if turn >= len(self.people) // 2:  # by now the first are known by their number
                yield from islice(commands, 1)
        yield from commands

    def _touchpoint(self, person: Person) -> dict[str, Any]:
        touchpoint_id = self._uuid()
        person.touchpoints.add(touchpoint_id)
        day, minute = self._random.randrange(1, 28), self._random.randrange(60)
        body = {
            "id": touchpoint_id,
            "channel": "phone",
            "occurred_at": f"2026-03-{day:02d}T09:{minute:02d}:00+08:00",
            "identifiers": person.identifiers,
        }
        if self._random.random() < 0.8:
            person.contacts += 1
            return {**body, "kind": "call.ended", "data": {"direction": "inbound", "subject": "保养预约"}}
        amount = self._random.randrange(1, 100_000)
        person.orders += 1
        person.revenue += amount
        line = {
            "line": "1",
            "sku": "PAD",
            "name": "刹车片",
            "category": "parts",
            "quantity": "1",
            "net": amount,
            "tax": 0,
        }
        data = {
            "order": touchpoint_id,
            "currency": "CNY",
            "lines": [line],
            "net": amount,
            "tax": 0,
            "gross": amount,
        }
        source = {"system": "shop", "record": touchpoint_id}
        return {**body, "kind": "order.placed", "channel": "web", "source": source, "data": data}

    def _commands(self) -> Iterator[Post]:
        for number, person in enumerate(self.people):
            if number % 4 == 0:
                person.name = f"顾客{number}"
                body = {
                    "kind": "person",
                    "name": {"display": person.name},
                    "identifiers": [{"type": "phone", "value": f"+86{person.phone}"}],
                }
                yield self._command(person, "/v1/customers", body)
            if number % 5 == 0:
                person.tickets += 1
                body = {
                    "kind": "complaint",
                    "customer": {"identifiers": person.identifiers},
                    "subject": "没有回电",
                }
                yield self._command(person, "/v1/tickets", body)

    def _command(self, person: Person, path: str, body: Any) -> Post:
        return Post(person, path, body, {"Idempotency-Key": self._uuid()})

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))


async def _acknowledged(client: httpx.AsyncClient, post: Post) -> bool:
    try:
        answer = await client.post(post.path, json=post.body, headers=post.headers)
    except httpx.TransportError:
        return False
    if not answer.is_success and answer.json()["type"].rpartition("/")[2] in _FOR_NOW:
        return False
    if answer.status_code == 404 and post.path == "/v1/tickets":
        return False  # nobody is known by the number yet
    assert answer.is_success, f"{post.path}: {answer.status_code} {answer.text}"
    if post.touchpoints:
        assert len(answer.json()["accepted"]) == post.touchpoints, answer.text
    return True
