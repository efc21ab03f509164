"""What an assessment decides of a customer, and what is remembered of it."""

from dataclasses import dataclass, replace
from fractions import Fraction

from rapport_scoring.domain.attention import Attention
from rapport_scoring.domain.dynamics.triggers import Firing
from rapport_scoring.domain.effects import Effects
from rapport_scoring.domain.membership import Membership
from rapport_scoring.domain.memory import Fired, Memory
from rapport_scoring.domain.situation import Situation


@dataclass(frozen=True, slots=True)
class Decisions:
    """Alarms, triggers and segments of a customer at an instant; `effects` says which of them call for action."""

    attention: Attention
    membership: Membership
    effects: Effects


def remember(situation: Situation, decisions: Decisions) -> Memory:
    """What is remembered of a customer after an assessment."""
    before, attention, membership = situation.memory, decisions.attention, decisions.membership
    on = {state.trigger.value for state in attention.triggers.states if state.active}
    fresh = {firing.trigger.value: _fired(firing, decisions.effects) for firing in attention.triggers.firings}
    return replace(
        before,
        alarms=(*before.alarms, *attention.alarms.facts),
        pending=attention.alarms.pending,
        triggers=attention.triggers.states,
        fired={name: one for name, one in (*before.fired.items(), *fresh.items()) if name in on},
        stage=situation.standing.stage.value,
        segments=membership.since,
        kept=membership.kept,
        waiting=False,
    )


def _fired(firing: Firing, effects: Effects) -> Fired:
    inputs = {one.name: _figure(one.value) for one in firing.inputs if one.value is not None}
    return Fired(firing.at, effects.of(f"trigger:{firing.trigger.value}"), inputs)


def _figure(value: Fraction) -> str:
    return str(round(value)) if value.denominator == 1 else f"{float(value):.6f}"
