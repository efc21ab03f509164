"""What is told of an assessment besides the score: events, in the order in which they are to be published."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rapport_scoring.domain.attention import Attention
from rapport_scoring.domain.dynamics.alarms import AlarmFact, AlarmState
from rapport_scoring.domain.effects import NO_EFFECTS, Effects
from rapport_scoring.domain.membership import Membership
from rapport_scoring.domain.memory import Heir, Memory, alarm_state
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.standing import Standing
from rapport_shared.contracts import scoring
from rapport_shared.contracts.catalogue import (
    ALARM_EXPIRED,
    ALARM_RAISED,
    ALARM_WITHDRAWN,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    STAGE_CHANGED,
    TRIGGER_CLEARED,
    TRIGGER_FIRED,
    EventType,
)
from rapport_shared.contracts.model import Contract

GONE = "gone"
"""The reading of a move that has no cause: the segment, or all that was known of the customer, is no more."""

_ALARMS = {
    AlarmState.RAISED: (ALARM_RAISED, scoring.AlarmRaised),
    AlarmState.EXPIRED: (ALARM_EXPIRED, scoring.AlarmExpired),
    AlarmState.WITHDRAWN: (ALARM_WITHDRAWN, scoring.AlarmWithdrawn),
}


@dataclass(frozen=True, slots=True)
class Noticed:
    """An event to publish of a customer."""

    type: EventType
    data: Contract


def noticed(
    customer_id: UUID,
    rules: Rules,
    before: Memory,
    after: Memory,
    standing: Standing,
    heed: Attention,
    member: Membership,
    effects: Effects,
) -> tuple[Noticed, ...]:
    """What an assessment found that was not so before it."""
    return (
        *_stage(customer_id, before, standing, effects),
        *(_alarm(customer_id, fact) for fact in heed.alarms.facts),
        *_triggers(customer_id, rules, before, after),
        *_segments(customer_id, rules, member, effects),
    )


def forgotten(
    customer_id: UUID,
    rules: Rules,
    before: Memory,
    after: Memory,
    member: Membership,
    heir: Heir | None = None,
) -> tuple[Noticed, ...]:
    """What is told once nothing is known of a customer any more; `heir` is the customer that it became part of."""
    return (
        *_triggers(customer_id, rules, before, after, heir),
        *_segments(customer_id, rules, member, NO_EFFECTS, heir),
    )


def _stage(customer_id: UUID, before: Memory, standing: Standing, effects: Effects) -> Iterator[Noticed]:
    if standing.stage.value != before.stage:
        changed = scoring.StageChanged(
            customer_id=customer_id,
            before=before.stage,
            after=standing.stage.value,
            since=standing.stage_since,
            effective=effects.of(f"stage:{standing.stage.value}"),
        )
        yield Noticed(STAGE_CHANGED, changed)


def _alarm(customer_id: UUID, fact: AlarmFact) -> Noticed:
    event_type, model = _ALARMS[fact.state]
    return Noticed(event_type, model(customer_id=customer_id, alarm=alarm_state(customer_id, fact)))


def _triggers(
    customer_id: UUID, rules: Rules, before: Memory, after: Memory, heir: Heir | None = None
) -> Iterator[Noticed]:
    version = rules.versions.trigger
    was = {state.name: state for state in before.trigger_states}
    now = {state.name: state for state in after.trigger_states}
    for name in sorted(now.keys() - was.keys()):
        fired = scoring.TriggerFired(customer_id=customer_id, trigger=now[name], policy_version=version)
        yield Noticed(TRIGGER_FIRED, fired)
    for name in sorted(was.keys() - now.keys()):
        moved_to = heir.customer_id if heir is not None and name in heir.memory.fired else None
        cleared = scoring.TriggerCleared(
            customer_id=customer_id, trigger=was[name], policy_version=version, moved_to=moved_to
        )
        yield Noticed(TRIGGER_CLEARED, cleared)


def _segments(
    customer_id: UUID,
    rules: Rules,
    member: Membership,
    effects: Effects,
    heir: Heir | None = None,
) -> Iterator[Noticed]:
    for name in sorted(member.entered):
        entered = _moved(customer_id, rules, member, name) | {"effective": effects.of(f"segment:{name}")}
        yield Noticed(SEGMENT_ENTERED, scoring.SegmentEntered.model_validate(entered))
    for name in sorted(member.left):
        moved_to = heir.customer_id if heir is not None and name in heir.memory.segments else None
        left = _moved(customer_id, rules, member, name) | {"effective": effects.allowed, "moved_to": moved_to}
        yield Noticed(SEGMENT_LEFT, scoring.SegmentLeft.model_validate(left))


def _moved(customer_id: UUID, rules: Rules, member: Membership, name: str) -> dict[str, Any]:
    cause = next(iter(member.causes.get(name, ())), None)
    return {
        "customer_id": customer_id,
        "segment": name,
        "policy_version": rules.versions.segments.get(name, 0),
        "condition": cause.condition if cause else "/when",
        "reading": cause.reading if cause else GONE,
        "before": cause.before if cause else None,
        "after": cause.after if cause else None,
    }
