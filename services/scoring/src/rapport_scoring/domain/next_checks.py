"""When a trigger has to be looked at again though nothing happens: time alone can make its condition true."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction

from rapport_scoring.domain.crossings import first_true
from rapport_scoring.domain.indicators.finance import reported_exposure, reported_overdue_ratio
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.receivables import Receivable
from rapport_scoring.domain.trigger_policy import TriggerPolicy
from rapport_scoring.domain.triggers import TriggerState, cooled_down, fall, rule_of

Potential = Callable[[date], Fraction | None]
"""Potential value on a day with the facts known now; None where it is unknown."""


def next_cool_down(policy: TriggerPolicy, states: Iterable[TriggerState], after: datetime) -> datetime | None:
    """The first instant after `after` at which a trigger that is off may fire again."""
    ends = (cooled_down(rule_of(policy, state.trigger), state) for state in states)
    return min((end for end in ends if end is not None and end > after), default=None)


def next_fall(policy: TriggerPolicy, potential: Potential, after: date, until: date) -> date | None:
    """The first day in (`after`, `until`] on which potential value has fallen by more than the policy allows.

    Exact where it stays fallen for a week or more, as it does while a customer is silent: the fall over a window
    grows, and wanes over months.
    """
    rule = policy.retention
    window, most = timedelta(days=rule.window_days), Fraction(rule.fall.enter)

    def fallen(day: date) -> bool:
        lost = fall(potential(day), potential(day - window))
        return lost is not None and lost > most

    return first_true(fallen, after, until) if rule.enabled else None


def next_overdue(policy: TriggerPolicy, receivables: Iterable[Receivable], rates: Rates, after: date) -> date | None:
    """The first day after `after` on which the overdue ratio is above the policy's threshold, if nothing is paid.

    At the rates of `after`. None where it never is, where too little is open to matter, or a rate is missing.
    """
    owed, rule = list(receivables), policy.credit_watch
    exposure = reported_exposure(owed, rates, after)
    if not rule.enabled or exposure is None or exposure <= Fraction(rule.least.enter):
        return None
    falls = {due_on + timedelta(days=1) for each in owed for due_on, amount in each.due if amount}
    for day in sorted({after + timedelta(days=1)} | {day for day in falls if day > after}):
        ratio = reported_overdue_ratio(owed, rates, after, day)
        if ratio is not None and ratio > Fraction(rule.overdue.enter):
            return day
    return None
