"""Net revenue: orders, invoices, and what reverses them. Each line says of which purchase it is."""

from collections.abc import Iterable, Iterator, Mapping

from rapport_scoring.domain.ledger.books import Books
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine, Part, line_of, share
from rapport_scoring.domain.ledger.order_lines import OrderGoods, ReturnedPart
from rapport_shared.contracts.touchpoints.commerce import Cancellation, Credit, Invoice, Order, Return
from rapport_shared.contracts.touchpoints.documents import DocumentKey


def order_revenue(
    books: Books, statement: Statement, order: Order, goods: OrderGoods, currency: str
) -> Iterator[LedgerLine]:
    """What of an order no invoice bills, less what was cancelled of it."""

    def earned(by: Statement, item: str, amount: int) -> LedgerLine:
        return line_of(by, Part.REVENUE, item, amount, currency, purchase=statement.key)

    for opened in goods.lines:
        yield earned(statement, opened.line.line, opened.net)
        for taken in opened.taken:
            yield earned(taken.cancellation, opened.line.line, -taken.net)
    name = (statement.key.system, order.order)
    invoices = (invoice.data for invoice in books.invoices_of.get(name, ()))
    if any(isinstance(invoice, Invoice) and invoice.charges for invoice in invoices):
        return  # the invoices' charges replace the order's
    for charge in order.charges:
        yield earned(statement, charge.type, charge.net)
        if goods.whole is not None:
            yield earned(goods.whole, charge.type, -charge.net)


def invoice_revenue(books: Books, statement: Statement, invoice: Invoice, currency: str) -> Iterator[LedgerLine]:
    """What an invoice bills. Its charges are of the first order it bills."""
    billed = purchases_billed(books, statement, invoice)
    for line in invoice.lines:
        purchase = _purchase(books, statement, line.order)
        yield line_of(statement, Part.REVENUE, line.line, line.net, currency, purchase=purchase)
    for charge in invoice.charges:
        yield line_of(statement, Part.REVENUE, charge.type, charge.net, currency, purchase=next(iter(billed)))


def cancellation_fee(statement: Statement, cancellation: Cancellation, currency: str) -> Iterator[LedgerLine]:
    """What the customer pays for having cancelled: of no purchase, for there is none any more."""
    if cancellation.fee is not None:
        yield line_of(statement, Part.REVENUE, "fee", cancellation.fee.net, currency)


def returned_revenue(
    books: Books, purchase: DocumentKey, returned: Iterable[ReturnedPart], currency: str
) -> Iterator[LedgerLine]:
    """What returns take back of an order, except those of which a credit says how much was given back."""
    for part in returned:
        statement = part.statement
        name = (statement.key.system, statement.key.number)
        if not any(not books.waits(credit) for credit in books.credits_of_return.get(name, ())):
            yield line_of(statement, Part.REVENUE, part.line, -part.net, currency, purchase=purchase)


def credited_revenue(books: Books, statement: Statement, credit: Credit, currency: str) -> Iterator[LedgerLine]:
    """What a credit gives back, by purchase: of an invoice that bills several, in proportion to what it bills."""
    purchases = _credited(books, statement, credit)
    whole = sum(purchases.values())
    upto, given = 0, 0
    for purchase, net in purchases.items():
        upto += net
        part = share(credit.net, upto, whole) - given
        given += part
        yield line_of(statement, Part.REVENUE, "credit", -part, currency, purchase=purchase)


def purchases_billed(books: Books, statement: Statement, invoice: Invoice) -> dict[DocumentKey, int]:
    """What an invoice bills of each order that is known, and of itself; never nothing."""
    billed: dict[DocumentKey, int] = {}
    for line in invoice.lines:
        purchase = _purchase(books, statement, line.order)
        billed[purchase] = billed.get(purchase, 0) + line.net
    return billed or {statement.key: invoice.net}


def _credited(books: Books, statement: Statement, credit: Credit) -> Mapping[DocumentKey, int] | Mapping[None, int]:
    system = statement.key.system
    returned = books.returns.get((system, credit.return_number or ""))
    if returned is not None and isinstance(returned.data, Return):
        return {_purchase(books, statement, returned.data.order): credit.net}
    invoice = books.invoices.get((system, credit.invoice or ""))
    if invoice is not None and isinstance(invoice.data, Invoice):
        return purchases_billed(books, invoice, invoice.data)
    return {None: credit.net}


def _purchase(books: Books, statement: Statement, order: str | None) -> DocumentKey:
    """The key of the order, where it is known, else that of the document itself."""
    known = books.orders.get((statement.key.system, order)) if order is not None else None
    return statement.key if known is None else known.key
