"""What is left of each line of an order: which return and which cancellation took how much of it.

Returns take what was ordered, by moment, and no more than that. Ordered − invoiced − returned before any invoice is
open; cancellations take from what is open, those that name lines before those that name none, each by moment. So
nothing is reversed twice: an invoiced sale is reversed by a credit, a return by itself, and a second cancellation of
the whole finds nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rapport_scoring.domain.ledger.books import Books, Name
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import Exact, exact, share
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    InvoiceLine,
    Order,
    OrderLine,
    Return,
    ReturnedLine,
    ValuedLine,
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How much of a line a cancellation took: a quantity, and its net."""

    cancellation: Statement
    quantity: Exact
    net: int


@dataclass(frozen=True, slots=True)
class OpenLine:
    """An order line: the net that no invoice bills, and what cancellations took of it."""

    line: OrderLine
    quantity: Exact
    net: int
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class ReturnedPart:
    """A line of a return, and the quantity of it that had been ordered and not yet come back."""

    statement: Statement
    line: ReturnedLine
    quantity: Exact

    @property
    def net(self) -> int:
        """The net of that quantity."""
        return share(self.line.net, self.quantity, exact(self.line.quantity))

    @property
    def cost_recovered(self) -> int:
        """The cost that is regained with that quantity."""
        return share(self.line.cost_recovered, self.quantity, exact(self.line.quantity))

    @property
    def exceeds(self) -> bool:
        """Whether more came back than there was."""
        return self.quantity < exact(self.line.quantity)


def returned_parts(books: Books, name: Name, order: Order) -> list[ReturnedPart]:
    """What came back of an order, by moment. Lines the order does not have, or does not count, are taken whole."""
    if name not in books.returns_of:
        return []
    left = {line.line: exact(line.quantity) for line in order.lines if exact(line.quantity)}
    parts = []
    for statement in books.returns_of[name]:
        if not isinstance(statement.data, Return) or books.waits(statement):
            continue
        for line in statement.data.lines:
            quantity = exact(line.quantity)
            if line.line in left:
                quantity = min(quantity, left[line.line])
                left[line.line] -= quantity
            parts.append(ReturnedPart(statement, line, quantity))
    return parts


def open_lines(books: Books, name: Name, order: Order, returned: Sequence[ReturnedPart]) -> Iterator[OpenLine]:
    """The lines of `order`, in its order; `returned` is what came back of it."""
    if not (returned or name in books.bills_of or name in books.cancellations_of):
        yield from (OpenLine(line, exact(line.quantity), line.net, ()) for line in order.lines)
        return
    bills = _bills(books, name, order)
    unplaced = sum(line.net for line in bills[None])
    came_back: defaultdict[str, list[ReturnedPart]] = defaultdict(list)
    for part in returned:
        came_back[part.line.line].append(part)
    named, whole = _cancellations(books, name)
    for line in order.lines:
        quantity = exact(line.quantity)
        billed = bills.get(line.line, ())
        all_billed = sum([exact(bill.quantity) for bill in billed])
        unbilled = max(0, quantity - all_billed)
        net = share(line.net, unbilled, quantity) if quantity or not billed else 0
        # A bill that does not say which line it bills reduces what is open from the first line on.
        placed = min(unplaced, net)
        unplaced -= placed
        left = net - placed
        returned_quantity, returned_net = _returned_unbilled(came_back.get(line.line, ()), all_billed)
        there = max(0, (Fraction(unbilled * left, net) if net and left != net else unbilled) - returned_quantity)
        taken = _taken(named.get(line.line, ()), whole, there, max(0, left - returned_net), uncounted=quantity == 0)
        yield OpenLine(line, quantity, left, tuple(taken))


def _bills(books: Books, name: Name, order: Order) -> defaultdict[str | None, list[InvoiceLine]]:
    """The lines of all invoices that bill the order, by its line; under None those that name none of it."""
    known = {line.line for line in order.lines}
    found: defaultdict[str | None, list[InvoiceLine]] = defaultdict(list)
    for bill in books.bills_of[name]:
        found[bill.order_line if bill.order_line in known else None].append(bill)
    return found


def _cancellations(
    books: Books, name: Name
) -> tuple[defaultdict[str, list[tuple[Statement, ValuedLine]]], Statement | None]:
    """What cancels lines of an order, by line, and what first cancels the whole."""
    named: defaultdict[str, list[tuple[Statement, ValuedLine]]] = defaultdict(list)
    whole = None
    for statement in books.cancellations_of.get(name, ()):
        if isinstance(statement.data, Cancellation):
            for line in statement.data.lines:
                named[line.line].append((statement, line))
            if whole is None and not statement.data.lines:
                whole = statement
    return named, whole


def _returned_unbilled(parts: Sequence[ReturnedPart], billed: Exact) -> tuple[Exact, int]:
    """What came back of a line beyond what was billed of it."""
    quantity = sum([part.quantity for part in parts])
    net = sum([part.net for part in parts])
    beyond = max(0, quantity - billed)
    return beyond, share(net, beyond, quantity) if quantity else (0 if billed else net)


def _taken(
    named: Sequence[tuple[Statement, ValuedLine]],
    whole: Statement | None,
    quantity: Exact,
    net: int,
    *,
    uncounted: bool,
) -> Iterator[Taken]:
    for statement, cancelled in named:
        asked = exact(cancelled.quantity)
        part = min(asked, quantity)
        amount = min(cancelled.net if uncounted else share(cancelled.net, part, asked), net)
        quantity, net = quantity - part, net - amount
        yield Taken(statement, part, amount)
    if whole is not None:
        yield Taken(whole, quantity, net)
