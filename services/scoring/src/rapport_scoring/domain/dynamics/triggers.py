"""Triggers: reasons to act on a customer. Each is decided once at an instant and recorded, never computed on replay."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import assert_never

from rapport_scoring.domain.dynamics.crossings import Crossing, Measured, above, all_of, any_of, below, flag
from rapport_scoring.domain.dynamics.trigger_policy import (
    CreditRule,
    GrowthRule,
    RetentionRule,
    TriggerPolicy,
    WinBackRule,
)
from rapport_shared.contracts.scoring import Trigger

Rule = RetentionRule | WinBackRule | GrowthRule | CreditRule


@dataclass(frozen=True, slots=True)
class TriggerInputs:
    """The figures that triggers compare, at one instant. Amounts in minor units of the reporting currency, unrounded.

    `potential_before` is potential value `window_days` earlier with the facts known now; `silent` is 1 while a silence
    alarm is open, `lapsed` 1 while that is the stage, else 0; `tier_figure` is the measure of the tiers.
    """

    potential: Measured
    potential_before: Measured
    silent: Measured
    tier_figure: Measured
    lapsed: Measured
    lifetime: Measured
    share_of_wallet: Measured
    model: Measured
    overdue_ratio: Measured
    exposure: Measured


@dataclass(frozen=True, slots=True)
class TriggerState:
    """The state of a trigger: whether it is active, when the state last changed, and when the trigger last fired."""

    trigger: Trigger
    active: bool
    changed_at: datetime
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Firing:
    """A trigger fired at an instant, and the figures that it compared."""

    trigger: Trigger
    at: datetime
    inputs: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Clearing:
    """A trigger was cleared at an instant, and the figures that it compared."""

    trigger: Trigger
    at: datetime
    inputs: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class TriggerDecision:
    """The new states in the order of triggers, and the triggers that fired or were cleared."""

    states: tuple[TriggerState, ...]
    firings: tuple[Firing, ...]
    clearings: tuple[Clearing, ...]


def decide_triggers(
    policy: TriggerPolicy, states: Iterable[TriggerState], inputs: TriggerInputs, at: datetime
) -> TriggerDecision:
    """The states and firings at an instant, from the states recorded before it.

    An inactive trigger that is not cooling down fires and becomes active when its condition is entered. It becomes
    inactive when the condition is cleared or its rule is disabled. A state does not change at an instant before its
    last change.
    """
    before = {state.trigger: state for state in states}
    decided = [_decide(policy, trigger, before.get(trigger), inputs, at) for trigger in Trigger]
    changes = [change for _, change in decided]
    return TriggerDecision(
        states=tuple(state for state, _ in decided if state),
        firings=tuple(change for change in changes if isinstance(change, Firing)),
        clearings=tuple(change for change in changes if isinstance(change, Clearing)),
    )


def cooled_down(rule: Rule, state: TriggerState) -> datetime | None:
    """The instant from which an inactive trigger may fire again; None for one that is active or has never fired."""
    if state.active or state.fired_at is None:
        return None
    return state.fired_at + timedelta(days=rule.cool_down_days)


def rule_of(policy: TriggerPolicy, trigger: Trigger) -> Rule:
    """The policy's rule for a trigger."""
    match trigger:
        case Trigger.RETENTION:
            return policy.retention
        case Trigger.WIN_BACK:
            return policy.win_back
        case Trigger.GROWTH:
            return policy.growth
        case Trigger.CREDIT_WATCH:
            return policy.credit_watch
        case _:
            assert_never(trigger)


def crossing(rule: Rule, inputs: TriggerInputs) -> Crossing:
    """Whether the condition of a rule is entered or cleared."""
    match rule:
        case RetentionRule():
            return any_of(_fallen(rule, inputs), all_of(flag(inputs.silent), above(inputs.tier_figure, rule.worth)))
        case WinBackRule():
            return all_of(flag(inputs.lapsed), above(inputs.lifetime, rule.worth))
        case GrowthRule():
            return all_of(below(inputs.share_of_wallet, rule.share), above(inputs.model, rule.model))
        case CreditRule():
            late = all_of(above(inputs.overdue_ratio, rule.overdue), above(inputs.exposure, rule.least))
            return any_of(late, above(inputs.exposure, rule.exposure))
        case _:
            assert_never(rule)


def fall(now: Fraction | None, before: Fraction | None) -> Fraction | None:
    """1 − now ÷ before: the lost share, negative for a rise; 0 if `before` is not positive."""
    if now is None or before is None:
        return None
    if before.numerator <= 0:
        return Fraction(0)
    there, left = before.numerator * now.denominator, now.numerator * before.denominator
    return Fraction(there - left, there)


def _fallen(rule: RetentionRule, inputs: TriggerInputs) -> Crossing:
    now, before = inputs.potential, inputs.potential_before
    lost = above(Measured("potential_fall", fall(now.value, before.value), "ratio", now.events), rule.fall)
    return Crossing(lost.entered, lost.cleared, (*lost.inputs, now, before))


def _decide(
    policy: TriggerPolicy, trigger: Trigger, state: TriggerState | None, inputs: TriggerInputs, at: datetime
) -> tuple[TriggerState | None, Firing | Clearing | None]:
    if state is not None and at < state.changed_at:
        return state, None
    rule = rule_of(policy, trigger)
    stands = crossing(rule, inputs)
    if state is not None and state.active:
        if rule.enabled and not stands.cleared:
            return state, None
        return TriggerState(trigger, False, at, state.fired_at), Clearing(trigger, at, stands.inputs)
    ready = state and cooled_down(rule, state)
    if not rule.enabled or not stands.entered or (ready and at < ready):
        return state, None
    return TriggerState(trigger, True, at, at), Firing(trigger, at, stands.inputs)
