"""Organisation units."""

from dataclasses import dataclass
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event, unit_message
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import UNIT_CHANGED
from rapport_shared.contracts.customer import UnitChanged, UnitState
from rapport_shared.database import Connection
from rapport_shared.errors import Precondition
from rapport_shared.messaging import outbox


@dataclass(frozen=True, slots=True)
class UnitWritten:
    """A unit after a command, its revision and the event, if any; `created` when the unit is new."""

    unit: UnitState
    revision: int
    event_id: UUID | None = None
    created: bool = False


async def put_unit(connection: Connection, unit: UnitState, clock: Clock, seen: Precondition) -> UnitWritten:
    """Creates or replaces a unit. Changes nothing if the unit is equal already. Raises a 412."""
    locked = await store.lock_unit(connection, unit.path)
    sequence = locked.sequence if locked else 0
    seen(sequence)
    if locked is not None and locked.state == unit:
        return UnitWritten(unit, sequence)
    event = make_event(
        UNIT_CHANGED,
        unit.path,
        UnitChanged(unit=unit, changed=_changed(locked.state if locked else None, unit)),
        sequence + 1,
        clock(),
        locked.last_recorded_at if locked else None,
    )
    if locked is not None:
        await store.save_unit(connection, unit, sequence + 1, event.envelope.recorded_at)
    elif not await store.insert_unit(connection, unit, event.envelope.recorded_at):
        return await put_unit(connection, unit, clock, seen)
    await outbox.append(connection, [event])
    await outbox.queue(connection, [unit_message(unit)])
    return UnitWritten(unit, sequence + 1, event.envelope.id, created=locked is None)


def _changed(before: UnitState | None, after: UnitState) -> tuple[str, ...]:
    if before is None:
        return ("created",)
    return tuple(name for name in UnitState.model_fields if getattr(before, name) != getattr(after, name))
