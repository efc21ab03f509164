"""Attribute indicators: how long a customer is one, what it is, and how much of what it spends is spent here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final
from uuid import UUID

from rapport_scoring.domain.facts import Attributes, Contact, WalletStatement
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.forecast.wallet import standing_statements
from rapport_scoring.domain.indicators.indicator import (
    Evidence,
    Indicator,
    IndicatorClass,
    Missing,
    Sheet,
    distinct,
    newest_first,
)
from rapport_scoring.domain.ledger.purchases import Purchase
from rapport_scoring.domain.rates import Rates
from rapport_shared.contracts.money import Amount

LABELS: Final = ("industry", "size", "region")
SHARE_WINDOW: Final = timedelta(days=90)
MONTHS_IN_WINDOW: Final = 3


@dataclass(frozen=True, slots=True)
class CategorySale:
    """Net revenue of one purchase in one category, in minor units."""

    event_id: UUID
    day: date
    category: str
    revenue: int
    currency: str


def attribute_indicators(
    attributes: Attributes,
    purchases: Iterable[Purchase],
    contacts: Iterable[Contact],
    wallets: Iterable[WalletStatement],
    rates: Rates,
    on: date,
) -> tuple[Indicator, ...]:
    """The attribute indicators on a day.

    `tenure_days` since the first purchase or contact, `industry`, `size`, `region`, `share_of_wallet` and
    `single_sourced` (categories that the customer buys of one supplier). Facts come in any order, with repeats.
    """
    sheet = Sheet(IndicatorClass.ATTRIBUTE, on)
    made = [purchase for purchase in distinct(purchases) if purchase.day <= on]
    return (
        _tenure(sheet, made, contacts),
        *_labels(sheet, attributes),
        *_wallet(sheet, wallets_in_force(wallets, on), made, rates),
    )


def wallets_in_force(wallets: Iterable[WalletStatement], on: date) -> dict[str, WalletStatement]:
    """The statement that stands for each category on a day, by category."""
    return {statement.category: statement for statement in standing_statements(wallets, on)}


def category_sales(purchases: Iterable[Purchase]) -> Iterator[CategorySale]:
    """Purchases by category. What one of several categories earned is not known: they share its revenue equally."""
    for purchase in purchases:
        names = sorted(purchase.categories)
        for place, name in enumerate(names):
            upto = purchase.revenue * (place + 1) // len(names) - purchase.revenue * place // len(names)
            yield CategorySale(purchase.event_id, purchase.day, name, upto, purchase.currency)


def share_of_wallet(
    wallets: Mapping[str, WalletStatement], sales: Iterable[CategorySale], rates: Rates, on: date
) -> Fraction | Missing:
    """Own sales of a month (those of the last 90 days ÷ 3) in the categories of `wallets` ÷ what these hold together.

    At the rates of `on`. Above 1 the customer spends more here than its wallets state: they are out of date.
    """
    held = rates.exact((Amount(amount=each.amount, currency=each.currency) for each in wallets.values()), on)
    sold = rates.exact(
        (
            Amount(amount=sale.revenue, currency=sale.currency)
            for sale in sales
            if sale.category in wallets and on - SHARE_WINDOW < sale.day <= on
        ),
        on,
    )
    if not isinstance(held, Fraction) or not isinstance(sold, Fraction):
        return Missing.NO_RATE
    return sold / MONTHS_IN_WINDOW / held if held > 0 else Missing.NO_WALLET


def _tenure(sheet: Sheet, made: Iterable[Purchase], contacts: Iterable[Contact]) -> Indicator:
    known = [(each.day, each.event_id) for each in made]
    known += [(each.day, each.event_id) for each in contacts if each.day <= sheet.on]
    if not known:
        return sheet.write("tenure_days", Missing.NOTHING_KNOWN, "days", Evidence())
    day, event = min(known)
    return sheet.write("tenure_days", (sheet.on - day).days, "days", Evidence((event,), 1))


def _labels(sheet: Sheet, attributes: Attributes) -> Iterator[Indicator]:
    for name in LABELS:
        stated = attributes.get(name)
        if stated is None:
            yield sheet.write(name, Missing.NOT_STATED, "label", Evidence())
        else:
            yield sheet.write(name, stated.value, "label", Evidence((stated.event_id,), 1))


def _wallet(
    sheet: Sheet, wallets: Mapping[str, WalletStatement], made: Iterable[Purchase], rates: Rates
) -> Iterator[Indicator]:
    recent = [each for each in made if each.day > sheet.on - SHARE_WINDOW] if wallets else []
    counted = [sale for sale in category_sales(recent) if sale.category in wallets]
    share = share_of_wallet(wallets, counted, rates, sheet.on)
    value = share if isinstance(share, Missing) else decimal_text(share)
    stated = [(each.from_day, each.event_id) for each in wallets.values()]
    evidence = newest_first(stated + [(each.day, each.event_id) for each in counted])
    yield sheet.write("share_of_wallet", value, "ratio", evidence)
    single = sum(each.single_source for each in wallets.values()) if wallets else Missing.NO_WALLET
    yield sheet.write("single_sourced", single, "categories", newest_first(stated))
