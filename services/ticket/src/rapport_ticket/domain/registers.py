"""The registers of the customer service that tickets need: known profiles, routes, customers, units.

A batch of events is reduced to the latest event of each key, in any order of arrival.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rapport_shared.contracts.catalogue import (
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    IDENTIFIER_ROUTED,
    PROFILE_CHANGED,
    UNIT_CHANGED,
)
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import (
    CustomerMerged,
    CustomerUnmerged,
    IdentifierRouted,
    ProfileChanged,
    ProfileMove,
    ProfileState,
    UnitChanged,
    UnitState,
)


@dataclass(slots=True)
class Registers:
    """The latest state of each key; of records and units with the sequence of the event.

    `profiles` are all profiles that occur in an event, `records` those with a published record.
    """

    profiles: set[UUID] = field(default_factory=set)
    records: dict[UUID, tuple[int, ProfileState]] = field(default_factory=dict)
    routes: dict[str, IdentifierRouted] = field(default_factory=dict)
    moves: dict[UUID, ProfileMove] = field(default_factory=dict)
    units: dict[str, tuple[int, UnitState]] = field(default_factory=dict)


def fold(events: Iterable[Event[Any]]) -> Registers:
    """Returns the latest state of each key in `events`, all of types in `FOLDS`."""
    registers = Registers()
    for event in events:
        FOLDS[event.type.wire](registers, event)
    return registers


def _profile(registers: Registers, event: Event[ProfileChanged]) -> None:
    record, sequence = event.data.profile, event.envelope.sequence
    registers.profiles.add(record.profile_id)
    known = registers.records.get(record.profile_id)
    if known is None or known[0] < sequence:
        registers.records[record.profile_id] = (sequence, record)


def _route(registers: Registers, event: Event[IdentifierRouted]) -> None:
    routed = event.data
    known = registers.routes.get(routed.identifier_key)
    if known is None or known.route_seq < routed.route_seq:
        registers.routes[routed.identifier_key] = routed
    if routed.profile_id is not None:
        registers.profiles.add(routed.profile_id)


def _moves(registers: Registers, event: Event[CustomerMerged] | Event[CustomerUnmerged]) -> None:
    for move in event.data.moves:
        known = registers.moves.get(move.profile_id)
        if known is None or known.mapping_seq < move.mapping_seq:
            registers.moves[move.profile_id] = move
        registers.profiles |= {move.profile_id, move.customer_id}


def _unit(registers: Registers, event: Event[UnitChanged]) -> None:
    unit, sequence = event.data.unit, event.envelope.sequence
    known = registers.units.get(unit.path)
    if known is None or known[0] < sequence:
        registers.units[unit.path] = (sequence, unit)


FOLDS: Mapping[str, Callable[[Registers, Event[Any]], None]] = {
    PROFILE_CHANGED.wire: _profile,
    IDENTIFIER_ROUTED.wire: _route,
    CUSTOMER_MERGED.wire: _moves,
    CUSTOMER_UNMERGED.wire: _moves,
    UNIT_CHANGED.wire: _unit,
}
