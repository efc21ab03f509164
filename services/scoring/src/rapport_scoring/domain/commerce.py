"""The commerce figures of a customer: what its documents amount to, from the same ledger as its value."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.reckoning import Ledger
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import MOST_RECEIVABLES, CommerceFigures, ReceivableDue


def commerce_figures(book: Ledger) -> CommerceFigures:
    """The figures of a ledger that holds what belongs to one customer, on the day that it is valued on."""
    placed = [order for order in book.orders if not order.cancelled]
    due: defaultdict[tuple[date, str], int] = defaultdict(int)
    for receivable in book.receivables:
        for due_on, amount in receivable.due:
            due[due_on, receivable.currency] += amount
    parts = [ReceivableDue(due_on=day, amount=amount, currency=code) for (day, code), amount in sorted(due.items())]
    return CommerceFigures(
        orders=len(placed),
        returned=sum(order.returns for order in book.orders),
        revenue=_sums((line.currency, line.amount) for line in book.lines if line.part is Part.REVENUE),
        last_order_at=max((order.placed_at for order in placed), default=None),
        receivable_open=_sums((receivable.currency, receivable.open) for receivable in book.receivables),
        receivable_due=tuple(parts[:MOST_RECEIVABLES]),
        receivable_due_total=len(parts),
        on_account=_sums((rest.currency, rest.amount) for rest in book.on_account),
        waiting=len(book.waiting),
    )


def _sums(amounts: Iterable[tuple[str, int]]) -> tuple[Amount, ...]:
    """The sum in each currency, without currencies whose sum is nothing."""
    found: defaultdict[str, int] = defaultdict(int)
    for currency, amount in amounts:
        found[currency] += amount
    return tuple(Amount(amount=found[currency], currency=currency) for currency in sorted(found) if found[currency])
