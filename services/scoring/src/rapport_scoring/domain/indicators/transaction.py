"""Transaction indicators: how often, how lately, how regularly and how much a customer buys.

Purchases on one day count as one occasion where intervals are measured, as in the forecast.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from rapport_scoring.domain.figures import CustomerFigures
from rapport_scoring.domain.fixed_point import decimal_text, root_text
from rapport_scoring.domain.indicators.indicator import Indicator, IndicatorClass, Missing, Sheet
from rapport_scoring.domain.sums import EARNED, name_of

TREND_WINDOW: Final = timedelta(days=90)


def transaction_indicators(figures: CustomerFigures, on: date) -> tuple[Indicator, ...]:
    """The transaction indicators at the end of a day, of figures that hold what counts by then.

    `orders`, `recency_days`, `interval_mean_days`, `interval_variation` (standard deviation of the population of
    intervals ÷ their mean), and for each currency `average_order_value` and `trend`.
    """
    sheet = Sheet(IndicatorClass.TRANSACTION, on)
    last, ordinals = figures.bought_on.last, figures.bought_on.ordinals
    return (
        sheet.write("orders", figures.purchase_count, "orders"),
        sheet.write("recency_days", Missing.NO_PURCHASE if last is None else (on - last).days, "days"),
        sheet.write("interval_mean_days", interval_mean(ordinals), "days"),
        sheet.write("interval_variation", interval_variation(ordinals), "ratio"),
        *_by_currency(sheet, figures),
    )


def interval_mean(days: Sequence[int]) -> str | Missing:
    """The mean of the intervals between ascending, distinct days (ordinals), in days with two decimals."""
    if len(days) < 2:
        return Missing.TOO_FEW_PURCHASES
    return decimal_text(Fraction(days[-1] - days[0], len(days) - 1), 2)


def interval_variation(days: Sequence[int]) -> str | Missing:
    """The coefficient of variation of the intervals between ascending, distinct days: 0 where they are all alike."""
    count = len(days) - 1
    if count < 2:
        return Missing.TOO_FEW_PURCHASES
    total = days[-1] - days[0]
    squares = sum([(later - earlier) ** 2 for earlier, later in pairwise(days)])
    return root_text(Fraction(count * squares - total * total, total * total))


def trend(last: Mapping[str, int], both: Mapping[str, int], currency: str) -> Fraction | None:
    """Revenue of the 90 days up to now ÷ that of the 90 before, exactly; None where there was none before.

    `last` are the sums of the 90 days, `both` those of the 180 days.
    """
    name = name_of(EARNED, currency)
    recent = last.get(name, 0)
    before = both.get(name, 0) - recent
    return Fraction(recent, before) if before > 0 else None


def _by_currency(sheet: Sheet, figures: CustomerFigures) -> Iterator[Indicator]:
    last, both = figures.within(TREND_WINDOW, sheet.on), figures.within(2 * TREND_WINDOW, sheet.on)
    for currency in figures.currencies:
        mean = round(Fraction(figures.earned(currency), figures.purchases(currency)))
        yield sheet.write("average_order_value", mean, currency, currency)
        ratio = trend(last, both, currency)
        value = Missing.NOTHING_BEFORE if ratio is None else decimal_text(ratio)
        yield sheet.write("trend", value, "ratio", currency)
