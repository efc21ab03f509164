"""The three values of a customer on a day, and the figures that they rest on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import TypeAlias

from rapport_scoring.domain.contributions import line_name
from rapport_scoring.domain.figures import CustomerFigures
from rapport_scoring.domain.ledger.lines import LedgerLine
from rapport_scoring.domain.outlook import Outlook, outlook
from rapport_scoring.domain.rates import Converted, Rates
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.settlement.ageing import receivable, receivable_lines
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.domain.sums import LINE, LINES, Sums, add, each
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ContemporaryValue

WINDOW = timedelta(days=90)
_Sums: TypeAlias = defaultdict[tuple[str, str, bool], int]
"""By part and currency, what is estimated apart."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a customer is worth at the end of the day `on`, up to which facts count. Money is in minor units; what is
    converted is so at the rates of that day.

    `lines` counts the ledger lines, `receivables` are the invoices that are open. `last_90_days` and `lifetime` are
    contemporary value of the ninety days that end with `on` and of all time, `total` is `last_90_days` and the
    forecast values that are known, all in the reporting currency.
    """

    on: date
    lines: int
    receivables: tuple[Receivable, ...]
    contemporary: ContemporaryValue
    outlook: Outlook
    last_90_days: Converted
    lifetime: Converted
    total: Converted


def valuation(state: CustomerState, rules: Rules, on: date) -> Valuation:
    """The values at the end of the day `on`, of a state that holds what counts by then.

    The ninety days are those that end with `on`; balances are those at the beginning of the day after.
    """
    figures, policy, tomorrow = state.figures, rules.value.ledger, on + timedelta(days=1)
    owed = tuple(receivable(invoice, tomorrow, policy) for invoice in figures.invoices)
    cost = [
        line
        for invoice, found in zip(figures.invoices, owed, strict=True)
        for line in receivable_lines(invoice, found, tomorrow, policy)
        if line.amount
    ]
    sums = contemporary(figures, cost, on)
    rates = rules.value.rates
    recent, lifetime = rates.convert(sums.last_90_days, on), rates.convert(sums.lifetime, on)
    ahead = outlook(state, rules, sums, on)
    return Valuation(
        on=on,
        lines=figures.ever.get(LINES, 0) + len(cost),
        receivables=owed,
        contemporary=sums,
        outlook=ahead,
        last_90_days=recent,
        lifetime=lifetime,
        total=_total(rates, on, sums, ahead),
    )


def contemporary(figures: CustomerFigures, cost: Sequence[LedgerLine], on: date) -> ContemporaryValue:
    """The sums of the ledger lines: of all, and of the ninety days that end with `on`; by part, estimates apart.

    `cost` are the lines of what open invoices cost.
    """
    ever = _with(figures.ever, cost)
    lately = _with(figures.within(WINDOW, on), [line for line in cost if on - WINDOW < line.day <= on])
    return ContemporaryValue(
        lifetime=_amounts(ever),
        lifetime_parts=_parts(ever),
        lifetime_estimated=_amounts(ever, estimated=True),
        last_90_days=_amounts(lately),
        last_90_days_parts=_parts(lately),
        last_90_days_estimated=_amounts(lately, estimated=True),
    )


def _with(sums: Mapping[str, int], cost: Iterable[LedgerLine]) -> _Sums:
    """The sums of lines, by part and currency."""
    more: Sums = {}
    for line in cost:
        add(more, {line_name(line.part, line.currency, estimated=line.estimated): line.amount})
    found: _Sums = defaultdict(int)
    for name, amount in (*each(sums, LINE), *each(more, LINE)):
        part, currency, estimated = name.split("|")
        found[part, currency, estimated == "1"] += amount
    return found


def _total(rates: Rates, day: date, sums: ContemporaryValue, ahead: Outlook) -> Converted:
    known = [each.value for each in (ahead.potential, ahead.model) if each.value is not None]
    return rates.convert([*sums.last_90_days, *known], day)


def _parts(sums: _Sums) -> dict[str, tuple[Amount, ...]]:
    by_part: defaultdict[str, _Sums] = defaultdict(lambda: defaultdict(int))
    for key, amount in sums.items():
        by_part[key[0]][key] = amount
    return {part: _amounts(found) for part, found in sorted(by_part.items())}


def _amounts(sums: _Sums, *, estimated: bool = False) -> tuple[Amount, ...]:
    """The sums by currency: of all, or of what is estimated."""
    found: defaultdict[str, int] = defaultdict(int)
    for (_, currency, guessed), amount in sums.items():
        if guessed or not estimated:
            found[currency] += amount
    return tuple(Amount(amount=amount, currency=currency) for currency, amount in sorted(found.items()))


def figure(converted: Converted) -> Fraction | None:
    """A converted sum as the triggers take it."""
    return None if converted.amount is None else Fraction(converted.amount)
