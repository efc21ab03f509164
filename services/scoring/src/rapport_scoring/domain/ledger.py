"""The ledger of a customer: documents to lines, each naming its event."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapport_scoring.domain import costs, revenue
from rapport_scoring.domain.books import Books, open_books
from rapport_scoring.domain.documents import Statement, standing
from rapport_scoring.domain.facts import AssetEvent, Contact
from rapport_scoring.domain.ledger_policy import LedgerPolicy
from rapport_scoring.domain.lines import LedgerLine
from rapport_scoring.domain.order_lines import open_lines
from rapport_scoring.domain.receivables import Gap, OnAccount, Receivable
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
    """The lines that add up to a value, and what they rest on.

    `statements` stand, `waiting` are those of them that name another that has not come. `valued_on` is the day that
    `receivables` and `on_account` are of, None where nothing is known. `gaps` are contradictions.
    """

    lines: tuple[LedgerLine, ...]
    statements: tuple[Statement, ...]
    waiting: tuple[Statement, ...]
    receivables: tuple[Receivable, ...] = ()
    on_account: tuple[OnAccount, ...] = ()
    gaps: tuple[Gap, ...] = ()
    valued_on: date | None = None

    def window(self, since: date, until: date) -> tuple[LedgerLine, ...]:
        """The lines of the facts that count on a day from `since` (inclusive) to `until` (exclusive)."""
        return tuple(line for line in self.lines if since <= line.day < until)


def ledger(
    statements: Iterable[Statement],
    policy: LedgerPolicy,
    *,
    contacts: Iterable[Contact] = (),
    asset_events: Iterable[AssetEvent] = (),
    valued_on: date | None = None,
    since: date | None = None,
    own: frozenset[UUID] | None = None,
) -> Ledger:
    """The ledger of facts, in whatever order and however often they come.

    Facts count up to and with the day `valued_on`; without one all do, and the last day among them is the day of
    valuation. Of a document the newest statement decides on which day it counts. `since` leaves out the lines of
    earlier days, though their documents still settle; `own` leaves out the lines, receivables and gaps of other
    profiles, so that `statements` may hold documents of others that name the customer's.

    Lines are by the moment of their event, then as the documents state them; lines of nothing are left out.
    """
    stand = tuple(statement for statement in standing(statements) if valued_on is None or statement.day <= valued_on)
    books = open_books(stand)
    waiting = tuple(statement for statement in stand if books.waits(statement) and _counts(statement))
    lines = [
        line
        for statement in stand
        if (currency := books.currency(statement)) is not None and not books.waits(statement)
        for line in _lines(books, statement, currency, policy)
        if line.amount and (since is None or line.day >= since) and (own is None or line.profile_id in own)
    ]
    lines.sort(key=lambda line: line.moment)  # stable: a document's own order stays
    return Ledger(tuple(lines), stand, waiting, valued_on=valued_on)


def _lines(books: Books, statement: Statement, currency: str, policy: LedgerPolicy) -> Iterator[LedgerLine]:
    match statement.data:
        case Order() as order:
            opened = list(open_lines(books, statement, order))
            yield from revenue.order_revenue(books, statement, order, opened, currency)
            yield from costs.order_costs(books, statement, order, opened, currency, policy)
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
            yield from costs.invoice_costs(books, statement, invoice, currency, policy)
        case Credit() as credit:
            yield from revenue.credited_revenue(statement, credit, currency)
        case _:
            return  # payments and what undoes them settle receivables


def _counts(statement: Statement) -> bool:
    """Whether the document has lines at all; those that settle receivables wait for nothing here."""
    return isinstance(statement.data, Order | Cancellation | Return | Shipment | Cost | Invoice | Credit)
