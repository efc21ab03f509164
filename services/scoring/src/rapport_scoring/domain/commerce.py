"""The commerce figures of a customer: what its documents amount to, from the same sums as its value."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from rapport_scoring.domain.figures import CustomerFigures
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.sums import LINE, ON_ACCOUNT, ORDERS, RETURNED, WAITING, each, name_of
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import MOST_RECEIVABLES, CommerceFigures, ReceivableDue


def commerce_figures(figures: CustomerFigures) -> CommerceFigures:
    """The commerce figures of one customer; they depend on no day."""
    due: defaultdict[tuple[date, str], int] = defaultdict(int)
    for invoice in figures.invoices:
        for due_on, amount in invoice.due:
            due[due_on, invoice.currency] += amount
    parts = [ReceivableDue(due_on=day, amount=amount, currency=code) for (day, code), amount in sorted(due.items())]
    revenue = each(figures.ever, name_of(LINE, Part.REVENUE.value))
    return CommerceFigures(
        orders=figures.ever.get(ORDERS, 0),
        returned=figures.ever.get(RETURNED, 0),
        revenue=_sums((name.partition("|")[0], amount) for name, amount in revenue),
        last_order_at=figures.last_order_at,
        receivable_open=_sums((invoice.currency, invoice.balance) for invoice in figures.invoices),
        receivable_due=tuple(parts[:MOST_RECEIVABLES]),
        receivable_due_total=len(parts),
        on_account=_sums(each(figures.ever, ON_ACCOUNT)),
        waiting=figures.ever.get(WAITING, 0),
    )


def _sums(amounts: Iterable[tuple[str, int]]) -> tuple[Amount, ...]:
    """The sum in each currency, without currencies whose sum is nothing."""
    found: defaultdict[str, int] = defaultdict(int)
    for currency, amount in amounts:
        found[currency] += amount
    return tuple(Amount(amount=found[currency], currency=currency) for currency in sorted(found) if found[currency])
