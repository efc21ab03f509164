"""What the golden messages tell: 王小明 calls about his car, and turns out to be a customer known already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport_shared.contracts.catalogue import (
    EventType,
)
from rapport_shared.contracts.codec import Event, Message, encode_event, new_event
from rapport_shared.contracts.ids import first_touch_profile_id, source_profile_id
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints import Touchpoint
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from rapport_shared.normalisation import identifier_key, normalise_identifier

SECRET = b"of the examples"
UNIT = "cn/east/shanghai"
CALLED = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
CALL = EXAMPLES["call.ended"]
PHONE = CALL["identifiers"][0]
CAR = EXAMPLES["asset.serviced"]["data"]


@dataclass(frozen=True, slots=True)
class Golden:
    """A message, and what was encoded: an event, a state, a reported touchpoint, or None for a tombstone.

    `name` is its file below the examples; its first two parts name the schema of its data.
    """

    name: str
    message: Message
    source: Event[Contract] | Contract | Touchpoint | None


def fixed_id(number: int) -> UUID:
    """A fixed id that looks like those that services make."""
    return UUID(f"019ca710-2640-7000-8000-{number:012d}")


def later(minutes: int) -> datetime:
    """Minutes after the call."""
    return CALLED + timedelta(minutes=minutes)


def normal_form(stated: Mapping[str, Any]) -> str:
    """The normal form of an identifier as a channel states it."""
    return normalise_identifier(stated["type"], stated["value"], stated.get("region"), stated.get("system")).normal


def key_of(stated: Mapping[str, Any]) -> str:
    """Its identifier key, under the secret of the examples."""
    return identifier_key(SECRET, stated["type"], normal_form(stated))


ROUTE = key_of(PHONE)
REGISTERED = source_profile_id("dms-shanghai", "K-20881")
CALLER = first_touch_profile_id(ROUTE, 0)


def golden_event(
    number: int,
    event_type: EventType,
    subject: object,
    data: Contract,
    *,
    sequence: int = 1,
    event_id: UUID | None = None,
    profile_id: UUID | None = None,
    customer_id: UUID | None = None,
    causation_id: UUID | None = None,
    key: UUID | None = None,
) -> Golden:
    """An event recorded `number` minutes after the call; one with the id of a touchpoint occurred at the call."""
    at = later(number)
    event = new_event(
        event_type,
        subject,
        data,
        sequence=sequence,
        recorded_at=at,
        event_id=event_id or fixed_id(number),
        occurred_at=CALLED if event_id else None,
        profile_id=profile_id,
        customer_id=customer_id,
        causation_id=causation_id,
    )
    return Golden(f"events/{event_type.wire}", encode_event(event, key), event)
