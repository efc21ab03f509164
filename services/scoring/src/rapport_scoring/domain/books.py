"""The standing documents of a customer, found by what they name."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from rapport_scoring.domain.documents import Statement
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Invoice,
    InvoiceLine,
    Order,
    Return,
    Shipment,
)

Name: TypeAlias = tuple[str, str]
"""System and number: numbers of two systems have nothing to do with each other."""

Listed: TypeAlias = defaultdict[Name, list[Statement]]


def _listed() -> Listed:
    return defaultdict(list)


@dataclass(slots=True)
class Books:
    """An index. Each list is by moment."""

    orders: dict[Name, Statement] = field(default_factory=dict)
    invoices: dict[Name, Statement] = field(default_factory=dict)
    returns: dict[Name, Statement] = field(default_factory=dict)
    shipments: dict[Name, Statement] = field(default_factory=dict)
    invoice_of_work_order: dict[Name, Statement] = field(default_factory=dict)
    cancellations_of: Listed = field(default_factory=_listed)
    returns_of: Listed = field(default_factory=_listed)
    shipments_of: Listed = field(default_factory=_listed)
    invoices_of: Listed = field(default_factory=_listed)
    credits: list[Statement] = field(default_factory=list)
    credits_of_return: Listed = field(default_factory=_listed)
    costs: list[Statement] = field(default_factory=list)
    costs_of: defaultdict[tuple[str, Name], list[Statement]] = field(default_factory=lambda: defaultdict(list))

    def currency(self, statement: Statement) -> str | None:
        """A document's currency, else that of the document it names; None while that one has not come."""
        data, system = statement.data, statement.key.system
        if data.currency is not None:
            return data.currency
        for named in self._named(statement):
            if named is not None and named.key != statement.key:
                return self.currency(named)
        if isinstance(data, Cost) and data.about.work_order is not None:
            invoice = self.invoice_of_work_order.get((system, data.about.work_order))
            return None if invoice is None else self.currency(invoice)
        return None

    def waits(self, statement: Statement) -> bool:
        """Whether the document names one that has not come, or has no currency yet: it counts once that heals."""
        named = self._named(statement)
        missing = None in named and not isinstance(statement.data, Invoice)
        return missing or self.currency(statement) is None

    def _named(self, statement: Statement) -> list[Statement | None]:
        system = statement.key.system
        match statement.data:
            case Cancellation(order=order) | Return(order=order) | Shipment(order=order):
                return [self.orders.get((system, order))]
            case Invoice(lines=lines):
                return [self.orders.get((system, line.order)) for line in lines if line.order is not None]
            case Credit(invoice=invoice, return_number=returned):
                pairs = ((self.invoices, invoice), (self.returns, returned))
                return [found.get((system, number)) for found, number in pairs if number is not None]
            case Cost(about=about):
                places = ((self.orders, about.order), (self.shipments, about.shipment), (self.invoices, about.invoice))
                return [found.get((system, number)) for found, number in places if number is not None]
            case _:
                return []

    def invoice_lines(self, order: Name) -> list[InvoiceLine]:
        """The lines of all invoices that bill `order`."""
        return [
            line
            for statement in self.invoices_of[order]
            if isinstance(statement.data, Invoice)
            for line in statement.data.lines
            if line.order == order[1]
        ]


def open_books(statements: Iterable[Statement]) -> Books:
    """The index of `statements`, which stand and come by moment."""
    books = Books()
    for statement in statements:
        _enter(books, statement)
    return books


def _enter(books: Books, statement: Statement) -> None:
    system = statement.key.system
    name = (system, statement.key.number)
    match statement.data:
        case Order():
            books.orders[name] = statement
        case Cancellation(order=order):
            books.cancellations_of[system, order].append(statement)
        case Return(order=order):
            books.returns[name] = statement
            books.returns_of[system, order].append(statement)
        case Shipment(order=order):
            books.shipments[name] = statement
            books.shipments_of[system, order].append(statement)
        case Invoice() as invoice:
            books.invoices[name] = statement
            if invoice.work_order is not None:
                books.invoice_of_work_order[system, invoice.work_order] = statement
            for order in sorted({line.order for line in invoice.lines if line.order is not None}):
                books.invoices_of[system, order].append(statement)
        case Credit(return_number=returned):
            books.credits.append(statement)
            if returned is not None:
                books.credits_of_return[system, returned].append(statement)
        case Cost(about=about):
            books.costs.append(statement)
            for subject in ("order", "shipment", "invoice", "work_order", "campaign"):
                number = getattr(about, subject)
                if number is not None:
                    books.costs_of[subject, (system, number)].append(statement)
        case _:
            pass  # what settles receivables has no line in revenue or cost
