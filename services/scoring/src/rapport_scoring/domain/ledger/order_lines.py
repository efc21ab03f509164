"""What becomes of the lines of an order: how much was billed, came back, was cancelled, and is open.

Returns take what was sold, by moment, and no more: neither more pieces than were ordered (or billed, where that is
more), nor more money. Cancellations take what is neither billed nor returned; those that name lines come before those
of the whole order, each by moment. So nothing is reversed twice: a billed sale is reversed by a credit, a return by
itself, and a second cancellation finds nothing. What nobody ordered can be neither returned nor cancelled.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
class ReturnedPart:
    """How much of a line came back with a return: a quantity, its net, and the cost that is regained."""

    statement: Statement
    line: str
    quantity: Exact
    net: int
    cost_recovered: int


@dataclass(frozen=True, slots=True)
class OpenLine:
    """An order line: the net that no invoice bills, what cancellations took of it, and what came back of it."""

    line: OrderLine
    quantity: Exact
    net: int
    taken: tuple[Taken, ...] = ()
    returned: tuple[ReturnedPart, ...] = ()

    @property
    def cancelled(self) -> bool:
        """Whether all of it was cancelled; of a line without quantity, a fee, all of its net."""
        if self.quantity:
            return sum([taken.quantity for taken in self.taken]) == self.quantity
        return bool(self.taken) and sum(taken.net for taken in self.taken) == self.line.net


@dataclass(frozen=True, slots=True)
class OrderGoods:
    """The lines of an order. `cancelled`: all of the order was cancelled. `whole` first cancelled all that was left.

    `exceeding` are the returns and cancellations that ask for more than there was, `foreign` those in another currency
    than the order, which are left out.
    """

    lines: tuple[OpenLine, ...]
    cancelled: bool = False
    whole: Statement | None = None
    exceeding: tuple[Statement, ...] = ()
    foreign: tuple[Statement, ...] = ()

    @property
    def returned(self) -> list[ReturnedPart]:
        """What came back, line by line."""
        return [part for line in self.lines for part in line.returned]


def order_goods(books: Books, name: Name, order: Order) -> OrderGoods:
    """What became of the lines of the order `name`, in the order's own sequence."""
    returns, cancellations = books.returns_of.get(name, ()), books.cancellations_of.get(name, ())
    if not (returns or cancellations or name in books.bills_of):
        return OrderGoods(tuple([OpenLine(line, exact(line.quantity), line.net) for line in order.lines]))
    foreign = tuple(one for one in (*returns, *cancellations) if one.data.currency not in (None, order.currency))
    asked = _Asked.of([one for one in (*returns, *cancellations) if one not in foreign])
    bills = _bills(books, name, order)
    unplaced = sum(line.net for line in bills[None])
    lines, exceeding = [], dict.fromkeys(asked.unknown(order))
    for line in order.lines:
        sold = _sold(line, bills.get(line.line, ()), unplaced)
        unplaced -= sold.placed
        opened, beyond = _open_line(line, sold, asked)
        lines.append(opened)
        exceeding |= dict.fromkeys(beyond)
    whole = next(iter(asked.whole_cancellations), None)
    cancelled = all(line.cancelled for line in lines) if lines else whole is not None and not bills[None]
    return OrderGoods(tuple(lines), cancelled, whole, tuple(exceeding), foreign)


def goods_of_orders(books: Books) -> dict[Name, OrderGoods]:
    """What became of the lines of every order."""
    return {
        name: order_goods(books, name, statement.data)
        for name, statement in books.orders.items()
        if isinstance(statement.data, Order)
    }


@dataclass(frozen=True, slots=True)
class _Asked:
    """What returns and cancellations ask to take, by line where they name any. Each list is by moment."""

    returns: Sequence[Statement]
    cancelled_lines: Mapping[str, Sequence[tuple[Statement, ValuedLine]]]
    whole_cancellations: Sequence[Statement]

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> "_Asked":
        returns, whole = [], []
        by_line: defaultdict[str, list[tuple[Statement, ValuedLine]]] = defaultdict(list)
        for statement in statements:
            if isinstance(statement.data, Return):
                returns.append(statement)
            elif isinstance(statement.data, Cancellation):
                for line in statement.data.lines:
                    by_line[line.line].append((statement, line))
                whole += [] if statement.data.lines else [statement]
        return cls(returns, by_line, whole)

    def unknown(self, order: Order) -> Iterator[Statement]:
        """The statements that name a line that the order does not have."""
        known = {line.line for line in order.lines}
        for statement in self.returns:
            if isinstance(statement.data, Return) and any(line.line not in known for line in statement.data.lines):
                yield statement
        for name in sorted(self.cancelled_lines.keys() - known):
            yield from (statement for statement, _ in self.cancelled_lines[name])

    def returned(self, line: str) -> Iterator[tuple[Statement, ReturnedLine | None]]:
        """The returns of a line; None for the return of all that there is."""
        for statement in self.returns:
            if isinstance(statement.data, Return):
                named = [asked for asked in statement.data.lines if asked.line == line]
                yield from ((statement, asked) for asked in named)
                if not statement.data.lines:
                    yield statement, None


