"""When a trigger has to be looked at again though nothing happens: time alone can make its condition true."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache

from rapport_scoring.domain.crossings import first_true
from rapport_scoring.domain.indicators.finance import reported_exposure
from rapport_scoring.domain.indicators.indicator import distinct
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

    Exact where it stays fallen for half a window or more, as it does while a customer is silent: the fall over a
    window grows, and wanes over months. Asks for the potential of two days a window, and of each day once.
    """
    rule, known = policy.retention, cache(potential)
    window, most = timedelta(days=rule.window_days), Fraction(rule.fall.enter)

    def fallen(day: date) -> bool:
        lost = fall(known(day), known(day - window))
        return lost is not None and lost > most

    return first_true(fallen, after, until, max(1, rule.window_days // 2)) if rule.enabled else None


def next_overdue(policy: TriggerPolicy, receivables: Iterable[Receivable], rates: Rates, after: date) -> date | None:
    """The first day after `after` on which the overdue ratio is above the policy's threshold, if nothing is paid.

    At the rates of `after`. None where it never is, where too little is open to matter, or a rate is missing.
    """
    owed, rule, tomorrow = distinct(receivables), policy.credit_watch, after + timedelta(days=1)
    exposure = reported_exposure(owed, rates, after)
    if not rule.enabled or exposure is None or exposure <= Fraction(rule.least.enter):
        return None
    late, most = Fraction(0), exposure * Fraction(rule.overdue.enter)
    for day, amount in sorted(_falling_due(owed, rates, after)):
        late += amount
        if late > most:
            return max(day, tomorrow)
    return None


def _falling_due(receivables: Iterable[Receivable], rates: Rates, on: date) -> Iterator[tuple[date, Fraction]]:
    """What is overdue from which day on, in minor units of the reporting currency at the rates of `on`."""
    for receivable in receivables:
        factor = rates.factor(receivable.currency, on) or Fraction(0)
        for due_on, amount in receivable.due:
            if amount > 0:
                yield due_on + timedelta(days=1), amount * factor
