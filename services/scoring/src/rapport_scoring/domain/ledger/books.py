"""The standing documents of a customer, found by what they name."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rapport_scoring.domain.ledger.documents import Statement
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Document,
    Invoice,
    InvoiceLine,
    Order,
    Payment,
    PaymentAllocation,
    Refund,
    Return,
    Reversal,
    Shipment,
    WriteOff,
)

Name: TypeAlias = tuple[str, str]
"""System and number: numbers of two systems have nothing to do with each other."""

Subject: TypeAlias = tuple[str, Name]
"""What a cost is about: the field that names it, and its name."""

BASES = ("estimate", "standard", "actual")
"""What a cost rests on, the best last."""

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
    bills_of: defaultdict[Name, list[InvoiceLine]] = field(default_factory=lambda: defaultdict(list))
    payments: dict[Name, Statement] = field(default_factory=dict)
    allocated: dict[Name, Statement] = field(default_factory=dict)
    reversals: list[Statement] = field(default_factory=list)
    refunds: list[Statement] = field(default_factory=list)
    write_offs: list[Statement] = field(default_factory=list)
    credits: dict[Name, Statement] = field(default_factory=dict)
    credits_of_return: Listed = field(default_factory=_listed)
    costs: list[Statement] = field(default_factory=list)
    reported: defaultdict[Subject, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """Of each subject the types of cost that were reported, and the place in `BASES` of the best of each."""

    def currency(self, statement: Statement) -> str | None:
        """A document's currency, else that of the document it names; None while that one has not come."""
        data, system = statement.data, statement.key.system
        if data.currency is not None or type(data) is Order:
            return data.currency
        for named in self._named(statement):
            if named is not None and (currency := self.currency(named)) is not None:
                return currency
        if isinstance(data, Cost) and data.about.work_order is not None:
            invoice = self.invoice_of_work_order.get((system, data.about.work_order))
            return None if invoice is None else self.currency(invoice)
        if isinstance(data, Payment):
            anew = self.allocating((system, data.payment))
            found = [] if anew is None else self._invoices_paid(anew)
            return next((told for one in found if one is not None and (told := self.currency(one)) is not None), None)
        return None

    def waits(self, statement: Statement) -> bool:
        """Whether the document names one that has not come, or has no currency yet: it counts once that heals."""
        if type(statement.data) is Order:
            return statement.data.currency is None
        named = self._named(statement)
        missing = None in named and not isinstance(statement.data, Invoice)
        return missing or self.currency(statement) is None

    def allocating(self, payment: Name) -> Statement | None:
        """The statement whose allocations of a payment count: the highest, whether it states the payment or not."""
        stated, anew = self.payments.get(payment), self.allocated.get(payment)
        if stated is None or anew is None:
            return stated or anew
        return max(stated, anew, key=lambda statement: statement.rank)

    def _named(self, statement: Statement) -> list[Statement | None]:
        system = statement.key.system
        match statement.data:
            case Cancellation(order=order) | Return(order=order) | Shipment(order=order):
                return [self.orders.get((system, order))]
            case Invoice(lines=lines):
                return [self.orders.get((system, line.order)) for line in lines if line.order is not None]
            case Credit(invoice=invoice, return_number=returned):
                return self._found(system, (self.invoices, invoice), (self.returns, returned))
            case Cost(about=about):
                places = ((self.orders, about.order), (self.shipments, about.shipment), (self.invoices, about.invoice))
                return self._found(system, *places)
            case Payment(order=order):
                return [*self._found(system, (self.orders, order)), *self._invoices_paid(statement)]
            case PaymentAllocation(payment=payment):
                return [self.payments.get((system, payment)), *self._invoices_paid(statement)]
            case Reversal(payment=payment):
                return [self.payments.get((system, payment))]
            case Refund(payment=payment, credit=credit):
                return self._found(system, (self.payments, payment), (self.credits, credit))
            case WriteOff(invoice=invoice):
                return [self.invoices.get((system, invoice))]
            case _:
                return []

    def _found(self, system: str, *places: tuple[dict[Name, Statement], str | None]) -> list[Statement | None]:
        return [found.get((system, number)) for found, number in places if number is not None]

    def _invoices_paid(self, statement: Statement) -> list[Statement | None]:
        data, system = statement.data, statement.key.system
        if not isinstance(data, Payment | PaymentAllocation):
            return []
        if self.allocating((system, data.payment)) is not statement:
            return []
        return [self.invoices.get((system, item.invoice)) for item in data.allocations]


