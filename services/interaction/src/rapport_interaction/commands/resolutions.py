"""What becomes of the quarantine: a touchpoint is mended and recorded, recorded as it is, or dismissed for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from rapport_interaction import store
from rapport_interaction.commands.intake import judge, take_in
from rapport_interaction.commands.quarantine import ID_CONFLICT, UNKNOWN_UNIT, undeclared
from rapport_interaction.domain.arrivals import Arrival, reasons_of
from rapport_interaction.domain.patches import Patch, PatchRefused
from rapport_interaction.domain.quarantined import Quarantined, mended
from rapport_interaction.domain.readings import Normaliser
from rapport_interaction.store import Known
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import QUARANTINE_DISMISSED, QUARANTINE_MENDED, EventType
from rapport_shared.contracts.codec import new_event
from rapport_shared.contracts.ids import resolution_id
from rapport_shared.contracts.interaction import (
    DismissalReason,
    QuarantineDismissed,
    QuarantineMended,
    QuarantineReason,
)
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints import TouchpointInvalid
from rapport_shared.database import Connection, is_refused_data
from rapport_shared.errors import CONFLICT, Problem, not_found
from rapport_shared.messaging import outbox
from rapport_shared.policy_registers import own_rules


@dataclass(frozen=True, slots=True)
class Mender:
    """Records what is in quarantine, for somebody. `principal` is who decides."""

    normaliser: Normaliser
    clock: Clock
    principal: str

    async def mend(
        self, connection: Connection, quarantine_id: UUID, patch: Patch, *, dry_run: bool
    ) -> "Mended | Unmendable":
        """Records a quarantined touchpoint after `patch`, by the way that every arrival takes.

        What was mended so already is answered again, and changes nothing; in a dry run nothing does. Raises a 404,
        a 409 for what was dismissed or was mended otherwise, and `PatchRefused`.
        """
        quarantined = await _locked(connection, quarantine_id)
        reasons: Sequence[QuarantineReason]
        try:
            arrival = mended(self.normaliser.secret, quarantined, patch, self.clock())
        except TouchpointInvalid as error:
            reasons = reasons_of(error)
        else:
            reasons = await _obstacles(connection, arrival)
        if quarantined.state == "mended":
            return await _mended_before(connection, quarantined, same=not (patch and reasons))
        if reasons:
            return Unmendable(quarantined, reasons)
        if dry_run:
            return Mended(quarantined, None, ())
        return await self._record(connection, quarantined, arrival)

    async def _record(self, connection: Connection, quarantined: Quarantined, arrival: Arrival) -> "Mended":
        try:
            await take_in(connection, [arrival], self.normaliser, self.clock)
        except asyncpg.UniqueViolationError as error:
            # the intake is just recording it: done again, it is known
            raise asyncpg.SerializationError("recorded at the same time") from error
        except asyncpg.PostgresError as error:
            if is_refused_data(error):
                raise PatchRefused("", "refused", "With normal forms it is larger than an event may be.") from error
            raise
        known = (await store.known_touchpoints(connection, [arrival.touchpoint.id]))[arrival.touchpoint.id]
        if known.digest != arrival.digest:
            raise asyncpg.SerializationError("another body was recorded at the same time")
        data = QuarantineMended(
            quarantine_id=quarantined.quarantine_id, touchpoint_id=arrival.touchpoint.id, decided_by=self.principal
        )
        settled = await self._settle(connection, quarantined, "mended", QUARANTINE_MENDED, data)
        return Mended(quarantined, known, (known.event_id, settled))

    async def dismiss(self, connection: Connection, quarantine_id: UUID, reason: DismissalReason) -> tuple[UUID, ...]:
        """Says that a quarantined touchpoint will not be recorded; answers the event, none where it was said before.

        Raises a 404, and a 409 for one that was mended.
        """
        quarantined = await _locked(connection, quarantine_id, refused="mended")
        if quarantined.state == "dismissed":
            return ()
        data = QuarantineDismissed(
            quarantine_id=quarantine_id,
            touchpoint_id=quarantined.touchpoint_id,
            reason=reason,
            decided_by=self.principal,
        )
        return (await self._settle(connection, quarantined, "dismissed", QUARANTINE_DISMISSED, data, reason),)

    async def _settle(
        self,
        connection: Connection,
        quarantined: Quarantined,
        state: str,
        event_type: EventType,
        data: Contract,
        dismissal: str | None = None,
    ) -> UUID:
        aggregate = f"{event_type.aggregate}:{quarantined.quarantine_id}"
        at = next_recorded(self.clock(), await store.quarantined_at(connection, aggregate))
        await store.settle(connection, quarantined.quarantine_id, state, at, dismissal)
        event = new_event(
            event_type,
            quarantined.quarantine_id,
            data,
            sequence=2,
            recorded_at=at,
            event_id=resolution_id(quarantined.quarantine_id),
            touchpoint_id=quarantined.mended_id,
        )
        await outbox.append(connection, [event])
        return event.envelope.id


@dataclass(frozen=True, slots=True)
class Mended:
    """It is recorded as `known`, or in a dry run, where that is None, would be. `events` are those that came of it."""

    quarantined: Quarantined
    known: Known | None
    events: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Unmendable:
    """It could not be recorded now, and why."""

    quarantined: Quarantined
    reasons: Sequence[QuarantineReason]


async def _locked(connection: Connection, quarantine_id: UUID, refused: str = "dismissed") -> Quarantined:
    quarantined = await store.lock_quarantined(connection, quarantine_id)
    if quarantined is None:
        raise not_found("quarantined touchpoint")
    if quarantined.state == refused:
        raise Problem(CONFLICT, f"The touchpoint was {refused}.")
    return quarantined


async def _obstacles(connection: Connection, arrival: Arrival) -> Sequence[QuarantineReason]:
    """What stands against recording a touchpoint that is sound in itself."""
    known = (await store.known_touchpoints(connection, [arrival.touchpoint.id])).get(arrival.touchpoint.id)
    if known is not None:
        return () if known.digest == arrival.digest else (ID_CONFLICT,)
    rules = await own_rules(connection)
    if (await judge(connection, [arrival], rules)).stray:
        return (UNKNOWN_UNIT,)
    found = undeclared(rules, arrival)
    return found.reasons if found is not None else ()


async def _mended_before(connection: Connection, quarantined: Quarantined, *, same: bool) -> Mended:
    if not same:
        raise Problem(CONFLICT, "The touchpoint was already mended with another patch.")
    known = (await store.known_touchpoints(connection, [quarantined.mended_id]))[quarantined.mended_id]
    return Mended(quarantined, known, ())
