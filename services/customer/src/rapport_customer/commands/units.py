"""Organisation units."""

from collections.abc import Callable
from typing import Any

from rapport_customer import store
from rapport_customer.commands.events import make_event, unit_message
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import UNIT_CHANGED
from rapport_shared.contracts.customer import UnitChanged, UnitState
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_shared.web.commands import Answer, revision_etag


async def put_unit(
    connection: Connection, unit: UnitState, clock: Clock, precondition: Callable[[str], None]
) -> Answer:
    """Creates or replaces a unit; nothing happens when it is so already. `precondition` may raise a 412."""
    locked = await store.lock_unit(connection, unit.path)
    sequence = locked.sequence if locked else 0
    precondition(revision_etag(sequence))
    if locked is not None and locked.state == unit:
        return Answer(200, _body(unit), (), revision_etag(sequence))
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
        return await put_unit(connection, unit, clock, precondition)
    await outbox.append(connection, [event])
    await outbox.queue(connection, [unit_message(unit)])
    return Answer(200 if locked else 201, _body(unit), (event.envelope.id,), revision_etag(sequence + 1))


def _body(unit: UnitState) -> dict[str, Any]:
    return unit.model_dump(mode="json")


def _changed(before: UnitState | None, after: UnitState) -> tuple[str, ...]:
    if before is None:
        return ("created",)
    return tuple(name for name in UnitState.model_fields if getattr(before, name) != getattr(after, name))
