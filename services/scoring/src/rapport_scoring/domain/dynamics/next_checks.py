"""When a trigger has to be looked at again though nothing happens: time alone can make its condition true."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache

from rapport_scoring.domain.dynamics.crossings import first_true, strides
from rapport_scoring.domain.dynamics.fading import Kept
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.dynamics.triggers import TriggerState, cooled_down, fall, rule_of
from rapport_scoring.domain.indicators.finance import reported_exposure
from rapport_scoring.domain.ledger.lines import beyond
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.settlement.receivables import Receivable

Potential = Callable[[date], Fraction | None]
"""Potential value on a day with the facts known now; None where it is unknown."""
Keeping = Callable[[timedelta, Sequence[date]], Kept | None]
"""Between what the share lies that is left of it on days after a window; None where nothing is known of that."""


def next_cool_down(policy: TriggerPolicy, states: Iterable[TriggerState], after: datetime) -> datetime | None:
    """The first instant after `after` at which a trigger that is off may fire again."""
    ends = (cooled_down(rule_of(policy, state.trigger), state) for state in states)
    return min((end for end in ends if end is not None and end > after), default=None)


def next_fall(
    policy: TriggerPolicy, potential: Potential, after: date, until: date, keeping: Keeping = lambda *_: None
) -> date | None:
    """The first day in (`after`, `until`] on which potential value has fallen by more than the policy allows.

    Exact where it stays fallen for half a window or more, as it does while a customer is silent: the fall over a
    window grows, and wanes over months. Asks for the potential of two days a window, and of each day once; with
    `keeping` only of those that its bounds leave open.
    """
    rule, known = policy.retention, cache(potential)
    if not rule.enabled:
        return None
    window, most, stride = timedelta(days=rule.window_days), Fraction(rule.fall.enter), max(1, rule.window_days // 2)
    ahead = [day for day in strides(after, until, stride) if day - window >= after]
    sure = _surely_fallen(keeping, window, ahead, most)

    def fallen(day: date) -> bool:
        if day in sure:
            return sure[day]
        lost = fall(known(day), known(day - window))
        return lost is not None and beyond(lost, most)

    return first_true(fallen, after, until, stride)


def _surely_fallen(keeping: Keeping, window: timedelta, days: list[date], most: Fraction) -> dict[date, bool]:
    """On which of `days` potential value has, or has not, fallen by more than `most`, as far as bounds say so."""
    found = keeping(window, days) if days and most >= 0 else None
    if found is None:
        return {}
    left = float(1 - most)
    answers = zip(days, (found.most < left).tolist(), (found.least >= left).tolist(), strict=True)
    return {day: fallen for day, fallen, kept in answers if fallen or kept}


def next_overdue(policy: TriggerPolicy, receivables: Iterable[Receivable], rates: Rates, after: date) -> date | None:
    """The first day after `after` on which the overdue ratio is above the policy's threshold, if nothing is paid.

    At the rates of `after`. None where it never is, where too little is open to matter, or a rate is missing.
    """
    owed, rule, tomorrow = list(receivables), policy.credit_watch, after + timedelta(days=1)
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
