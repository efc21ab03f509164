"""Triggers: when a customer calls for action. Decided once at an instant and recorded, never recomputed on replay."""

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
    """What triggers look at, at one instant. Amounts in minor units of the reporting currency, unrounded.

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
    """Where a trigger stands: whether it is on, since when it is as it is, and when it last fired."""

    trigger: Trigger
    active: bool
    changed_at: datetime
    fired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Firing:
    """A trigger fired at an instant, and the figures that it looked at."""

    trigger: Trigger
    at: datetime
    inputs: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class Clearing:
    """A trigger is off again, and the figures that it looked at."""

    trigger: Trigger
    at: datetime
    inputs: tuple[Measured, ...]


@dataclass(frozen=True, slots=True)
class TriggerDecision:
    """All states as they are now, by trigger, what fired, and what was cleared."""

    states: tuple[TriggerState, ...]
    firings: tuple[Firing, ...]
    clearings: tuple[Clearing, ...]


def decide_triggers(
    policy: TriggerPolicy, states: Iterable[TriggerState], inputs: TriggerInputs, at: datetime
) -> TriggerDecision:
    """The states and firings at an instant, from the states recorded before it.

    A trigger that is off, and not cooling down, fires and is on when its condition is entered; it is off again when
    the condition is cleared or its rule disabled. An instant before the state's own last change changes nothing.
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
    """From when on a trigger that is off may fire; None for one that is on or never fired."""
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
    """How the condition of a rule stands."""
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
    """1 − now ÷ before: the share that was lost, negative for a rise; 0 where there was nothing to lose."""
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
