"""What is left of each line of an order, and which cancellation took how much of it.

Ordered − invoiced − returned before any invoice is open; cancellations take from what is open, those that name lines
before those that name none, each by moment. So nothing is reversed twice: an invoiced sale is reversed by a credit,
a return by itself, and a second cancellation of the whole finds nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rapport_scoring.domain.books import Books, Name
from rapport_scoring.domain.documents import Statement
from rapport_scoring.domain.lines import share
from rapport_shared.contracts.touchpoints.commerce import Cancellation, Order, OrderLine, Return


@dataclass(frozen=True, slots=True)
class Taken:
    """How much of a line a cancellation took: a quantity, and its net."""

    cancellation: Statement
    quantity: Fraction
    net: int


@dataclass(frozen=True, slots=True)
class OpenLine:
    """An order line: the net that no invoice bills, and what cancellations took of it."""

    line: OrderLine
    quantity: Fraction
    net: int
    taken: tuple[Taken, ...]

    @property
    def cancelled(self) -> Fraction:
        """The quantity that was cancelled."""
        return sum((taken.quantity for taken in self.taken), Fraction(0))


def open_lines(books: Books, statement: Statement, order: Order) -> Iterator[OpenLine]:
    """The lines of `order`, in its order."""
    name = (statement.key.system, order.order)
    known = {line.line for line in order.lines}
    invoiced = books.invoice_lines(name)
    unplaced = sum(line.net for line in invoiced if line.order_line not in known)
    for line in order.lines:
        quantity = Fraction(line.quantity)
        billed = [Fraction(bill.quantity) for bill in invoiced if bill.order_line == line.line]
        unbilled = max(Fraction(0), quantity - sum(billed))
        net = share(line.net, unbilled, quantity) if quantity or not billed else 0
        # A bill that does not say which line it bills reduces what is open from the first line on.
        placed = min(unplaced, net)
        unplaced -= placed
        left = net - placed
        returned, returned_net = _returned_unbilled(books, name, line.line, sum(billed, Fraction(0)))
        there = max(Fraction(0), (unbilled * left / net if net else unbilled) - returned)
        taken = _taken(books, name, line.line, there, max(0, left - returned_net), uncounted=quantity == 0)
        yield OpenLine(line, quantity, left, tuple(taken))


def _returned_unbilled(books: Books, order: Name, line: str, billed: Fraction) -> tuple[Fraction, int]:
    """What came back of a line beyond what was billed of it."""
    quantity, net = Fraction(0), 0
    for statement in books.returns_of[order]:
        if isinstance(statement.data, Return):
            for returned in statement.data.lines:
                if returned.line == line:
                    quantity += Fraction(returned.quantity)
                    net += returned.net
    beyond = max(Fraction(0), quantity - billed)
    return beyond, share(net, beyond, quantity) if quantity else (0 if billed else net)


def _taken(books: Books, order: Name, line: str, quantity: Fraction, net: int, *, uncounted: bool) -> Iterator[Taken]:
    whole = []
    for statement in books.cancellations_of[order]:
        if not isinstance(statement.data, Cancellation):
            continue
        if not statement.data.lines:
            whole.append(statement)
        for cancelled in statement.data.lines:
            if cancelled.line == line:
                asked = Fraction(cancelled.quantity)
                part = min(asked, quantity)
                amount = min(cancelled.net if uncounted else share(cancelled.net, part, asked), net)
                quantity, net = quantity - part, net - amount
                yield Taken(statement, part, amount)
    if whole:
        yield Taken(whole[0], quantity, net)
