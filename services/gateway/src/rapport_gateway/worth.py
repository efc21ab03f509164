"""What the gateway asks scoring of a customer's value: why it is so, and whether it reflects what the view holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import Response

from rapport_gateway.api_commands import Owners
from rapport_gateway.projection.runs import OF_SCORE, run_consumer
from rapport_gateway.queries import Views
from rapport_shared.callers import Caller
from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, INTERACTION_EVENTS, TICKET_EVENTS
from rapport_shared.database import Row
from rapport_shared.errors import NOT_IN_TIME, Problem, unavailable
from rapport_shared.web.application import json_response

READ_BY_SCORING: Final = [topic.name for topic in (CUSTOMER_EVENTS, INTERACTION_EVENTS, TICKET_EVENTS)]
LOOK_SECONDS: Final = 0.1
DECISIONS_SHOWN: Final = 5
_POSITIONS: Final = "SELECT topic, partition, position FROM consumer_cursor WHERE consumer = $1 AND topic = ANY($2)"
_NEWEST: Final = (
    f"SELECT sequence FROM fact WHERE subject = $1 AND {OF_SCORE} ORDER BY occurred_at DESC, event_id DESC LIMIT 1"
)
_DECIDED: Final = (
    f"SELECT event_id, type, occurred_at, data FROM fact WHERE subject = $1 AND {OF_SCORE} AND type = ANY($2) "
    "AND ($3::text IS NULL OR data::jsonb ->> 'segment' = $3) ORDER BY occurred_at DESC, event_id DESC LIMIT $4"
)

Positions = Mapping[tuple[str, int], int]
"""The next offset that is read of each partition."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Reads of values, for a caller who may see the customer."""

    views: Views
    owners: Owners

    async def explain(self, customer_id: UUID, field: str, caller: Caller) -> Response:
        """Scoring's answer why a value is so, or a segment, and what was decided about it lately, or its refusal."""
        path = f"/v1/customers/{customer_id}/value/explanation"
        answer = await self.owners.read("scoring", path, {"field": field}, caller)
        if answer.status_code != 200:
            return answer
        rows = await self.views.live.fetch(_DECIDED, str(customer_id), *_decisions(field), DECISIONS_SHOWN)
        return json_response(orjson.loads(answer.body) | {"decisions": [_decision(row) for row in rows]})

    async def until_settled(self, customer_id: UUID, wait_ms: int, caller: Caller) -> None:
        """Waits until the view shows the value that follows from all that the view has read by now.

        Scoring must have read as far as the view has, and the last event that it had then recorded of the customer
        must be here. Raises a 409 when time is up, a 503 when scoring is away.
        """
        deadline = self.views.clock().timestamp() + wait_ms / 1000
        wanted, sequence = await self._read_here(), None
        while True:
            sequence = sequence if sequence is not None else await self._recorded(customer_id, wanted, caller)
            if sequence is not None and await self._shown(customer_id) >= sequence:
                return
            left = deadline - self.views.clock().timestamp()
            if left <= 0:
                detail = "The value does not reflect what the view holds yet."
                raise Problem(NOT_IN_TIME, detail, lag_ms=self.views.lag_ms())
            await self.views.hub.moved(min(left, LOOK_SECONDS))

    async def _read_here(self) -> Positions:
        rows = await self.views.live.fetch(_POSITIONS, run_consumer(self.views.run), READ_BY_SCORING)
        return {(row["topic"], row["partition"]): row["position"] for row in rows}

    async def _recorded(self, customer_id: UUID, wanted: Positions, caller: Caller) -> int | None:
        """The last event of the customer's score, once scoring has read as far as `wanted`; None before."""
        answer = await self.owners.read("scoring", f"/v1/customers/{customer_id}/value/position", {}, caller)
        if answer.status_code != 200:
            raise unavailable("The scoring service")
        told = orjson.loads(answer.body)
        read = {(one["topic"], one["partition"]): one["position"] for one in told["positions"]}
        reached = all(read.get(partition, 0) >= position for partition, position in wanted.items())
        return int(told["sequence"]) if reached else None

    async def _shown(self, customer_id: UUID) -> int:
        return int(await self.views.live.fetch_value(_NEWEST, str(customer_id)) or 0)


def _decision(row: Row) -> dict[str, Any]:
    return {
        "event_id": str(row["event_id"]),
        "type": row["type"],
        "occurred_at": row["occurred_at"].isoformat(),
        "data": orjson.loads(row["data"]),
    }


def _decisions(field: str) -> tuple[list[str], str | None]:
    """The types of the events that tell of a field, and the segment where it is one."""
    area, _, name = field.partition(".")
    if area == "segments":
        return ["segment.entered", "segment.left"], name
    return {
        "stage": ["customer.stage_changed"],
        "alarms": ["alarm.raised", "alarm.withdrawn", "alarm.expired"],
    }.get(name, []), None
