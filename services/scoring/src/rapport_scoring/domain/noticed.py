"""What is published of an assessment besides the score: events, in the order of publication."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rapport_scoring.domain.decisions import Decisions
from rapport_scoring.domain.dynamics.alarms import AlarmFact, AlarmState
from rapport_scoring.domain.effects import NO_EFFECTS, Effects
from rapport_scoring.domain.membership import Membership, no_membership
from rapport_scoring.domain.memory import Memory, Survivor, alarm_state
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.situation import Situation
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


def noticed(situation: Situation, decisions: Decisions, after: Memory) -> tuple[Noticed, ...]:
    """What an assessment found that was not so before it."""
    customer_id, rules, before = situation.facts.customer_id, situation.rules, situation.memory
    return (
        *_stage(situation, decisions.effects),
        *(_alarm(customer_id, fact) for fact in decisions.attention.alarms.facts),
        *_triggers(customer_id, rules, before, after),
        *_segments(customer_id, rules, decisions.membership, decisions.effects),
    )


def noticed_gone(
    customer_id: UUID, rules: Rules, before: Memory, after: Memory, survivor: Survivor | None = None
) -> tuple[Noticed, ...]:
    """What is published once nothing is known of a customer any more, as of one merged into `survivor`."""
    return (
        *_triggers(customer_id, rules, before, after, survivor),
        *_segments(customer_id, rules, no_membership(before), NO_EFFECTS, survivor),
    )


def _stage(situation: Situation, effects: Effects) -> Iterator[Noticed]:
    before, standing = situation.memory.stage, situation.standing
    if standing.stage.value != before:
        changed = scoring.StageChanged(
            customer_id=situation.facts.customer_id,
            before=before,
            after=standing.stage.value,
            since=standing.stage_since,
            effective=effects.of(f"stage:{standing.stage.value}"),
        )
        yield Noticed(STAGE_CHANGED, changed)


def _alarm(customer_id: UUID, fact: AlarmFact) -> Noticed:
    event_type, model = _ALARMS[fact.state]
    return Noticed(event_type, model(customer_id=customer_id, alarm=alarm_state(fact)))


def _triggers(
    customer_id: UUID, rules: Rules, before: Memory, after: Memory, survivor: Survivor | None = None
) -> Iterator[Noticed]:
    version = rules.versions.trigger
    was = {state.name: state for state in before.trigger_states}
    now = {state.name: state for state in after.trigger_states}
    for name in sorted(now.keys() - was.keys()):
        fired = scoring.TriggerFired(customer_id=customer_id, trigger=now[name], policy_version=version)
        yield Noticed(TRIGGER_FIRED, fired)
    for name in sorted(was.keys() - now.keys()):
        moved_to = survivor.customer_id if survivor is not None and name in survivor.memory.fired else None
        cleared = scoring.TriggerCleared(
            customer_id=customer_id, trigger=was[name], policy_version=version, moved_to=moved_to
        )
        yield Noticed(TRIGGER_CLEARED, cleared)


def _segments(
    customer_id: UUID,
    rules: Rules,
    membership: Membership,
    effects: Effects,
    survivor: Survivor | None = None,
) -> Iterator[Noticed]:
    for name in sorted(membership.entered):
        entered = _moved(customer_id, rules, membership, name) | {"effective": effects.of(f"segment:{name}")}
        yield Noticed(SEGMENT_ENTERED, scoring.SegmentEntered.model_validate(entered))
    for name in sorted(membership.left):
        moved_to = survivor.customer_id if survivor is not None and name in survivor.memory.segments else None
        left = _moved(customer_id, rules, membership, name) | {"effective": effects.allowed, "moved_to": moved_to}
        yield Noticed(SEGMENT_LEFT, scoring.SegmentLeft.model_validate(left))


def _moved(customer_id: UUID, rules: Rules, membership: Membership, name: str) -> dict[str, Any]:
    cause = next(iter(membership.causes.get(name, ())), None)
    return {
        "customer_id": customer_id,
        "segment": name,
        "policy_version": rules.versions.segments.get(name, 0),
        "condition": cause.condition if cause else "/when",
        "reading": cause.reading if cause else GONE,
        "before": cause.before if cause else None,
        "after": cause.after if cause else None,
    }
