"""Money of the customer's that settles invoices or stays on account."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.settlement.accounts import Account, Piece


@dataclass(slots=True)
class Purse:
    """A payment or a credit: what of it is on account (`rest`), and what it settles, as it was decided.

    `gone` is what bounced or was paid back of it.
    """

    statement: Statement
    currency: str
    amount: int
    rest: int
    pieces: list[Piece] = field(default_factory=list)
    credited: Account | None = None
    gone: int = 0

    @property
    def accounts(self) -> list[Account]:
        """The invoices of which it settles something still, each once."""
        credited = [] if self.credited is None else [self.credited]
        return _once([*credited, *(piece.account for piece in self.pieces if piece.left)])

    def pay_back(self, amount: int) -> int:
        """Takes `amount` from what is on account, as far as there is; answers what there is not."""
        paid = min(self.rest, amount)
        self.rest -= paid
        self.gone += paid
        return amount - paid

    def take_back(self, amount: int, day: date) -> Iterator[tuple[Piece, int, int]]:
        """Takes `amount` back from `day` on: first what is on account, then what it settles, the last first.

        So of a payment that bounced in part, what it settled of its order's invoices goes before what was allocated.
        Answers each piece that is taken from, what its invoice gets back, and what of its discount is regained.
        """
        left = self.pay_back(amount)
        self.gone += left
        for piece in reversed(self.pieces):
            part = min(left, piece.paid - piece.taken)
            left -= part
            if part or (piece.paid == 0 and piece.left and self.gone >= self.amount):
                yield piece, *piece.take_back(part, day)


@dataclass(slots=True)
class Pool:
    """The invoices of an order in one currency, the first due first, and the payments that wait for room in them."""

    accounts: list[Account]
    _places: dict[int, int] = field(init=False)
    _place: int = 0
    _queue: deque[Purse] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._places = {id(account): place for place, account in enumerate(self.accounts)}

    def take(self, purse: Purse, day: date) -> None:
        """Settles invoices from `purse` from `day` on, as far as they have room; what is left waits for more."""
        self._settle(purse, day)
        if purse.rest:
            self._queue.append(purse)

    def reopen(self, account: Account) -> None:
        """An invoice of the pool has room again."""
        self._place = min(self._place, self._places[id(account)])

    def serve(self, day: date) -> None:
        """Payments that wait settle what has room, from `day` on, in their turn."""
        while self._queue:
            self._settle(self._queue[0], day)
            if self._queue[0].rest:
                return
            self._queue.popleft()

    def _settle(self, purse: Purse, day: date) -> None:
        while purse.rest and (account := self._next()) is not None:
            part = min(purse.rest, account.room)
            account.room -= part
            purse.rest -= part
            piece = Piece(account, None, day, part, part)
            account.pieces.append(piece)
            purse.pieces.append(piece)

    def _next(self) -> Account | None:
        while self._place < len(self.accounts) and self.accounts[self._place].room <= 0:
            self._place += 1
        return self.accounts[self._place] if self._place < len(self.accounts) else None


def _once(accounts: Iterable[Account]) -> list[Account]:
    return list({id(account): account for account in accounts}.values())
