"""Net revenue: orders, invoices, and what reverses them."""

from collections.abc import Iterator

from rapport_scoring.domain.books import Books
from rapport_scoring.domain.documents import Statement
from rapport_scoring.domain.lines import LedgerLine, Part, line_of
from rapport_scoring.domain.order_lines import OpenLine
from rapport_shared.contracts.touchpoints.commerce import Cancellation, Credit, Invoice, Order, Return


def order_revenue(
    books: Books, statement: Statement, order: Order, lines: list[OpenLine], currency: str
) -> Iterator[LedgerLine]:
    """What of an order no invoice bills, less what was cancelled of it."""
    for opened in lines:
        yield line_of(statement, Part.REVENUE, opened.line.line, opened.net, currency)
        for taken in opened.taken:
            yield line_of(taken.cancellation, Part.REVENUE, opened.line.line, -taken.net, currency)
    name = (statement.key.system, order.order)
    invoices = (invoice.data for invoice in books.invoices_of[name])
    if any(isinstance(invoice, Invoice) and invoice.charges for invoice in invoices):
        return  # the invoices' charges replace the order's
    whole = next((entry for entry in books.cancellations_of[name] if _of_the_whole(entry)), None)
    for charge in order.charges:
        yield line_of(statement, Part.REVENUE, charge.type, charge.net, currency)
        if whole is not None:
            yield line_of(whole, Part.REVENUE, charge.type, -charge.net, currency)


def invoice_revenue(statement: Statement, invoice: Invoice, currency: str) -> Iterator[LedgerLine]:
    """What an invoice bills."""
    for line in invoice.lines:
        yield line_of(statement, Part.REVENUE, line.line, line.net, currency)
    for charge in invoice.charges:
        yield line_of(statement, Part.REVENUE, charge.type, charge.net, currency)


def cancellation_fee(statement: Statement, cancellation: Cancellation, currency: str) -> Iterator[LedgerLine]:
    """What the customer pays for having cancelled."""
    if cancellation.fee is not None:
        yield line_of(statement, Part.REVENUE, "fee", cancellation.fee.net, currency)


def returned_revenue(books: Books, statement: Statement, returned: Return, currency: str) -> Iterator[LedgerLine]:
    """What a return takes back, unless a credit says how much was given back for it."""
    name = (statement.key.system, returned.return_number)
    if any(not books.waits(credit) for credit in books.credits_of_return[name]):
        return
    for line in returned.lines:
        yield line_of(statement, Part.REVENUE, line.line, -line.net, currency)


def credited_revenue(statement: Statement, credit: Credit, currency: str) -> Iterator[LedgerLine]:
    """What a credit gives back."""
    yield line_of(statement, Part.REVENUE, "credit", -credit.net, currency)


def _of_the_whole(statement: Statement) -> bool:
    return isinstance(statement.data, Cancellation) and not statement.data.lines
