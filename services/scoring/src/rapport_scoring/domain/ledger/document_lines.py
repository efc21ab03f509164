"""The lines of revenue and cost that documents have, and where documents contradict each other about goods."""

from collections.abc import Iterable, Iterator

from rapport_scoring.domain.ledger import costs, revenue
from rapport_scoring.domain.ledger.books import Books
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine, exact
from rapport_scoring.domain.ledger.order_lines import open_lines, returned_parts
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.settlement.receivables import Gap
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Invoice,
    Order,
    Payment,
    PaymentAllocation,
    Refund,
    Return,
    Reversal,
    Shipment,
    WriteOff,
)

_SETTLING = frozenset({Payment, PaymentAllocation, Reversal, Refund, WriteOff})
"""Payments and what undoes them have no lines of their own: they settle receivables."""


def document_lines(books: Books, statements: Iterable[Statement], policy: LedgerPolicy) -> Iterator[LedgerLine]:
    """The lines of `statements`, none of which waits."""
    for statement in statements:
        if type(statement.data) in _SETTLING:
            continue
        currency = books.currency(statement)
        if currency is not None:
            yield from _lines(books, statement, currency, policy)


def goods_gaps(books: Books) -> Iterator[Gap]:
    """Returns and cancellations of more than was ordered."""
    for name, statement in books.orders.items():
        if not isinstance(statement.data, Order) or not (name in books.returns_of or name in books.cancellations_of):
            continue
        returned = returned_parts(books, name, statement.data)
        for event_id in dict.fromkeys(part.statement.event_id for part in returned if part.exceeds):
            message = "More of an order came back than was ordered: what exceeds it is left out."
            yield Gap("return_exceeds_order", event_id, message)
        yield from _cancelled_beyond(books, statement.data, books.cancellations_of.get(name, ()))


def _cancelled_beyond(books: Books, order: Order, cancellations: Iterable[Statement]) -> Iterator[Gap]:
    left = {line.line: exact(line.quantity) for line in order.lines}
    for statement in cancellations:
        beyond = False
        if isinstance(statement.data, Cancellation):
            for line in statement.data.lines:
                left[line.line] = left.get(line.line, 0) - exact(line.quantity)
                beyond = beyond or left[line.line] < 0
        if beyond:
            message = "More of an order was cancelled than was ordered: what exceeds it is left out."
            yield Gap("cancellation_exceeds_order", statement.event_id, message)


def _lines(books: Books, statement: Statement, currency: str, policy: LedgerPolicy) -> Iterator[LedgerLine]:
    match statement.data:
        case Order() as order:
            yield from _order_lines(books, statement, order, currency, policy)
        case Cancellation() as cancellation:
            yield from revenue.cancellation_fee(statement, cancellation, currency)
        case Return() as returned:
            yield from costs.return_freight(statement, returned, currency)
        case Shipment() as shipment:
            yield from costs.shipment_costs(books, statement, shipment, currency)
        case Cost() as cost:
            yield from costs.reported_cost(books, statement, cost, currency)
        case Invoice() as invoice:
            yield from revenue.invoice_revenue(books, statement, invoice, currency)
            yield from costs.invoice_costs(books, statement, invoice, currency, policy)
        case Credit() as credit:
            yield from revenue.credited_revenue(books, statement, credit, currency)
        case _:
            return


def _order_lines(
    books: Books, statement: Statement, order: Order, currency: str, policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    """The lines of an order, and of what reverses lines of it: each rests on the document that states it."""
    name = (statement.key.system, order.order)
    returned = returned_parts(books, name, order)
    opened = list(open_lines(books, name, order, returned))
    yield from revenue.order_revenue(books, statement, order, opened, currency)
    yield from revenue.returned_revenue(books, statement.key, returned, currency)
    yield from costs.order_costs(books, statement, order, opened, currency, policy)
    yield from costs.return_costs(returned, currency)
