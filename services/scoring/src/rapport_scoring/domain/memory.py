"""What is remembered of a customer: decisions that were made once, and since when it is where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter

from rapport_scoring.domain.dynamics.alarms import AlarmFact, AlarmState, Silence
from rapport_scoring.domain.dynamics.triggers import TriggerState
from rapport_scoring.domain.segments import Kept
from rapport_shared.contracts import scoring
from rapport_shared.contracts.ids import derived_id

if TYPE_CHECKING:
    from rapport_scoring.domain.attention import Attention
    from rapport_scoring.domain.effects import Effects
    from rapport_scoring.domain.membership import Membership
    from rapport_scoring.domain.standing import Standing

MOST_ALARMS = 20
"""Alarms of the newest episodes are told; all are remembered."""


@dataclass(frozen=True, slots=True)
class Fired:
    """Of a trigger that is on: since when, whether anybody was to act on it, and what it looked at."""

    since: datetime
    effective: bool
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Memory:
    """What was decided of a customer, and where it stood when it was last assessed.

    `segments` are those it is in, since when; `kept` is what they read of it, nothing where there are no segments.
    """

    alarms: tuple[AlarmFact, ...] = ()
    pending: Silence | None = None
    triggers: tuple[TriggerState, ...] = ()
    fired: Mapping[str, Fired] = field(default_factory=dict)
    stage: str | None = None
    segments: Mapping[str, datetime] = field(default_factory=dict)
    kept: Kept | None = None

    def after(self, standing: Standing, heed: Attention, member: Membership, effects: Effects) -> Memory:
        """What is remembered after an assessment; `effects` say whether anybody is to act on what fired in it."""
        on = {state.trigger.value for state in heed.triggers.states if state.active}
        fresh = {
            firing.trigger.value: Fired(
                firing.at,
                effects.of(f"trigger:{firing.trigger.value}"),
                {one.name: _figure(one.value) for one in firing.inputs if one.value is not None},
            )
            for firing in heed.triggers.firings
        }
        return replace(
            self,
            alarms=(*self.alarms, *heed.alarms.facts),
            pending=heed.alarms.pending,
            triggers=heed.triggers.states,
            fired={name: one for name, one in (*self.fired.items(), *fresh.items()) if name in on},
            stage=standing.stage.value,
            segments=member.since,
            kept=member.kept,
        )

    def forgotten(self) -> Memory:
        """What is remembered once nothing is known of the customer any more: which alarms were recorded."""
        return Memory(alarms=self.alarms)

    @property
    def trigger_states(self) -> tuple[scoring.TriggerState, ...]:
        """The triggers that are on, as they are told."""
        return tuple(
            scoring.TriggerState(name=name, since=one.since, effective=one.effective, inputs=dict(one.inputs))
            for name, one in sorted(self.fired.items())
        )

    def alarm_states(self, customer_id: UUID) -> tuple[scoring.AlarmState, ...]:
        """The newest alarms as they are told, the newest episode first; the pending one is the newest."""
        last = {fact.episode: fact for fact in self.alarms}
        told = [alarm_state(customer_id, last[episode]) for episode in sorted(last, reverse=True)][:MOST_ALARMS]
        if self.pending is None:
            return tuple(told)
        return (_pending(customer_id, self.pending), *told)


@dataclass(frozen=True, slots=True)
class Heir:
    """The customer that another one became part of, and what is remembered of it."""

    customer_id: UUID
    memory: Memory


def alarm_state(customer_id: UUID, fact: AlarmFact) -> scoring.AlarmState:
    """An alarm as it is told."""
    return scoring.AlarmState(
        alarm_id=alarm_id(customer_id, fact.episode.kind, fact.episode.began_on),
        kind=fact.episode.kind,
        episode=fact.episode.began_on,
        due_at=fact.due,
        state=fact.state.value,
        reason=fact.reason.value if fact.reason is not None else None,
    )


def _pending(customer_id: UUID, silence: Silence) -> scoring.AlarmState:
    episode = silence.episode
    return scoring.AlarmState(
        alarm_id=alarm_id(customer_id, episode.kind, episode.began_on),
        kind=episode.kind,
        episode=episode.began_on,
        due_at=silence.due,
        state="pending",
    )


def alarm_id(customer_id: UUID, kind: str, episode: date) -> UUID:
    """The id of an episode's alarm: the same whoever derives it."""
    return derived_id("alarm", customer_id, kind, episode.isoformat())


def _figure(value: Any) -> str:
    return str(round(value)) if value.denominator == 1 else f"{float(value):.6f}"


def memory_of(text: str | None) -> Memory:
    """The memory that `to_text` wrote; an empty one of nothing."""
    return Memory() if text is None else _ADAPTER.validate_json(text)


def text_of(memory: Memory) -> str:
    """A memory as JSON text; equal memories give equal texts."""
    return _ADAPTER.dump_json(memory).decode()


_ADAPTER = TypeAdapter(Memory)

__all__ = ["AlarmState", "Fired", "Heir", "Memory", "alarm_id", "alarm_state", "memory_of", "text_of"]
