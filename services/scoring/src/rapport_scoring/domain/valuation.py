"""The three values of a customer on a day, and the figures that they rest on."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import TypeAlias

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.ledger.documents import counting, standing
from rapport_scoring.domain.ledger.lines import LedgerLine, Part
from rapport_scoring.domain.ledger.purchases import Purchase, purchases
from rapport_scoring.domain.ledger.reckoning import Ledger, ledger_of
from rapport_scoring.domain.outlook import Outlook, outlook
from rapport_scoring.domain.rates import Converted, Rates
from rapport_scoring.domain.rules import Rules
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ContemporaryValue

WINDOW = timedelta(days=90)
_Sums: TypeAlias = defaultdict[tuple[Part, str, bool], int]
"""By part and currency, what is estimated apart."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a customer is worth at the end of the day `on`, at the rates of that day; money is in minor units.

    `last_90_days` and `lifetime` are contemporary value of the last ninety days and of all time, `total` is
    `last_90_days` and the forecast values that are known, all in the reporting currency.
    """

    on: date
    ledger: Ledger
    purchases: tuple[Purchase, ...]
    contemporary: ContemporaryValue
    outlook: Outlook
    last_90_days: Converted
    lifetime: Converted
    total: Converted


def valuation(facts: CustomerFacts, rules: Rules, on: date) -> Valuation:
    """The values at the end of the day `on`: of what is dated later nothing counts yet.

    The ninety days are those that end with `on`; balances are those at the beginning of the day after.
    """
    tomorrow = on + timedelta(days=1)
    book = ledger_of(
        counting(standing(facts.statements), on),
        rules.value.ledger,
        contacts=[contact for contact in facts.contacts if contact.day <= on],
        asset_events=[event for event in facts.asset_events if event.day <= on],
        valued_on=tomorrow,
        own=facts.own,
    )
    made = purchases(book)
    sums = contemporary(book.lines, tomorrow)
    rates = rules.value.rates
    recent, lifetime = rates.convert(sums.last_90_days, on), rates.convert(sums.lifetime, on)
    ahead = outlook(facts, rules, made, sums, on)
    return Valuation(on, book, made, sums, ahead, recent, lifetime, _total(rates, on, sums, ahead))


def contemporary(lines: Sequence[LedgerLine], on: date) -> ContemporaryValue:
    """The sums of `lines`: of all, and of the ninety days before `on`; in all, by part, and of what is estimated."""
    since = on - WINDOW
    ever: _Sums = defaultdict(int)
    lately: _Sums = defaultdict(int)
    for line in lines:
        key = line.part, line.currency, line.estimated
        ever[key] += line.amount
        if since <= line.day < on:
            lately[key] += line.amount
    return ContemporaryValue(
        lifetime=_amounts(ever),
        lifetime_parts=_parts(ever),
        lifetime_estimated=_amounts(ever, estimated=True),
        last_90_days=_amounts(lately),
        last_90_days_parts=_parts(lately),
        last_90_days_estimated=_amounts(lately, estimated=True),
    )


def _total(rates: Rates, day: date, sums: ContemporaryValue, ahead: Outlook) -> Converted:
    known = [each.value for each in (ahead.potential, ahead.model) if each.value is not None]
    return rates.convert([*sums.last_90_days, *known], day)


def _parts(sums: _Sums) -> dict[str, tuple[Amount, ...]]:
    by_part: defaultdict[str, _Sums] = defaultdict(lambda: defaultdict(int))
    for key, amount in sums.items():
        by_part[key[0].value][key] = amount
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
