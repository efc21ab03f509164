"""Quarantines touchpoints that cannot be recorded, with reason and place. The event has no personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.domain.arrivals import Arrival, Unreadable, reasons_of
from rapport_interaction.domain.quarantined import names_of
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTERACTION_QUARANTINED
from rapport_shared.contracts.codec import new_event
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import InteractionQuarantined, QuarantineReason
from rapport_shared.contracts.touchpoints import TouchpointInvalid
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_shared.own_fields import OwnRules

UNKNOWN_UNIT = QuarantineReason(pointer="/unit", code="unknown_unit", message="is not a unit of this firm")
OWN_FIELDS = "own_fields"
ID_CONFLICT = QuarantineReason(pointer="/id", code="id_conflict", message="is known with another body")


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A touchpoint that is not as the deployment declared, and in what."""

    arrival: Arrival
    reasons: tuple[QuarantineReason, ...]


async def quarantine_unreadable(connection: Connection, items: Sequence[Unreadable], clock: Clock) -> None:
    """Quarantines records that are no touchpoints."""
    for item in items:
        data = InteractionQuarantined(
            quarantine_id=item.quarantine_id,
            touchpoint_id=item.touchpoint_id,
            reason=item.reason,
            errors=item.errors,
            received_at=item.received_at,
        )
        await _quarantine(connection, data, dict(item.headers), item.body, clock)


async def quarantine_stray(connection: Connection, arrivals: Sequence[Arrival], clock: Clock) -> None:
    """Quarantines touchpoints of units that are not known."""
    for arrival in arrivals:
        await _quarantine_sound(connection, arrival, "unknown_unit", (UNKNOWN_UNIT,), clock)


async def quarantine_undeclared(connection: Connection, arrivals: Sequence[Undeclared], clock: Clock) -> None:
    """Quarantines touchpoints that are not as the deployment declared its own fields and kinds."""
    for one in arrivals:
        await _quarantine_sound(connection, one.arrival, OWN_FIELDS, one.reasons, clock)


def undeclared(rules: OwnRules, arrival: Arrival) -> Undeclared | None:
    """The arrival with what is wrong with its own fields or its own kind; None where nothing is."""
    faults = rules.touchpoint_faults(arrival.body)
    return Undeclared(arrival, reasons_of(TouchpointInvalid(faults))) if faults else None


async def _quarantine_sound(
    connection: Connection, arrival: Arrival, reason: str, errors: tuple[QuarantineReason, ...], clock: Clock
) -> None:
    data = InteractionQuarantined(
        quarantine_id=stray_id(arrival),
        touchpoint_id=arrival.touchpoint.id,
        reason=reason,
        errors=errors,
        received_at=arrival.received_at,
    )
    await _quarantine(connection, data, dict(arrival.headers), arrival.value, clock)


def stray_id(arrival: Arrival) -> UUID:
    """The quarantine id of a valid touchpoint that this deployment does not accept; the same body has the same id."""
    return derived_id("stray", arrival.touchpoint.id, arrival.digest)


async def quarantine_conflict(connection: Connection, arrival: Arrival, clock: Clock) -> None:
    """Quarantines a different body that arrived under a known id. The entry has a separate id."""
    quarantine_id = derived_id("conflict", arrival.touchpoint.id, arrival.digest)
    data = InteractionQuarantined(
        quarantine_id=quarantine_id,
        touchpoint_id=quarantine_id,
        reason="id_conflict",
        errors=(ID_CONFLICT,),
        conflict_of=arrival.touchpoint.id,
        received_at=arrival.received_at,
    )
    await _quarantine(connection, data, dict(arrival.headers), arrival.value, clock)


async def _quarantine(
    connection: Connection, data: InteractionQuarantined, headers: dict[str, str], body: bytes | None, clock: Clock
) -> None:
    if not await store.save_quarantined(connection, data, headers, body, names_of(body)):
        return
    event = new_event(
        INTERACTION_QUARANTINED,
        data.quarantine_id,
        data,
        sequence=1,
        recorded_at=clock(),
        occurred_at=data.received_at,
        touchpoint_id=data.touchpoint_id,
    )
    await outbox.append(connection, [event])
