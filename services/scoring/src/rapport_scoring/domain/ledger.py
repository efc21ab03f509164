"""The ledger of a customer: documents to lines, each naming its event."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapport_scoring.domain import costs, revenue
from rapport_scoring.domain.books import Books, open_books
from rapport_scoring.domain.documents import Statement, standing
from rapport_scoring.domain.lines import LedgerLine
from rapport_scoring.domain.order_lines import open_lines
from rapport_scoring.domain.parameters import ValueParameters
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Invoice,
    Order,
    Return,
    Shipment,
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The lines that add up to a value, the documents that stand, and those that wait for another to count."""

    lines: tuple[LedgerLine, ...]
    statements: tuple[Statement, ...]
    waiting: tuple[Statement, ...]


def ledger(statements: Iterable[Statement], parameters: ValueParameters) -> Ledger:
    """The ledger of `statements`, in whatever order and however often they come.

    Lines are by the moment of their event, then as the documents state them; lines of nothing are left out.
    """
    stand = standing(statements)
    books = open_books(stand)
    waiting = tuple(statement for statement in stand if books.waits(statement) and _counts(statement))
    lines = [
        line
        for statement in stand
        if (currency := books.currency(statement)) is not None and not books.waits(statement)
        for line in _lines(books, statement, currency, parameters)
        if line.amount
    ]
    lines.sort(key=lambda line: line.statement.moment)  # stable: a document's own order stays
    return Ledger(tuple(lines), stand, waiting)


def _lines(books: Books, statement: Statement, currency: str, parameters: ValueParameters) -> Iterator[LedgerLine]:
    match statement.data:
        case Order() as order:
            opened = list(open_lines(books, statement, order))
            yield from revenue.order_revenue(books, statement, order, opened, currency)
            yield from costs.order_costs(books, statement, order, opened, currency, parameters)
        case Cancellation() as cancellation:
            yield from revenue.cancellation_fee(statement, cancellation, currency)
        case Return() as returned:
            yield from revenue.returned_revenue(books, statement, returned, currency)
            yield from costs.return_costs(statement, returned, currency)
        case Shipment() as shipment:
            yield from costs.shipment_costs(books, statement, shipment, currency)
        case Cost() as cost:
            yield from costs.reported_cost(books, statement, cost, currency)
        case Invoice() as invoice:
            yield from revenue.invoice_revenue(statement, invoice, currency)
            yield from costs.invoice_costs(books, statement, invoice, currency, parameters)
        case Credit() as credit:
            yield from revenue.credited_revenue(statement, credit, currency)
        case _:
            return  # payments and what undoes them settle receivables


def _counts(statement: Statement) -> bool:
    """Whether the document has lines at all; those that settle receivables wait for nothing here."""
    return isinstance(statement.data, Order | Cancellation | Return | Shipment | Cost | Invoice | Credit)
