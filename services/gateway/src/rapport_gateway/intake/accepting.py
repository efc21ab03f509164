"""Accepting touchpoints: they are sent to Kafka, and their ids remembered."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol
from uuid import UUID

from rapport_gateway.intake.accepted import AcceptedIds
from rapport_gateway.intake.touchpoints import Checked, OwnRulesFinder, TouchpointRules, UnitFinder, nothing_declared
from rapport_gateway.intake.warnings import Warning, new_channel
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.codec import Message
from rapport_shared.errors import KEY_REUSED, FieldProblem, Problem

IDENTIFIERS_LOOKED_AT: Final = 1_000
"""Of one request, for warnings: reading a phone number costs 100 µs, and an answer must not wait for thousands."""


class Sender(Protocol):
    """Sends messages; returns once they are acknowledged, raises a 503 otherwise."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Sends."""
        ...


class CustomerFinder(Protocol):
    """Finds the customer that a touch would meet."""

    async def __call__(
        self, identifiers: Sequence[tuple[str, str]], source_profile: UUID | None, named: UUID | None
    ) -> UUID | None:
        """The customer, or None for one that would be new. `named` is the profile of an external identifier, which the
        touch goes to where no identifier is routed."""
        ...


class Channels(Protocol):
    """Knows the channels that were reported on."""

    async def new(self, channels: Collection[str], *, remember: bool) -> frozenset[str]:
        """Those that are new; with `remember` they are remembered."""
        ...


class TouchpointIntake(TouchpointRules):
    """Judges touchpoints and sends them."""

    def __init__(
        self,
        sender: Sender,
        accepted: AcceptedIds,
        secret: bytes,
        units: UnitFinder,
        find_customer: CustomerFinder,
        clock: Clock,
        channels: Channels,
        own: OwnRulesFinder = nothing_declared,
        default_region: str | None = None,
    ) -> None:
        super().__init__(secret, units, clock, own, default_region)
        self.sender, self.accepted, self.find_customer, self.channels = sender, accepted, find_customer, channels

    async def accept(
        self, checked: Mapping[int, Checked], caller: Caller, traceparent: str | None
    ) -> dict[int, Problem]:
        """Returns when Kafka and the database have the touchpoints, by place those whose id is of another body.

        Such a body is not sent where this process knows the id. Else Kafka has it already, and it is quarantined.
        Raises a 503: repeat with the same ids.
        """
        reported = {index: item.reported for index, item in checked.items()}
        refused = self.accepted.reused(reported)
        fresh = {index: one for index, one in reported.items() if index not in refused}
        if fresh:
            messages = [self.message(checked[index], caller, traceparent) for index in fresh]
            # in this order: an id remembered before Kafka has it would be called accepted though it may never arrive
            await self.sender.send(messages)
            refused |= await self.accepted.remember(fresh)
        return _refusals(refused)

    async def reused(self, checked: Mapping[int, Checked]) -> dict[int, Problem]:
        """Why touchpoints would not be accepted whose id is of another body, by their place in the request."""
        return _refusals(await self.accepted.look_up({index: item.reported for index, item in checked.items()}))

    async def all_warnings(
        self, checked: Mapping[int, Checked], caller: Caller, *, remember: bool
    ) -> dict[int, list[Warning]]:
        """The warnings of touchpoints, by their place in the request. With `remember` their channels are known then.

        At most `IDENTIFIERS_LOOKED_AT` identifiers are looked at, and the database is asked about new channels alone.
        """
        new = await self.channels.new({item.touchpoint.channel for item in checked.values()}, remember=remember)
        found: dict[int, list[Warning]] = {}
        left = IDENTIFIERS_LOOKED_AT
        for index, item in checked.items():
            found[index] = [new_channel(item.touchpoint.channel)] if item.touchpoint.channel in new else []
            found[index] += self.warnings(item, caller, left)
            left = max(0, left - len(item.touchpoint.identifiers))
        return found

    async def would_meet(self, checked: Checked) -> UUID | None:
        """The customer that the touch would meet now; None for a new one."""
        usable = self.usable(checked)
        named = usable[0].record_profile if usable else None
        return await self.find_customer([(one.type, one.key) for one in usable], self.source_profile(checked), named)


def _refusals(places: Iterable[int]) -> dict[int, Problem]:
    place = FieldProblem("/id", "reused", "It was used for another touchpoint.")
    detail = "This id, or the Idempotency-Key that it is made from, was used for another touchpoint."
    return {index: Problem(KEY_REUSED, detail, errors=[place]) for index in sorted(places)}
