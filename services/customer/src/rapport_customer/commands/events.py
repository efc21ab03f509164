"""Builds the events of the customer service from locked rows."""

from datetime import datetime
from uuid import UUID

from rapport_shared.clock import next_recorded
from rapport_shared.contracts.catalogue import PROFILE_MAP_STATE, UNIT_STATE, EventType
from rapport_shared.contracts.codec import Event, Message, encode_state, new_event
from rapport_shared.contracts.customer import ProfileMapState, ProfileMove, UnitState
from rapport_shared.contracts.model import Contract


def make_event(
    event_type: EventType,
    subject: object,
    data: Contract,
    sequence: int,
    now: datetime,
    last_recorded_at: datetime | None,
    *,
    profile_id: UUID | None = None,
    customer_id: UUID | None = None,
    causation_id: UUID | None = None,
) -> Event[Contract]:
    """The next event of a locked aggregate. Its event time is its recorded time."""
    return new_event(
        event_type,
        subject,
        data,
        sequence=sequence,
        recorded_at=next_recorded(now, last_recorded_at),
        profile_id=profile_id,
        customer_id=customer_id,
        causation_id=causation_id,
    )


def profile_map_message(move: ProfileMove) -> Message:
    """The compacted state of a profile's customer."""
    state = ProfileMapState(profile_id=move.profile_id, customer_id=move.customer_id, mapping_seq=move.mapping_seq)
    return encode_state(PROFILE_MAP_STATE, move.profile_id, state)


def unit_message(unit: UnitState) -> Message:
    """The compacted state of a unit."""
    return encode_state(UNIT_STATE, unit.path, unit)