def open_books(statements: Iterable[Statement]) -> Books:
    """The index of `statements`, which stand and come by moment."""
    books = Books()
    for statement in statements:
        _enter(books, statement)
    for statement in books.costs:
        if isinstance(statement.data, Cost) and not books.waits(statement):
            cost, known = statement.data, books.reported[subject_of(statement.key.system, statement.data)]
            known[cost.type] = max(known.get(cost.type, 0), BASES.index(cost.basis))
    return books


def subject_of(system: str, cost: Cost) -> Subject:
    """What a cost is about."""
    return next((subject, (system, number)) for subject, number in cost.about if number is not None)


def _enter(books: Books, statement: Statement) -> None:
    enter = _ENTRIES.get(type(statement.data))
    if enter is None:
        raise TypeError(f"no such document: {type(statement.data).__name__}")
    enter(books, statement, statement.key.system, statement.data)


def _order(books: Books, statement: Statement, system: str, order: Order) -> None:
    books.orders[system, statement.key.number] = statement


def _cancellation(books: Books, statement: Statement, system: str, cancellation: Cancellation) -> None:
    books.cancellations_of[system, cancellation.order].append(statement)


def _return(books: Books, statement: Statement, system: str, returned: Return) -> None:
    books.returns[system, statement.key.number] = statement
    books.returns_of[system, returned.order].append(statement)


def _shipment(books: Books, statement: Statement, system: str, shipment: Shipment) -> None:
    books.shipments[system, statement.key.number] = statement
    books.shipments_of[system, shipment.order].append(statement)


def _invoice(books: Books, statement: Statement, system: str, invoice: Invoice) -> None:
    books.invoices[system, statement.key.number] = statement
    if invoice.work_order is not None:
        books.invoice_of_work_order[system, invoice.work_order] = statement
    for line in invoice.lines:
        if line.order is not None:
            books.bills_of[system, line.order].append(line)
    for order in sorted({line.order for line in invoice.lines if line.order is not None}):
        books.invoices_of[system, order].append(statement)


def _credit(books: Books, statement: Statement, system: str, credit: Credit) -> None:
    books.credits[system, statement.key.number] = statement
    if credit.return_number is not None:
        books.credits_of_return[system, credit.return_number].append(statement)


def _payment(books: Books, statement: Statement, system: str, payment: Payment) -> None:
    books.payments[system, statement.key.number] = statement


def _allocation(books: Books, statement: Statement, system: str, allocation: PaymentAllocation) -> None:
    books.allocated[system, statement.key.number] = statement


_ENTRIES: Mapping[type[Document], Callable[[Books, Statement, str, Any], None]] = {
    Order: _order,
    Cancellation: _cancellation,
    Return: _return,
    Shipment: _shipment,
    Invoice: _invoice,
    Credit: _credit,
    Cost: lambda books, statement, *_: books.costs.append(statement),
    Payment: _payment,
    PaymentAllocation: _allocation,
    Reversal: lambda books, statement, *_: books.reversals.append(statement),
    Refund: lambda books, statement, *_: books.refunds.append(statement),
    WriteOff: lambda books, statement, *_: books.write_offs.append(statement),
}
"""How a document is entered. A table, for to ask a model's type is dear, and most documents would be asked often."""
