"""The three values of a customer on a day, and the figures that they rest on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.documents import counting, standing
from rapport_scoring.domain.ledger import Ledger, ledger
from rapport_scoring.domain.lines import LedgerLine
from rapport_scoring.domain.outlook import Outlook, outlook
from rapport_scoring.domain.purchases import Purchase, purchases
from rapport_scoring.domain.rates import Converted, Rates
from rapport_scoring.domain.rules import Rules
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ContemporaryValue

WINDOW = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a customer is worth. `on` is the day, exclusive, up to which facts count; money is in minor units.

    `worth` and `lifetime` are contemporary value of the last ninety days and of all time in the reporting currency;
    `total` is `worth` and the forecast values that are known.
    """

    on: date
    ledger: Ledger
    purchases: tuple[Purchase, ...]
    contemporary: ContemporaryValue
    outlook: Outlook
    worth: Converted
    lifetime: Converted
    total: Converted


def valuation(facts: CustomerFacts, rules: Rules, today: date) -> Valuation:
    """The values as of the end of `today`: of what is dated later nothing counts yet.

    The ninety days are those that end with `today`; balances are those at the beginning of the day after.
    """
    return valued(facts, rules, today, today + timedelta(days=1))


def valued(facts: CustomerFacts, rules: Rules, upto: date, on: date) -> Valuation:
    """The values of the facts dated up to `upto`, with the ninety days before `on`, and balances at `on`."""
    book = ledger(
        counting(standing(facts.statements), upto),
        rules.value.ledger,
        contacts=[contact for contact in facts.contacts if contact.day <= upto],
        asset_events=[event for event in facts.asset_events if event.day <= upto],
        valued_on=on,
        own=facts.own,
    )
    made = purchases(book)
    sums = contemporary(book.lines, on)
    rates = rules.value.rates
    worth, lifetime = rates.convert(sums.last_90_days, upto), rates.convert(sums.lifetime, upto)
    ahead = outlook(facts, rules, made, sums, upto)
    return Valuation(on, book, made, sums, ahead, worth, lifetime, _total(rates, upto, sums, ahead))


def contemporary(lines: Sequence[LedgerLine], on: date) -> ContemporaryValue:
    """The sums of `lines`: of all, and of the ninety days before `on`; in all, by part, and of what is estimated."""
    lately = [line for line in lines if on - WINDOW <= line.day < on]
    return ContemporaryValue(
        lifetime=_sum(lines),
        lifetime_parts=_parts(lines),
        lifetime_estimated=_sum(line for line in lines if line.estimated),
        last_90_days=_sum(lately),
        last_90_days_parts=_parts(lately),
        last_90_days_estimated=_sum(line for line in lately if line.estimated),
    )


def _total(rates: Rates, day: date, sums: ContemporaryValue, ahead: Outlook) -> Converted:
    known = [each.value for each in (ahead.potential, ahead.model) if each.value is not None]
    return rates.convert([*sums.last_90_days, *known], day)


def _parts(lines: Iterable[LedgerLine]) -> dict[str, tuple[Amount, ...]]:
    by_part: defaultdict[str, list[LedgerLine]] = defaultdict(list)
    for line in lines:
        by_part[line.part.value].append(line)
    return {part: _sum(found) for part, found in sorted(by_part.items())}


def _sum(lines: Iterable[LedgerLine]) -> tuple[Amount, ...]:
    sums: defaultdict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.amount
    return tuple(Amount(amount=amount, currency=currency) for currency, amount in sorted(sums.items()))


def figure(converted: Converted) -> Fraction | None:
    """A converted sum as the triggers take it."""
    return None if converted.amount is None else Fraction(converted.amount)
