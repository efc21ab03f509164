"""What the gateway asks scoring of a customer's value: why it is so, and whether it reflects what the view holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import Response

from rapport_gateway.owners.client import Owners
from rapport_gateway.projection.store import scores
from rapport_gateway.projection.store.runs import run_consumer
from rapport_gateway.reads.customers import Views
from rapport_gateway.view.facts import Fact
from rapport_shared.callers import Caller
from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, INTERACTION_EVENTS, TICKET_EVENTS
from rapport_shared.errors import NOT_IN_TIME, Problem, unavailable
from rapport_shared.messaging.cursors import load_cursors
from rapport_shared.web.application import json_response

READ_BY_SCORING: Final = frozenset(topic.name for topic in (CUSTOMER_EVENTS, INTERACTION_EVENTS, TICKET_EVENTS))
ASKED_AGAIN_SECONDS: Final = 0.25
"""How often scoring is asked how far it is while nothing of the customer changes."""
DECISIONS_SHOWN: Final = 5
Positions = Mapping[tuple[str, int], int]
"""The next offset that is read of each partition."""


@dataclass(frozen=True, slots=True)
class Values:
    """Reads of values, for a caller who may see the customer."""

    views: Views
    owners: Owners

    async def explain(self, customer_id: UUID, field: str, caller: Caller) -> Response:
        """Scoring's answer why a value is so, or a segment, and what was decided about it lately, or its refusal."""
        path = f"/v1/customers/{customer_id}/value/explanation"
        answer = await self.owners.read("scoring", path, {"field": field}, caller)
        if answer.status_code != 200:
            return answer
        async with self.views.live.connection() as connection:
            decided = await scores.decided(connection, customer_id, *_decisions(field), DECISIONS_SHOWN)
        return json_response(orjson.loads(answer.body) | {"decisions": [_decision(one) for one in decided]})

    async def until_settled(self, customer_id: UUID, wait_ms: int, caller: Caller, *, decided: bool) -> None:
        """Waits until the view shows the figures that follow from all that the view has read by now.

        With `decided` it waits for alarms, triggers and segments, too, which are decided once a loaded past is quiet.

        Scoring must have read as far as the view has, and the view must show the last event that scoring had then
        recorded of the customer, and no figures from before a merge. Scoring is asked at once, whenever the customer's
        row changes, and now and then. Raises a 409 when time is up, a 503 when scoring is away then.
        """
        deadline = self.views.clock().timestamp() + wait_ms / 1000
        wanted, sequence = await self._read_here(), None
        async with self.views.hub.follow(customer_id) as follower:
            while True:
                away: Problem | None = None
                try:
                    if sequence is None:
                        sequence = await self._recorded(customer_id, wanted, caller, decided=decided)
                except Problem as problem:
                    away = problem
                if sequence is not None and await self._shown(customer_id, sequence):
                    return
                left = deadline - self.views.clock().timestamp()
                if left <= 0:
                    detail = "The value does not reflect what the view holds yet."
                    raise away or Problem(NOT_IN_TIME, detail, lag_ms=self.views.lag_ms())
                await follower.changed(min(left, ASKED_AGAIN_SECONDS))

    async def _read_here(self) -> Positions:
        cursors = await load_cursors(self.views.live, run_consumer(self.views.run))
        return {(at.topic, at.number): one.position for at, one in cursors.items() if at.topic in READ_BY_SCORING}

    async def _recorded(self, customer_id: UUID, wanted: Positions, caller: Caller, *, decided: bool) -> int | None:
        """The last event of the customer's score, once scoring has read as far as `wanted`; None before.

        Raises a 503 when scoring is away.
        """
        answer = await self.owners.read("scoring", f"/v1/customers/{customer_id}/value/position", {}, caller)
        if answer.status_code != 200:
            raise unavailable("The scoring service")
        told = orjson.loads(answer.body)
        read = {(one["topic"], one["partition"]): one["position"] for one in told["positions"]}
        reached = all(read.get(partition, 0) >= position for partition, position in wanted.items())
        waits = decided and told.get("deciding", False)
        return int(told["sequence"]) if reached and not waits else None

    async def _shown(self, customer_id: UUID, sequence: int) -> bool:
        """Whether the view shows a customer's score up to an event, and settled; also of one that was merged away."""
        async with self.views.live.connection() as connection:
            shown = await scores.shown(connection, customer_id)
        return shown is not None and shown.newest >= sequence and (shown.moved or not shown.settling)


def _decision(fact: Fact) -> dict[str, Any]:
    return {
        "event_id": str(fact.event_id),
        "type": fact.type,
        "occurred_at": fact.at,
        "data": fact.data,
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
