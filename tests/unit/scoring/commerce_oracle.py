"""Commerce simulated piece by piece and coin by coin: what orders, invoices and payments come to, by brute force.

Every ordered piece is an object that is open, billed, returned or cancelled, and every unit of money lies on an invoice
or on account. It takes documents of one statement each whose amounts are whole pieces: of an order all pieces have one
price, every line's net is pieces × price, and a fee (a line of quantity 0) is billed whole or not at all. An invoice
bills one order at most.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from typing import Any, TypeVar
from uuid import UUID

from rapport_scoring.domain.ledger.documents import Statement
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Credit,
    Document,
    Invoice,
    Order,
    Payment,
    Refund,
    Return,
    Reversal,
    WriteOff,
)

Data = TypeVar("Data", bound=Document)


class Fate(Enum):
    """What became of a piece."""

    OPEN = auto()
    BILLED = auto()
    RETURNED = auto()
    CANCELLED = auto()


@dataclass(slots=True, eq=False)
class Piece:
    """One piece of a line, or one unit of the money of a fee."""

    price: int
    fate: Fate = Fate.OPEN


@dataclass(slots=True)
class Line:
    """A line of an order as its pieces; `ordered` of them were ordered, others only billed."""

    pieces: list[Piece]
    ordered: int
    fee: bool

    def take(self, count: int | None, into: Fate, *of: Fate) -> int:
        """Turns up to `count` pieces, or all, that have one of the fates into another; answers their money."""
        found = [piece for fate in of for piece in self.pieces if piece.fate is fate][:count]
        for piece in found:
            piece.fate = into
        return sum(piece.price for piece in found)


@dataclass(slots=True, eq=False)
class Bill:
    """An invoice: what of it credits and write-offs took; coins lie on it besides."""

    statement: Statement
    data: Invoice
    credited: int = 0
    written_off: int = 0
    refunded: int = 0


@dataclass(slots=True, eq=False)
class Money:
    """A payment or credit as coins: each lies on a bill or, under None, on account; those that are gone are missing."""

    statement: Statement
    currency: str
    coins: list[Bill | None]
    credited: Bill | None = None

    def lift(self, count: int) -> None:
        """Takes coins away: first those on account, then those that were laid last."""
        for _ in range(min(count, len(self.coins))):
            if None in self.coins:
                self.coins.remove(None)
            else:
                self.coins.pop()


@dataclass(slots=True)
class Simulation:
    """What documents come to for the profiles `own`, each amount by currency."""

    statements: Sequence[Statement]
    own: frozenset[UUID]
    orders: int = 0
    returned: int = 0
    waiting: int = 0
    revenue: Counter[str] = field(default_factory=Counter)
    receivable_open: Counter[str] = field(default_factory=Counter)
    receivable_due: Counter[tuple[date, str]] = field(default_factory=Counter)
    on_account: Counter[str] = field(default_factory=Counter)
    _bills: dict[str, Bill] = field(default_factory=dict)
    _money: dict[tuple[str, str], Money] = field(default_factory=dict)

    def run(self) -> "Simulation":
        """Lets all happen."""
        self.statements = sorted(self.statements, key=lambda told: told.moment)
        self.waiting = sum(self._waits(told) for told in self.statements if told.profile_id in self.own)
        for told, order in self._of(Order):
            self._deal(told, order)
        for told, invoice in self._of(Invoice):
            self._earn(told, str(invoice.currency), invoice.net)
            self._bills[invoice.invoice] = Bill(told, invoice)
        for told, credit in self._of(Credit):
            if not self._waits(told):
                self._earn(told, str(credit.currency), -credit.net)
        self._settle()
        return self

    def _of(self, kind: type[Data]) -> Iterator[tuple[Statement, Data]]:
        for told in self.statements:
            if isinstance(told.data, kind):
                yield told, told.data

    def _numbers(self, kind: type[Document], name: str) -> set[str]:
        return {getattr(data, name) for _, data in self._of(kind)}

    def _waits(self, told: Statement) -> bool:
        """Whether a document names one that there is not."""
        data: Any = told.data
        orders, bills = self._numbers(Order, "order"), self._numbers(Invoice, "invoice")
        match data:
            case Cancellation() | Return():
                return data.order not in orders
            case Credit():
                returns = self._numbers(Return, "return_number")
                return not ({data.invoice} <= bills | {None} and {data.return_number} <= returns | {None})
            case Payment():
                return not ({data.order} <= orders | {None} and {one.invoice for one in data.allocations} <= bills)
            case Reversal(payment=str(payment)) | Refund(payment=str(payment)):
                return payment not in self._numbers(Payment, "payment")
            case Refund():
                return data.credit not in self._numbers(Credit, "credit")
            case WriteOff():
                return data.invoice not in bills
            case _:
                return False

    def _earn(self, told: Statement, currency: str, amount: int) -> None:
        if told.profile_id in self.own:
            self.revenue[currency] += amount

    def _deal(self, told: Statement, order: Order) -> None:
        """What becomes of an order: it is billed, then goods come back, then what is left is cancelled."""
        lines = {line.line: _line(int(line.quantity), line.net) for line in order.lines}
        self._bill(order, lines)
        currency = str(order.currency)
        for line in lines.values():
            self._earn(told, currency, sum(piece.price for piece in line.pieces if piece.fate is Fate.OPEN))
        self._give_back(told, order, lines)
        self._cancel(order, lines)
        gone = [sum(piece.fate is Fate.CANCELLED for piece in line.pieces) == line.ordered for line in lines.values()]
        self.orders += told.profile_id in self.own and not all(gone)

    def _bill(self, order: Order, lines: dict[str, Line]) -> None:
        """Pieces are billed where a bill names their line; money that names none bills from the first line on."""
        unplaced, price = 0, max(piece.price for line in lines.values() for piece in line.pieces)
        for _, invoice in self._of(Invoice):
            for bill in invoice.lines:
                if bill.order != order.order:
                    continue
                line = lines.get(bill.order_line or "")
                if line is None:
                    unplaced += bill.net
                    continue
                count = bill.net if line.fee else int(bill.quantity)
                before = sum(piece.fate is Fate.OPEN for piece in line.pieces)
                line.take(count, Fate.BILLED, Fate.OPEN)
                unit = 1 if line.fee else price
                line.pieces += [Piece(unit, Fate.BILLED) for _ in range(count - before)]
        for line in lines.values():
            unplaced -= line.take(unplaced // price, Fate.BILLED, Fate.OPEN)

    def _give_back(self, told: Statement, order: Order, lines: dict[str, Line]) -> None:
        """Pieces come back, the billed ones first. Where a credit names the return, it says how much was given back."""
        for by, back in self._of(Return):
            if back.order != order.order or back.currency not in (None, order.currency):
                continue
            asked = [(line, item) for item in back.lines if (line := lines.get(item.line)) is not None]
            fates = Fate.RETURNED, Fate.BILLED, Fate.OPEN
            if back.lines:
                money = sum(line.take(item.net if line.fee else int(item.quantity), *fates) for line, item in asked)
            else:
                money = sum(line.take(None, *fates) for line in lines.values())
            self.returned += money > 0 and told.profile_id in self.own
            if all(credit.return_number != back.return_number for _, credit in self._of(Credit)):
                self._earn(by, str(order.currency), -money)

    def _cancel(self, order: Order, lines: dict[str, Line]) -> None:
        """Open pieces are cancelled: first where a line is named, then all."""
        ours = [
            (by, cancelled)
            for by, cancelled in self._of(Cancellation)
            if cancelled.order == order.order and cancelled.currency in (None, order.currency)
        ]
        for by, cancelled in sorted(ours, key=lambda each: not each[1].lines):
            wanted = {item.line: item for item in cancelled.lines}
            for name, line in lines.items():
                item = wanted.get(name)
                if cancelled.lines and item is None:
                    continue
                count = None if item is None else item.net if line.fee else int(item.quantity)
                self._earn(by, str(order.currency), -line.take(count, Fate.CANCELLED, Fate.OPEN))

    def _settle(self) -> None:
        """Money is laid on invoices, by day; then it is counted what is open and what is on account."""
        self._enter()
        happenings = [(told.day, 0, told) for told, _ in self._of(Payment)]
        for rank, told in [(1, told) for told, _ in self._of(Reversal)] + [(2, told) for told, _ in self._of(Refund)]:
            source = self._source(told)
            if source is not None:
                happenings.append((max(told.day, source.statement.day), rank, told))
        unmet: list[tuple[Money, int]] = []
        arrived: list[Money] = []
        for _, _, told in sorted(happenings, key=lambda one: (*one[:2], one[2].moment)):
            data, source = told.data, self._source(told)
            assert source is not None
            if isinstance(data, Payment):
                arrived.append(source)
            elif isinstance(data, Reversal):
                source.lift(data.amount)
            elif isinstance(data, Refund):
                there = source.coins.count(None)
                source.lift(min(there, data.amount))
                unmet.append((source, max(0, data.amount - there)))
            self._lay(arrived)
        for source, amount in unmet:
            self._take_from_over(source, amount)
        self._count()

    def _enter(self) -> None:
        """What documents name themselves: credits, write-offs, and what payments allocate."""
        for told, credit in self._of(Credit):
            bill = self._bills.get(credit.invoice or "")
            coins: list[Bill | None] = [] if bill else [None] * credit.gross
            self._money["credit", credit.credit] = Money(told, str(credit.currency), coins, bill)
            if bill is not None:
                bill.credited += credit.gross
        for _, write_off in self._of(WriteOff):
            if write_off.invoice in self._bills:
                self._bills[write_off.invoice].written_off += write_off.amount
        for told, payment in self._of(Payment):
            laid: list[Bill | None] = []
            for one in payment.allocations:
                bill = self._bills.get(one.invoice)
                if bill is not None and bill.data.currency == payment.currency:
                    laid += [bill] * one.amount
            rest: list[Bill | None] = [None] * (payment.amount - len(laid))
            self._money["payment", payment.payment] = Money(told, str(payment.currency), laid + rest)

    def _source(self, told: Statement) -> Money | None:
        match told.data:
            case Payment(payment=payment) | Reversal(payment=payment) | Refund(payment=str(payment)):
                return self._money.get(("payment", payment))
            case Refund(credit=str(credit)):
                return self._money.get(("credit", credit))
            case _:
                return None

    def _lay(self, arrived: Iterable[Money]) -> None:
        """Coins on account settle the invoices of the order that their payment names, those due first first."""
        for money in arrived:
            data = money.statement.data
            named = data.order if isinstance(data, Payment) else None
            while named is not None and None in money.coins and (bill := self._roomy(named, money.currency)):
                money.coins.remove(None)
                money.coins.append(bill)

    def _roomy(self, order: str, currency: str) -> Bill | None:
        """The invoice of an order that is due first and has room for a coin; a write-off leaves room."""
        found = [
            bill
            for bill in self._bills.values()
            if bill.data.currency == currency
            and any(line.order == order for line in bill.data.lines)
            and self._paid(bill) + bill.credited < bill.data.gross
        ]
        return min(found, key=lambda bill: (_terms(bill)[0][0], bill.statement.moment), default=None)

    def _paid(self, bill: Bill) -> int:
        return sum(money.coins.count(bill) for money in self._money.values())

    def _take_from_over(self, source: Money, amount: int) -> None:
        """What a refund did not find on account comes from what the invoices of its source are over."""
        settled = [source.credited, *source.coins]
        for bill in dict.fromkeys(
            bill for bill in settled if bill is not None and bill.data.currency == source.currency
        ):
            part = min(amount, self._over(bill))
            bill.refunded += part
            amount -= part

    def _over(self, bill: Bill) -> int:
        """What came in beyond all that was billed, and was not paid back; what was written off is recovered first."""
        over = self._paid(bill) + bill.credited + bill.written_off - bill.data.gross
        return max(0, over - min(bill.written_off, max(0, over)) - bill.refunded)

    def _count(self) -> None:
        for bill in self._bills.values():
            if bill.statement.profile_id not in self.own:
                continue
            currency = str(bill.data.currency)
            left = max(0, bill.data.gross - self._paid(bill) - bill.credited - bill.written_off)
            self.receivable_open[currency] += left
            self.on_account[currency] += self._over(bill)
            for due_on, amount in reversed(_terms(bill)):
                part = min(amount, left)
                left -= part
                self.receivable_due[due_on, currency] += part
        for money in self._money.values():
            if money.statement.profile_id in self.own:
                self.on_account[money.currency] += money.coins.count(None)


def _line(quantity: int, net: int) -> Line:
    """The pieces of an order line."""
    if quantity == 0:
        return Line([Piece(1) for _ in range(net)], net, True)
    return Line([Piece(net // quantity) for _ in range(quantity)], quantity, False)


def _terms(bill: Bill) -> list[tuple[date, int]]:
    """What of an invoice falls due on which day, the first first; all at once where no terms were agreed."""
    by_day: defaultdict[date, int] = defaultdict(int)
    for term in bill.data.terms:
        by_day[term.due_on] += term.amount
    return sorted(by_day.items()) or [(bill.statement.day, bill.data.gross)]
