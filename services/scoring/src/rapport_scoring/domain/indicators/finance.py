"""Finance indicators: what a customer owes, how promptly it pays, at what discount it buys, what its credit costs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from rapport_scoring.domain.figures import CustomerFigures
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.indicators.indicator import Indicator, IndicatorClass, Missing, Sheet
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_scoring.domain.sums import (
    BILLED,
    CREDIT_COST,
    INVOICES,
    LIST_PRICE,
    LISTED,
    PAID,
    PAID_DAYS,
    PAID_LATE,
    each,
    name_of,
)

SALES_WINDOW: Final = timedelta(days=90)
PAYMENT_WINDOW: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Credit:
    """What a customer owes and paid in one currency. `owed` are the open invoices; `billed` is of the last 90 days,
    `paid`, `paid_days` (amounts × the days they took) and `paid_late` are of the last 365."""

    owed: Sequence[Receivable]
    billed: int
    paid: int
    paid_days: int
    paid_late: int

    @property
    def exposure(self) -> int:
        """All that is open."""
        return sum(one.open for one in self.owed)

    def overdue(self, on: date) -> int:
        """What is open past its day due."""
        return sum(overdue(one, on) for one in self.owed)


def finance_indicators(figures: CustomerFigures, owed: Sequence[Receivable], on: date) -> tuple[Indicator, ...]:
    """The finance indicators at the end of a day, for each currency; `owed` are the invoices that are open.

    `days_sales_outstanding`, `days_to_pay`, `overdue_ratio`, `late_ratio`, `exposure`, `credit_cost` of invoices;
    `discount_depth` of purchases.
    """
    sheet = Sheet(IndicatorClass.FINANCE, on)
    return (*_credit(sheet, figures, owed), *_discounts(sheet, figures))


def credit_of(figures: CustomerFigures, owed: Iterable[Receivable], currency: str, on: date) -> Credit:
    """What there is in one currency."""
    quarter, year = figures.within(SALES_WINDOW, on), figures.within(PAYMENT_WINDOW, on)
    return Credit(
        owed=[one for one in owed if one.currency == currency],
        billed=quarter.get(name_of(BILLED, currency), 0),
        paid=year.get(name_of(PAID, currency), 0),
        paid_days=year.get(name_of(PAID_DAYS, currency), 0),
        paid_late=year.get(name_of(PAID_LATE, currency), 0),
    )


def days_sales_outstanding(credit: Credit) -> Fraction | None:
    """Open balance ÷ gross invoiced in the last 90 days × 90 (the usual definition); None if nothing was invoiced."""
    return Fraction(credit.exposure * SALES_WINDOW.days, credit.billed) if credit.billed > 0 else None


def days_to_pay(credit: Credit) -> Fraction | None:
    """Mean days from invoice to payment of what was paid in the last 365 days, weighted by amount; None for nothing."""
    return Fraction(credit.paid_days, credit.paid) if credit.paid > 0 else None


def overdue(receivable: Receivable, on: date) -> int:
    """What of a receivable is open past its day due, in minor units; it is overdue from the day after."""
    return sum(amount for due_on, amount in receivable.due if due_on < on)


def overdue_ratio(credit: Credit, on: date) -> Fraction:
    """Overdue ÷ open; 0 where nothing is open, for then nothing is overdue."""
    return Fraction(credit.overdue(on), credit.exposure) if credit.exposure > 0 else Fraction(0)


def late_ratio(credit: Credit, on: date) -> Fraction | None:
    """Of what was paid in the last 365 days or is still overdue, the share that was not paid in time.

    Paid after its day due, or overdue now. None where nothing was paid and nothing is overdue.
    """
    unpaid = credit.overdue(on)
    total = credit.paid + unpaid
    return Fraction(credit.paid_late + unpaid, total) if total > 0 else None


def reported_exposure(receivables: Iterable[Receivable], rates: Rates, on: date) -> Fraction | None:
    """All that is open, in minor units of the reporting currency, unrounded; None where a rate is missing."""
    return _reported(((one.currency, one.open) for one in receivables), rates, on)


def reported_overdue_ratio(
    receivables: Iterable[Receivable], rates: Rates, on: date, at: date, exposure: Fraction | None = None
) -> Fraction | None:
    """Overdue on day `at` ÷ open over all currencies at the rates of `on`; None where a rate is missing.

    `exposure` is `reported_exposure` where the caller has it.
    """
    owed = list(receivables)
    if exposure is None:
        exposure = reported_exposure(owed, rates, on)
    late = _reported(((one.currency, overdue(one, at)) for one in owed), rates, on)
    if exposure is None or late is None:
        return None
    return late / exposure if exposure > 0 else Fraction(0)


def _reported(amounts: Iterable[tuple[str, int]], rates: Rates, on: date) -> Fraction | None:
    sums: dict[str, int] = {}
    for currency, amount in amounts:
        sums[currency] = sums.get(currency, 0) + amount
    total = rates.exact_sum(sums, on)
    return total if isinstance(total, Fraction) else None


def _credit(sheet: Sheet, figures: CustomerFigures, owed: Sequence[Receivable]) -> Iterator[Indicator]:
    currencies = sorted(currency for currency, count in each(figures.ever, INVOICES) if count)
    if not currencies:
        for name in ("days_sales_outstanding", "overdue_ratio", "late_ratio", "exposure"):
            yield sheet.write(name, Missing.NO_INVOICE, "days" if name.startswith("days") else "ratio")
    for currency in currencies:
        credit = credit_of(figures, owed, currency, sheet.on)
        settled = figures.ever.get(name_of(CREDIT_COST, currency), 0)
        cost = settled + sum(one.interest + one.reserve + one.loss for one in credit.owed)
        yield from _credit_in(sheet, credit, currency, cost)


def _credit_in(sheet: Sheet, credit: Credit, currency: str, cost: int) -> Iterator[Indicator]:
    dso, took, late = days_sales_outstanding(credit), days_to_pay(credit), late_ratio(credit, sheet.on)
    outstanding = Missing.NOTHING_INVOICED if dso is None else decimal_text(dso, 2)
    yield sheet.write("days_sales_outstanding", outstanding, "days", currency)
    yield sheet.write(
        "days_to_pay", Missing.NOTHING_SETTLED if took is None else decimal_text(took, 2), "days", currency
    )
    yield sheet.write("overdue_ratio", decimal_text(overdue_ratio(credit, sheet.on)), "ratio", currency)
    punctuality = Missing.NOTHING_SETTLED if late is None else decimal_text(late)
    yield sheet.write("late_ratio", punctuality, "ratio", currency)
    yield sheet.write("exposure", credit.exposure, currency, currency)
    yield sheet.write("credit_cost", cost, currency, currency)


def _discounts(sheet: Sheet, figures: CustomerFigures) -> Iterator[Indicator]:
    for currency in figures.currencies:
        price = figures.ever.get(name_of(LIST_PRICE, currency), 0)
        paid = figures.ever.get(name_of(LISTED, currency), 0)
        depth = decimal_text(1 - Fraction(paid, price)) if price > 0 else Missing.NO_LIST_PRICE
        yield sheet.write("discount_depth", depth, "ratio", currency)
