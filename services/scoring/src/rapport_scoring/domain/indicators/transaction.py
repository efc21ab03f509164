"""Transaction indicators: how often, how lately, how regularly and how much a customer buys.

Purchases on one day count as one occasion where intervals are measured, as in the forecast.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rapport_scoring.domain.fixed_point import decimal_text, root_text
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

TREND_WINDOW: Final = timedelta(days=90)


def transaction_indicators(purchases: Iterable[Purchase], on: date) -> tuple[Indicator, ...]:
    """The transaction indicators on a day, of the purchases made by then: in any order, with repeats.

    `orders`, `recency_days`, `interval_mean_days`, `interval_variation` (standard deviation of the population of
    intervals ÷ their mean), and for each currency `average_order_value` and `trend`.
    """
    made = [purchase for purchase in distinct(purchases) if purchase.day <= on]
    sheet = Sheet(IndicatorClass.TRANSACTION, on)
    days = sorted({purchase.day for purchase in made})
    evidence = _evidence(made)
    recency = (on - days[-1]).days if days else Missing.NO_PURCHASE
    return (
        sheet.write("orders", len(made), "orders", evidence),
        sheet.write("recency_days", recency, "days", evidence),
        sheet.write("interval_mean_days", interval_mean(days), "days", evidence),
        sheet.write("interval_variation", interval_variation(days), "ratio", evidence),
        *_by_currency(sheet, made),
    )


def interval_mean(days: Sequence[date]) -> str | Missing:
    """The mean of the intervals between ascending, distinct days, in days with two decimals."""
    if len(days) < 2:
        return Missing.TOO_FEW_PURCHASES
    return decimal_text(Fraction((days[-1] - days[0]).days, len(days) - 1), 2)


def interval_variation(days: Sequence[date]) -> str | Missing:
    """The coefficient of variation of the intervals between ascending, distinct days: 0 where they are all alike."""
    intervals = [(later - earlier).days for earlier, later in pairwise(days)]
    if len(intervals) < 2:
        return Missing.TOO_FEW_PURCHASES
    count, total = len(intervals), sum(intervals)
    squares = sum(interval * interval for interval in intervals)
    return root_text(Fraction(count * squares - total * total, total * total))


def trend(purchases: Iterable[Purchase], on: date) -> Fraction | None:
    """Revenue of the 90 days that end with `on` ÷ that of the 90 before, exactly; None where there was none before.

    The purchases are of one currency.
    """
    last = before = 0
    for purchase in purchases:
        if on - TREND_WINDOW < purchase.day <= on:
            last += purchase.revenue
        elif on - 2 * TREND_WINDOW < purchase.day <= on - TREND_WINDOW:
            before += purchase.revenue
    return Fraction(last, before) if before > 0 else None


def _by_currency(sheet: Sheet, made: Sequence[Purchase]) -> Iterator[Indicator]:
    for currency in sorted({purchase.currency for purchase in made}):
        own = [purchase for purchase in made if purchase.currency == currency]
        mean = round(Fraction(sum(purchase.revenue for purchase in own), len(own)))
        yield sheet.write("average_order_value", mean, currency, _evidence(own), currency)
        ratio = trend(own, sheet.on)
        value = Missing.NOTHING_BEFORE if ratio is None else decimal_text(ratio)
        recent = [purchase for purchase in own if purchase.day > sheet.on - 2 * TREND_WINDOW]
        yield sheet.write("trend", value, "ratio", _evidence(recent), currency)


def _evidence(purchases: Iterable[Purchase]) -> Evidence:
    return newest_first((purchase.day, purchase.event_id) for purchase in purchases)
