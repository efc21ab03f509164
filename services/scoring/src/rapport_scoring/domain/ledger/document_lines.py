"""The lines of revenue and cost that documents have, and where documents contradict each other about goods."""

from collections.abc import Iterable, Iterator, Mapping

from rapport_scoring.domain.ledger import costs, revenue
from rapport_scoring.domain.ledger.books import Books, Name
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine
from rapport_scoring.domain.ledger.order_lines import OrderGoods
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


def document_lines(
    books: Books, goods: Mapping[Name, OrderGoods], statements: Iterable[Statement], policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    """The lines of `statements`, none of which waits; `goods` says what became of every order."""
    for statement in statements:
        if type(statement.data) in _SETTLING:
            continue
        currency = books.currency(statement)
        if currency is not None:
            yield from _lines(books, goods, statement, currency, policy)


def goods_gaps(goods: Iterable[OrderGoods]) -> Iterator[Gap]:
    """Returns and cancellations of more than was sold, or in another currency."""
    for each in goods:
        for statement in each.exceeding:
            verb = "came back" if isinstance(statement.data, Return) else "was cancelled"
            code = "return_exceeds_order" if isinstance(statement.data, Return) else "cancellation_exceeds_order"
            yield Gap(code, statement.event_id, f"More of an order {verb} than was ordered: the excess is left out.")
        for statement in each.foreign:
            message = "It has another currency than the order it names: it is left out."
            yield Gap("currency_differs", statement.event_id, message)


def _lines(
    books: Books, goods: Mapping[Name, OrderGoods], statement: Statement, currency: str, policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    match statement.data:
        case Order() as order:
            found = goods[statement.key.system, order.order]
            yield from _order_lines(books, statement, order, found, currency, policy)
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
    books: Books, statement: Statement, order: Order, goods: OrderGoods, currency: str, policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    """The lines of an order, and of what reverses lines of it: each rests on the document that states it."""
    yield from revenue.order_revenue(books, statement, order, goods, currency)
    yield from revenue.returned_revenue(books, statement.key, goods.returned, currency)
    yield from costs.order_costs(books, statement, order, goods.lines, currency, policy)
    yield from costs.return_costs(goods.returned, currency)
