"""Finance indicators: what a customer owes, how promptly it pays, at what discount it buys, what its credit costs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from rapport_scoring.domain.fixed_point import decimal_text
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
from rapport_scoring.domain.settlement.receivables import Receivable

SALES_WINDOW: Final = timedelta(days=90)
PAYMENT_WINDOW: Final = timedelta(days=365)


def finance_indicators(
    receivables: Iterable[Receivable], purchases: Iterable[Purchase], on: date
) -> tuple[Indicator, ...]:
    """The finance indicators on the day that `receivables` stand on, for each currency.

    `days_sales_outstanding`, `days_to_pay`, `overdue_ratio`, `late_ratio`, `exposure`, `credit_cost` of the
    receivables; `discount_depth` of the purchases made by then. Facts come in any order, with repeats.
    """
    sheet = Sheet(IndicatorClass.FINANCE, on)
    issued = [receivable for receivable in distinct(receivables) if receivable.issued_on <= on]
    made = [purchase for purchase in distinct(purchases) if purchase.day <= on]
    return (*_credit(sheet, issued), *_discounts(sheet, made))


def days_sales_outstanding(receivables: Iterable[Receivable], on: date) -> Fraction | None:
    """Open balance ÷ gross invoiced in the last 90 days × 90 (the common definition); None where nothing was invoiced.

    The receivables are of one currency.
    """
    owed = list(receivables)
    sales = sum(each.gross for each in owed if on - SALES_WINDOW < each.issued_on <= on)
    return Fraction(sum(each.open for each in owed) * SALES_WINDOW.days, sales) if sales > 0 else None


def days_to_pay(receivables: Iterable[Receivable], on: date) -> Fraction | None:
    """Mean days from invoice to payment of what was paid in the last 365 days, weighted by amount; None for nothing."""
    paid = [
        (part.amount, (part.day - each.issued_on).days)
        for each in receivables
        for part in each.settled
        if on - PAYMENT_WINDOW < part.day <= on
    ]
    amount = sum(amount for amount, _ in paid)
    return Fraction(sum(amount * days for amount, days in paid), amount) if amount > 0 else None


def overdue(receivable: Receivable, on: date) -> int:
    """What of a receivable is open past its day due, in minor units; it is overdue from the day after."""
    return sum(amount for due_on, amount in receivable.due if due_on < on)


def overdue_ratio(receivables: Iterable[Receivable], on: date) -> Fraction:
    """Overdue ÷ open, of one currency; 0 where nothing is open, for then nothing is overdue."""
    owed = list(receivables)
    exposure = sum(each.open for each in owed)
    return Fraction(sum(overdue(each, on) for each in owed), exposure) if exposure > 0 else Fraction(0)


def late_ratio(receivables: Iterable[Receivable], on: date) -> Fraction | None:
    """Of all that fell due or was paid in the last 365 days or is still overdue, the share that was not paid in time.

    Paid after its day due, or overdue now. None where nothing was paid and nothing is overdue.
    """
    late = total = 0
    for each in receivables:
        unpaid = overdue(each, on)
        paid = [part for part in each.settled if on - PAYMENT_WINDOW < part.day <= on]
        late += unpaid + sum(part.amount for part in paid if part.day > part.due_on)
        total += unpaid + sum(part.amount for part in paid)
    return Fraction(late, total) if total > 0 else None


def reported_exposure(receivables: Iterable[Receivable], rates: Rates, on: date) -> Fraction | None:
    """All that is open, in minor units of the reporting currency, unrounded; None where a rate is missing."""
    return _reported(((each.currency, each.open) for each in distinct(receivables)), rates, on)


def reported_overdue_ratio(
    receivables: Iterable[Receivable], rates: Rates, on: date, at: date, exposure: Fraction | None = None
) -> Fraction | None:
    """Overdue on day `at` ÷ open over all currencies at the rates of `on`; None where a rate is missing.

    `exposure` is `reported_exposure` where the caller has it.
    """
    owed = distinct(receivables)
    if exposure is None:
        exposure = reported_exposure(owed, rates, on)
    late = _reported(((each.currency, overdue(each, at)) for each in owed), rates, on)
    if exposure is None or late is None:
        return None
    return late / exposure if exposure > 0 else Fraction(0)


def _reported(amounts: Iterable[tuple[str, int]], rates: Rates, on: date) -> Fraction | None:
    sums: dict[str, int] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    total = rates.exact_sum(sums, on)
    return total if isinstance(total, Fraction) else None


def _credit(sheet: Sheet, issued: Sequence[Receivable]) -> Iterator[Indicator]:
    if not issued:
        for name in ("days_sales_outstanding", "overdue_ratio", "late_ratio", "exposure"):
            yield sheet.write(name, Missing.NO_INVOICE, "days" if name.startswith("days") else "ratio", Evidence())
    for currency in sorted({receivable.currency for receivable in issued}):
        yield from _credit_in(sheet, [each for each in issued if each.currency == currency], currency)


def _credit_in(sheet: Sheet, owed: Sequence[Receivable], currency: str) -> Iterator[Indicator]:
    on, everything = sheet.on, _evidence(owed)
    still = _evidence(each for each in owed if each.open)
    paid = _evidence(each for each in owed if each.settled)
    dso, took, late = days_sales_outstanding(owed, on), days_to_pay(owed, on), late_ratio(owed, on)
    cost = sum(each.interest + each.reserve + each.loss for each in owed)
    outstanding = Missing.NOTHING_INVOICED if dso is None else decimal_text(dso, 2)
    yield sheet.write("days_sales_outstanding", outstanding, "days", everything, currency)
    yield sheet.write(
        "days_to_pay", Missing.NOTHING_SETTLED if took is None else decimal_text(took, 2), "days", paid, currency
    )
    yield sheet.write("overdue_ratio", decimal_text(overdue_ratio(owed, on)), "ratio", still, currency)
    punctuality = Missing.NOTHING_SETTLED if late is None else decimal_text(late)
    yield sheet.write("late_ratio", punctuality, "ratio", everything, currency)
    yield sheet.write("exposure", sum(each.open for each in owed), currency, still, currency)
    yield sheet.write("credit_cost", cost, currency, everything, currency)


def _discounts(sheet: Sheet, made: Sequence[Purchase]) -> Iterator[Indicator]:
    for currency in sorted({purchase.currency for purchase in made}):
        listed = [each for each in made if each.currency == currency and each.list_price]
        price = sum(each.list_price or 0 for each in listed)
        paid = sum(each.revenue for each in listed)
        depth = decimal_text(1 - Fraction(paid, price)) if price > 0 else Missing.NO_LIST_PRICE
        evidence = newest_first((each.day, each.event_id) for each in listed)
        yield sheet.write("discount_depth", depth, "ratio", evidence, currency)


def _evidence(receivables: Iterable[Receivable]) -> Evidence:
    return newest_first((each.issued_on, each.event_id) for each in receivables)
