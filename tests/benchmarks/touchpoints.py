"""The touchpoints that are reported: of a fixed number of people, four calls to one order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

__all__ = ["Touchpoints"]


@dataclass(slots=True)
class Touchpoints:
    """Makes touchpoints, none twice."""

    people: int
    made: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))

    def make(self, count: int) -> list[dict[str, Any]]:
        """The next `count` touchpoints. The first of each person come before a second of anybody."""
        return [self._next() for _ in range(count)]

    def bodies(self, count: int, size: int = 1) -> list[tuple[list[UUID], bytes]]:
        """`count` request bodies of `size` touchpoints each, with their ids."""
        made = [self.make(size) for _ in range(count)]
        return [([UUID(item["id"]) for item in batch], _body(batch)) for batch in made]

    def _next(self) -> dict[str, Any]:
        number, self.made = self.made, self.made + 1
        touchpoint_id = str(UUID(int=self._random.getrandbits(128), version=4))
        common = {
            "id": touchpoint_id,
            "occurred_at": datetime.now(UTC).isoformat(),
            "identifiers": [{"type": "phone", "value": f"138{number % self.people:08d}", "region": "CN"}],
        }
        if (number + number // self.people) % 5:
            return {
                **common,
                "channel": "phone",
                "kind": "call.ended",
                "data": {"direction": "inbound", "subject": "保养预约"},
            }
        amount = self._random.randrange(1000, 100_000)
        line = {"line": "1", "sku": "PAD", "name": "刹车片", "category": "parts", "quantity": "1"}
        money = {"net": amount, "tax": 0}
        data = {"order": touchpoint_id, "currency": "CNY", "lines": [line | money], **money, "gross": amount}
        return {**common, "channel": "web", "kind": "order.placed", "source": {"system": "shop"}, "data": data}


def _body(batch: list[dict[str, Any]]) -> bytes:
    return orjson.dumps(batch[0] if len(batch) == 1 else {"touchpoints": batch})
