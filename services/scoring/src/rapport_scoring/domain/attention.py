"""What calls for attention at an instant: alarms of silence, and triggers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from rapport_scoring.domain.dynamics.alarms import (
    AlarmDecision,
    Episode,
    Silence,
    decide_alarms,
    open_alarms,
    silence_due,
)
from rapport_scoring.domain.dynamics.crossings import Measured
from rapport_scoring.domain.dynamics.fading import kept
from rapport_scoring.domain.dynamics.next_checks import next_cool_down, next_fall, next_overdue
from rapport_scoring.domain.dynamics.triggers import TriggerDecision, TriggerInputs, decide_triggers
from rapport_scoring.domain.forecast import MONTH, silence_alarm
from rapport_scoring.domain.indicators.finance import reported_exposure, reported_overdue_ratio
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.situation import Situation, midnight
from rapport_scoring.domain.standing import Standing
from rapport_scoring.domain.valuation import Valuation, figure
from rapport_shared.contracts.scoring import SILENCE, Stage

LOOK_AHEAD = timedelta(days=730)
FAR_AHEAD = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class Attention:
    """What was decided of alarms and triggers, and when to decide again."""

    alarms: AlarmDecision
    triggers: TriggerDecision
    due: tuple[datetime, ...]


def decide_attention(situation: Situation) -> Attention:
    """The alarms and triggers of a customer, starting from those that were decided before."""
    present, before, instant = silence(situation), situation.memory, situation.instant
    days = [purchase.day for purchase in situation.values.purchases]
    alarms = decide_alarms(present, days, before.alarms, situation.rules.alarms, instant)
    silent = bool(open_alarms([*before.alarms, *alarms.facts]))
    inputs = trigger_inputs(situation, silent=silent)
    triggers = decide_triggers(situation.rules.trigger, before.triggers, inputs, instant)
    due = [alarms.pending.due] if alarms.pending else []
    return Attention(alarms, triggers, (*due, *_checks(situation, triggers)))


def silence(situation: Situation) -> Silence | None:
    """The episode that the last purchase began, and when its silence becomes an alarm; None without a purchase."""
    facts, values = situation.facts, situation.values
    if not values.purchases:
        return None
    last = max(values.purchases, key=lambda purchase: (purchase.day, purchase.event_id))
    episode = Episode(facts.customer_id, SILENCE, last.day)
    due = _silence_due(situation.rules, values, last.day)
    return Silence(episode, due, due.date(), last.event_id in facts.history)


def _silence_due(rules: Rules, values: Valuation, last: date) -> datetime:
    """T* after the first purchase, as an instant; without a repeat purchase the policy's fixed silence."""
    rule, basis = rules.trigger.silence, values.outlook.basis
    recency = basis.history.recency(values.on) if basis is not None else None
    age = (
        silence_alarm(basis.parameters.purchases, recency.repeats, recency.last, rules.value.forecast.alarm_probability)
        if basis is not None and recency is not None
        else None
    )
    if basis is None or age is None:
        return silence_due(last, rule.days_without_repeat, UTC)[0]
    after = min(timedelta(days=age * MONTH), FAR_AHEAD)
    return max(midnight(basis.history.days[0]) + after, silence_due(last, 1, UTC)[0])


def trigger_inputs(situation: Situation, *, silent: bool) -> TriggerInputs:
    """The figures that triggers look at."""
    rules, values, standing, today = situation.rules, situation.values, situation.standing, situation.today
    rates, owed = rules.value.rates, values.ledger.receivables
    currency, earlier = rates.reporting, today - timedelta(days=rules.trigger.retention.window_days)
    newest = tuple(purchase.event_id for purchase in values.purchases[-1:])
    exposure = reported_exposure(owed, rates, today)

    def money(name: str, value: Fraction | None) -> Measured:
        return Measured(name, value, currency, newest)

    return TriggerInputs(
        potential=money("potential", _potential(rules, values, today)),
        potential_before=money("potential_before", _potential(rules, values, earlier)),
        silent=Measured("silent", Fraction(silent), "flag"),
        tier_figure=money(rules.tier.measure, figure(standing.tier.figure)),
        lapsed=Measured("lapsed", Fraction(standing.stage is Stage.LAPSED), "flag"),
        lifetime=money("lifetime", figure(values.lifetime)),
        share_of_wallet=_indicator(standing, "share_of_wallet"),
        model=money("model", _in_reporting(rules, values, today)),
        overdue_ratio=Measured("overdue_ratio", reported_overdue_ratio(owed, rates, today, today, exposure), "ratio"),
        exposure=Measured("exposure", exposure, currency),
    )


def _potential(rules: Rules, values: Valuation, day: date) -> Fraction | None:
    """Potential value on a day in the reporting currency, with the facts known now."""
    basis = values.outlook.basis
    found = basis.potential(day) if basis is not None else None
    if basis is None or found is None or basis.currency == rules.value.rates.reporting:
        return found
    factor = rules.value.rates.factor(basis.currency, day)
    return None if factor is None else found * factor


def _in_reporting(rules: Rules, values: Valuation, day: date) -> Fraction | None:
    value = values.outlook.model.value
    if value is not None and value.currency == rules.value.rates.reporting:
        return Fraction(value.amount)
    factor = rules.value.rates.factor(value.currency, day) if value is not None else None
    return None if value is None or factor is None else value.amount * factor


def _indicator(standing: Standing, name: str) -> Measured:
    found = next((one for one in standing.indicators if one.name == name), None)
    if found is None or found.value is None:
        return Measured(name, None, "ratio")
    return Measured(name, Fraction(found.value), found.unit, found.events)


def _checks(situation: Situation, triggers: TriggerDecision) -> Iterable[datetime]:
    """When a trigger may become true, or may fire again, though nothing happens."""
    rules, values, today = situation.rules, situation.values, situation.today
    days = [next_overdue(rules.trigger, values.ledger.receivables, rules.value.rates, today)]
    basis = values.outlook.basis
    if basis is not None and len(basis.history) > 1:
        days.append(
            next_fall(
                rules.trigger,
                lambda day: _potential(rules, values, day),
                today,
                today + LOOK_AHEAD,
                lambda window, days: kept(basis, rules.value.rates, today, window, days),
            )
        )
    cool = next_cool_down(rules.trigger, triggers.states, situation.instant)
    return [*(midnight(day) for day in days if day is not None), *([cool] if cool is not None else [])]
