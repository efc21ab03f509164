"""What scoring reads: a table of event types."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from rapport_scoring.commands.facts import (
    CaseStated,
    Fact,
    ProfilesMoved,
    ProfileStated,
    RecordingRetracted,
    UnitStated,
    take_facts,
)
from rapport_scoring.domain.facts import ATTRIBUTES, Case
from rapport_scoring.recorded import KINDS, recorded
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.settings import CONSUMER
from rapport_scoring.store.registers import CaseRegister, ProfileRegister
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import (
    CUSTOMER_EVENTS,
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    EVENT_TYPES,
    INTERACTION_EVENTS,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    PROFILE_CHANGED,
    TICKET_EVENTS,
    UNIT_CHANGED,
)
from rapport_shared.contracts.codec import Event, decode_event
from rapport_shared.contracts.customer import (
    CustomerMerged,
    CustomerUnmerged,
    ProfileChanged,
    ProfileState,
    UnitChanged,
)
from rapport_shared.contracts.interaction import InteractionRetracted
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import is_erased
from rapport_shared.contracts.ticket import TicketChange, TicketState
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import Reject, rejecting
from rapport_shared.messaging.records import Record


def subscription(rules: RulesInForce, clock: Clock, signal: OutboxSignal) -> Subscription[Fact]:
    """The one subscription of scoring. All topics are keyed by profile, but no worker relies on getting the
    partitions of one profile: row locks make it right wherever they are read."""

    async def apply(connection: Connection, facts: Sequence[Fact]) -> None:
        await take_facts(connection, facts, rules, clock)

    topics = (CUSTOMER_EVENTS, INTERACTION_EVENTS, TICKET_EVENTS)
    return Subscription(CONSUMER, topics, decode, apply, signal.committed, types=frozenset(_TABLE))


def decode(record: Record) -> Fact | None:
    """The fact of a record, None for what scoring does not need. Raises `Reject`, `EnvelopeInvalid`, `DataInvalid`."""
    read = _TABLE.get(record.headers.get("ce_type", ""))
    if read is None or (read is recorded and not _may_be_of_value(record.value)):
        return None
    event = decode_event(record.headers, record.value, record.key)
    return rejecting(read, event) if isinstance(event, Event) else None


def _may_be_of_value(value: bytes | None) -> bool:
    """Many touchpoints say nothing of value: they are told by their kind before they are validated."""
    try:
        body = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return True
    return not isinstance(body, dict) or body.get("kind") in KINDS


def _retracted(event: Event[Contract]) -> Fact:
    return RecordingRetracted(cast(InteractionRetracted, event.data).event_id, event.envelope.recorded_at)


def _moved(event: Event[Contract]) -> Fact:
    moves = cast(CustomerMerged | CustomerUnmerged, event.data).moves
    return ProfilesMoved(moves, event.envelope.recorded_at)


def _unit(event: Event[Contract]) -> Fact:
    unit = cast(UnitChanged, event.data).unit
    try:
        ZoneInfo(unit.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Reject("the unit's time zone is not known") from error
    return UnitStated(unit.path, unit.time_zone, event.envelope.sequence)


def _profile(event: Event[Contract]) -> Fact:
    profile = cast(ProfileChanged, event.data).profile
    attributes = {
        name: [one.model_dump(mode="json") for one in profile.fields[name] if not is_erased(one.value)]
        for name in ATTRIBUTES
        if profile.fields.get(name)
    }
    text = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
    return ProfileStated(
        ProfileRegister(
            profile.profile_id,
            event.envelope.sequence,
            profile.unit,
            profile.registered,
            profile.created_at,
            profile.registered_at,
            _reported_at(profile),
            text,
        ),
        _happened_at(profile, attributes),
    )


def _happened_at(profile: ProfileState, attributes: Mapping[str, list[dict[str, Any]]]) -> datetime | None:
    """When the newest thing that is known of a profile happened: its registration, or a statement of an attribute."""
    stated = [datetime.fromisoformat(one["occurred_at"]) for found in attributes.values() for one in found]
    registered = _reported_at(profile) or profile.registered_at
    return max([*stated, *([registered] if registered is not None else [])], default=None)


def _reported_at(profile: ProfileState) -> datetime | None:
    """When what a profile was registered by happened, as its sources say; nobody's word is later than the record."""
    told = [source.occurred_at for source in profile.sources]
    return min(profile.registered_at, max(told)) if profile.registered_at is not None and told else None


def _case(event: Event[Contract]) -> Fact:
    ticket = cast(TicketChange, event.data).ticket
    case = Case(
        ticket_id=ticket.ticket_id,
        event_id=event.envelope.id,
        profile_id=ticket.profile_id,
        kind=ticket.kind,
        state=ticket.state,
        open=ticket.open,
        opened_at=ticket.opened_at,
        responded_at=_responded_at(ticket),
        resolved_at=ticket.resolved_at,
    )
    return CaseStated(CaseRegister(event.envelope.sequence, case, ticket.changed_at))


def _responded_at(ticket: TicketState) -> Any:
    """When the customer first heard from us: at the first public comment, else at the resolution."""
    public = [comment.at for comment in ticket.comments if comment.visibility == "public"]
    return min(public, default=ticket.resolved_at)


_TICKETS: Final = {event_type.wire for event_type in EVENT_TYPES if issubclass(event_type.model, TicketChange)}
_TABLE: Final[Mapping[str, Callable[[Event[Contract]], Fact | None]]] = {
    INTERACTION_RECORDED.wire: recorded,
    INTERACTION_RETRACTED.wire: _retracted,
    CUSTOMER_MERGED.wire: _moved,
    CUSTOMER_UNMERGED.wire: _moved,
    PROFILE_CHANGED.wire: _profile,
    UNIT_CHANGED.wire: _unit,
    **dict.fromkeys(_TICKETS, _case),
}
