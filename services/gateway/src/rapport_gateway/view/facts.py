"""Facts: the events of the four topics as the view keeps them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_shared.contracts.catalogue import EVENT_TYPE_OF
from rapport_shared.contracts.envelope import decode_envelope, instant_text
from rapport_shared.messaging.records import Record

State = dict[str, Any]
"""The state of one partial: JSON."""


def optional_instant(at: datetime | None) -> str | None:
    """An instant as the view shows it, where there is one."""
    return None if at is None else instant_text(at)


def shown_instant(text: str) -> str:
    """An instant as the view shows it, however an event writes it; one without an offset is of UTC."""
    at = datetime.fromisoformat(text)
    return instant_text(at if at.tzinfo else at.replace(tzinfo=UTC))


def optional_shown(text: str | None) -> str | None:
    """An instant as the view shows it, where there is one."""
    return None if text is None else shown_instant(text)


@dataclass(frozen=True, slots=True)
class Fact:
    """An event. `type` is its name without prefix and version; of an unknown one the whole `ce_type`.

    `data` is the event's data as JSON; `text` the same as it came.
    """

    event_id: UUID
    type: str
    subject: str
    profile_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    sequence: int
    data: dict[str, Any]
    text: str
    touchpoint_id: UUID | None = None

    @property
    def at(self) -> str:
        """`occurred_at` as the view shows it."""
        return instant_text(self.occurred_at)

    @property
    def touchpoint(self) -> dict[str, Any]:
        """The touchpoint of a recording."""
        body: dict[str, Any] = self.data["touchpoint"]
        return body


def read_fact(record: Record) -> Fact | None:
    """The fact in a record of an event topic; None for a tombstone. Raises `ValueError` for what is no event."""
    if record.value is None:
        return None
    envelope = decode_envelope(record.headers)
    known = EVENT_TYPE_OF.get(envelope.type)
    try:
        data = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        raise ValueError("the value is not JSON") from None
    if not isinstance(data, dict):
        raise ValueError("the value is not a JSON object")  # noqa: TRY004 - a reader of values knows one error
    return Fact(
        event_id=envelope.id,
        type=known.name if known else envelope.type,
        subject=envelope.subject,
        profile_id=envelope.profile_id,
        occurred_at=envelope.occurred_at,
        recorded_at=envelope.recorded_at,
        sequence=envelope.sequence,
        data=data,
        text=record.value.decode(),
        touchpoint_id=envelope.touchpoint_id,
    )


def is_later(fact: Fact, state: State | None) -> bool:
    """Whether a register's event is newer than its kept state."""
    return state is None or fact.sequence > state["sequence"]