@dataclass(frozen=True, slots=True)
class _Sold:
    """How much of a line was sold: `billed` pieces, `unbilled` ones with their net `open_net`, and the net of all.

    `placed` is what bills that name no line of the order take of this one.
    """

    billed: Exact
    unbilled: Exact
    open_net: int
    net: int
    placed: int

    @property
    def quantity(self) -> Exact:
        """All pieces that were sold."""
        return self.billed + self.unbilled


def _sold(line: OrderLine, bills: Sequence[InvoiceLine], unplaced: int) -> _Sold:
    """A bill that does not say which line it bills reduces what is open from the first line on."""
    quantity = exact(line.quantity)
    billed = sum([exact(bill.quantity) for bill in bills])
    unbilled = max(0, quantity - billed)
    net = share(line.net, unbilled, quantity) if quantity or not bills else 0
    placed = min(unplaced, net)
    left = net - placed
    still = Fraction(unbilled * left, net) if net and left != net else unbilled
    still = still.numerator if still.denominator == 1 else still
    return _Sold(billed + (unbilled - still), still, left, sum(bill.net for bill in bills) + net, placed)


def _open_line(line: OrderLine, sold: _Sold, asked: _Asked) -> tuple[OpenLine, list[Statement]]:
    """The line with what was taken of it, and the statements that ask for more of it than there was."""
    returned, beyond = _returned(line, sold, asked)
    came_back, given_back = sum([part.quantity for part in returned]), sum(part.net for part in returned)
    unbilled_back = max(0, came_back - sold.billed)
    money_back = share(given_back, unbilled_back, came_back) if came_back else (0 if sold.billed else given_back)
    money_back = min(money_back, sold.open_net)
    taken = list(_taken(line, sold, unbilled_back, money_back, asked))
    left = sold.unbilled - unbilled_back
    for statement, cancelled in asked.cancelled_lines.get(line.line, ()):
        left -= exact(cancelled.quantity)
        if left < 0:
            beyond.append(statement)
    opened = OpenLine(line, exact(line.quantity), sold.open_net, tuple(taken), tuple(returned))
    return opened, beyond


def _returned(line: OrderLine, sold: _Sold, asked: _Asked) -> tuple[list[ReturnedPart], list[Statement]]:
    parts: list[ReturnedPart] = []
    beyond = []
    pieces, money = sold.quantity, sold.net
    for statement, wanted in asked.returned(line.line):
        if wanted is None:
            part = ReturnedPart(statement, line.line, pieces, money, 0)
        else:
            part, exceeds = _part(statement, wanted, pieces, money, counted=bool(exact(line.quantity)))
            beyond += [statement] if exceeds else []
        pieces, money = pieces - part.quantity, money - part.net
        if part.quantity or part.net or part.cost_recovered:
            parts.append(part)
    return parts, beyond


def _part(
    statement: Statement, wanted: ReturnedLine, pieces: Exact, money: int, *, counted: bool
) -> tuple[ReturnedPart, bool]:
    """What of the wanted is there, and whether that is less. Of a line without quantity, a fee, the money counts."""
    asked = exact(wanted.quantity)
    quantity = min(asked, pieces)
    part, whole = (quantity, asked) if counted else (1, 1)
    stated = share(wanted.net, part, whole)
    cost = share(wanted.cost_recovered, part, whole)
    exceeds = stated > money or (counted and quantity < asked)
    return ReturnedPart(statement, wanted.line, quantity, min(stated, money), cost), exceeds


def _taken(line: OrderLine, sold: _Sold, back: Exact, money_back: int, asked: _Asked) -> Iterator[Taken]:
    """What cancellations take of what is neither billed nor returned: `back` pieces are, with their `money_back`."""
    gone, left = back, sold.open_net - money_back
    for statement, cancelled in asked.cancelled_lines.get(line.line, ()):
        wanted = exact(cancelled.quantity)
        part = min(wanted, sold.unbilled - gone)
        net = min(share(cancelled.net, part, wanted) if exact(line.quantity) else cancelled.net, left)
        gone, left = gone + part, left - net
        yield Taken(statement, part, net)
    for statement in asked.whole_cancellations[:1]:
        net = left
        if exact(line.quantity):
            # The share of the pieces that are left: what a return or cancellation kept back stays earned.
            net = min(left, sold.open_net - share(sold.open_net, gone, sold.unbilled)) if gone < sold.unbilled else 0
        yield Taken(statement, sold.unbilled - gone, net)


def _bills(books: Books, name: Name, order: Order) -> defaultdict[str | None, list[InvoiceLine]]:
    """The lines of all invoices that bill the order, by its line; under None those that name none of it."""
    known = {line.line for line in order.lines}
    found: defaultdict[str | None, list[InvoiceLine]] = defaultdict(list)
    for bill in books.bills_of[name]:
        found[bill.order_line if bill.order_line in known else None].append(bill)
    return found
