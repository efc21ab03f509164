"""What scoring reads: a table of event types."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Final, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from rapport_scoring.commands import (
    DocumentStated,
    Fact,
    ProfilesMoved,
    RecordingRetracted,
    UnitStated,
    take_facts,
)
from rapport_scoring.domain.documents import Statement, value_day
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import (
    CUSTOMER_EVENTS,
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    INTERACTION_EVENTS,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    UNIT_CHANGED,
)
from rapport_shared.contracts.codec import Event, decode_event
from rapport_shared.contracts.customer import CustomerMerged, CustomerUnmerged, UnitChanged
from rapport_shared.contracts.interaction import InteractionRecorded, InteractionRetracted
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints import (
    DocumentTouchpoint,
    document_key,
    read_touchpoint,
    revision,
)
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import Reject
from rapport_shared.messaging.records import Record

CONSUMER: Final = "value"

DOCUMENT_KINDS: Final = frozenset(
    get_args(model.model_fields["kind"].annotation)[0] for model in get_args(DocumentTouchpoint)
)


def subscription(clock: Clock, signal: OutboxSignal) -> Subscription[Fact]:
    """The one subscription of scoring. Both topics are keyed by profile, but no worker relies on getting the two
    partitions of a profile: row locks make it right wherever they are read."""

    async def apply(connection: Connection, facts: Sequence[Fact]) -> None:
        await take_facts(connection, facts, clock)

    async def committed() -> None:
        signal.notify()

    return Subscription(CONSUMER, (CUSTOMER_EVENTS, INTERACTION_EVENTS), decode, apply, committed)


def decode(record: Record) -> Fact | None:
    """The fact of a record, None for what scoring does not need. Raises `Reject`, `EnvelopeInvalid`, `DataInvalid`."""
    read = _TABLE.get(record.headers.get("ce_type", ""))
    if read is None or (read is _stated and not _may_state_a_document(record.value)):
        return None
    event = decode_event(record.headers, record.value, record.key)
    return read(event) if isinstance(event, Event) else None


def _may_state_a_document(value: bytes | None) -> bool:
    """Most touchpoints are no commerce documents: they are told by their kind before they are validated."""
    try:
        body = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return True
    return not isinstance(body, dict) or body.get("kind") in DOCUMENT_KINDS


def _stated(event: Event[Contract]) -> Fact | None:
    data = cast(InteractionRecorded, event.data)
    if data.profile_id is None or data.kind not in DOCUMENT_KINDS:
        return None  # a document of nobody's is no fact about a customer; attributed, it is recorded anew
    touchpoint = cast(DocumentTouchpoint, read_touchpoint({**data.touchpoint, "id": str(data.touchpoint_id)}))
    statement = Statement(
        event_id=event.envelope.id,
        profile_id=data.profile_id,
        key=document_key(touchpoint),
        kind=touchpoint.kind,
        revision=revision(touchpoint),
        occurred_at=event.envelope.occurred_at,
        unit=data.unit,
        data=touchpoint.data,
        day=value_day(touchpoint.data, event.envelope.occurred_at, UTC),  # read back in the zone of its unit
    )
    return DocumentStated(statement, event.envelope.recorded_at)


def _retracted(event: Event[Contract]) -> Fact:
    return RecordingRetracted(cast(InteractionRetracted, event.data).event_id, event.envelope.recorded_at)


def _moved(event: Event[Contract]) -> Fact:
    return ProfilesMoved(cast(CustomerMerged | CustomerUnmerged, event.data).moves)


def _unit(event: Event[Contract]) -> Fact:
    unit = cast(UnitChanged, event.data).unit
    try:
        ZoneInfo(unit.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Reject("the unit's time zone is not known") from error
    return UnitStated(unit.path, unit.time_zone, event.envelope.sequence)


_TABLE: Final[Mapping[str, Callable[[Event[Contract]], Fact | None]]] = {
    INTERACTION_RECORDED.wire: _stated,
    INTERACTION_RETRACTED.wire: _retracted,
    CUSTOMER_MERGED.wire: _moved,
    CUSTOMER_UNMERGED.wire: _moved,
    UNIT_CHANGED.wire: _unit,
}
