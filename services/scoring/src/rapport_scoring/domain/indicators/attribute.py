"""Attribute indicators: how long a customer is one, what it is, and how much of what it spends is spent here."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from rapport_scoring.domain.facts import Attributes, WalletStatement
from rapport_scoring.domain.figures import CustomerFigures
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.forecast.wallet import standing_statements
from rapport_scoring.domain.indicators.indicator import Indicator, IndicatorClass, Missing, Sheet
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.sums import SOLD, each
from rapport_shared.contracts.money import Amount

LABELS: Final = ("industry", "size", "region")
SHARE_WINDOW: Final = timedelta(days=90)
MONTHS_IN_WINDOW: Final = 3


def attribute_indicators(
    attributes: Attributes,
    figures: CustomerFigures,
    wallets: Iterable[WalletStatement],
    rates: Rates,
    on: date,
) -> tuple[Indicator, ...]:
    """The attribute indicators at the end of a day.

    `tenure_days` since the first purchase or contact, `industry`, `size`, `region`, `share_of_wallet` and
    `single_sourced` (categories that the customer buys of one supplier). Wallets come in any order, with repeats.
    """
    sheet = Sheet(IndicatorClass.ATTRIBUTE, on)
    return (
        _tenure(sheet, figures),
        *_labels(sheet, attributes),
        *_wallet(sheet, wallets_in_force(wallets, on), figures, rates),
    )


def wallets_in_force(wallets: Iterable[WalletStatement], on: date) -> dict[str, WalletStatement]:
    """The statement that stands for each category on a day, by category."""
    return {statement.category: statement for statement in standing_statements(wallets, on)}


def share_of_wallet(
    wallets: Mapping[str, WalletStatement], figures: CustomerFigures, rates: Rates, on: date
) -> Fraction | Missing:
    """Own sales of a month (those of the last 90 days ÷ 3) in the categories of `wallets` ÷ what these hold together.

    At the rates of `on`. Above 1 the customer spends more here than its wallets state: they are out of date.
    """
    if not wallets:
        return Missing.NO_WALLET
    held = rates.exact((Amount(amount=one.amount, currency=one.currency) for one in wallets.values()), on)
    sold = rates.exact_sum(_sold(wallets, figures, on), on)
    if not isinstance(held, Fraction) or not isinstance(sold, Fraction):
        return Missing.NO_RATE
    return sold / MONTHS_IN_WINDOW / held if held > 0 else Missing.NO_WALLET


def _sold(wallets: Mapping[str, WalletStatement], figures: CustomerFigures, on: date) -> dict[str, int]:
    """What was sold in the categories of wallets within the window, by currency."""
    found: dict[str, int] = {}
    for name, revenue in each(figures.within(SHARE_WINDOW, on), SOLD):
        currency, _, category = name.partition("|")
        if category in wallets:
            found[currency] = found.get(currency, 0) + revenue
    return found


def _tenure(sheet: Sheet, figures: CustomerFigures) -> Indicator:
    known = [day for day in (figures.bought_on.first, figures.first_contact_on) if day is not None]
    days = (sheet.on - min(known)).days if known else Missing.NOTHING_KNOWN
    return sheet.write("tenure_days", days, "days")


def _labels(sheet: Sheet, attributes: Attributes) -> Iterator[Indicator]:
    for name in LABELS:
        stated = attributes.get(name)
        yield sheet.write(name, Missing.NOT_STATED if stated is None else stated.value, "label")


def _wallet(
    sheet: Sheet, wallets: Mapping[str, WalletStatement], figures: CustomerFigures, rates: Rates
) -> Iterator[Indicator]:
    share = share_of_wallet(wallets, figures, rates, sheet.on)
    yield sheet.write("share_of_wallet", share if isinstance(share, Missing) else decimal_text(share), "ratio")
    single = sum(one.single_source for one in wallets.values()) if wallets else Missing.NO_WALLET
    yield sheet.write("single_sourced", single, "categories")
