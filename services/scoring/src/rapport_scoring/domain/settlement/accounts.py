"""The account of an invoice: what was credited, paid and written off, and what of it is open on a day.

All of it is by sets of what counts up to the day, so that it matters on which day a thing counts, never when it was
heard of: open = max(0, gross − credited − paid − written off), over = what that is below nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import share
from rapport_shared.contracts.touchpoints.commerce import Invoice


@dataclass(slots=True)
class Piece:
    """What a payment settles of an invoice from `day` on: `paid` in its own currency, `settles` in the invoice's.

    `settles` is the money with discount and what was withheld; `taken` of `paid` was
    taken back since, and `regained` of the discount with it.
    """

    account: "Account"
    instalment: str | None
    day: date
    paid: int
    settles: int
    discount: int = 0
    taken: int = 0
    regained: int = 0
    back: list[tuple[date, int]] = field(default_factory=list)

    @property
    def left(self) -> int:
        """What it still settles."""
        return self.settles - sum(amount for _, amount in self.back)

    def take_back(self, amount: int, day: date) -> tuple[int, int]:
        """Takes back `amount` of `paid` from `day` on; answers what the invoice and the discount get back.

        By cumulated shares: what is taken back adds up to all of it exactly when all of `paid` is.
        """
        self.taken += amount
        back = share(self.settles, self.taken, self.paid) - (self.settles - self.left)
        regained = share(self.discount, self.taken, self.paid) - self.regained
        self.regained += regained
        self.back.append((day, back))
        return back, regained


@dataclass(slots=True)
class Account:
    """An invoice and what settles it.

    `room` is what payments that name no invoice may still settle of it, below nothing where it is over; `refunded` is
    what of its being over was paid back.
    """

    statement: Statement
    invoice: Invoice
    currency: str
    room: int
    credits: list[tuple[date, int]] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    write_offs: list[tuple[Statement, int]] = field(default_factory=list)
    refunded: int = 0

    @property
    def instalments(self) -> list[tuple[date, str | None, int]]:
        """Due day, name and amount, the oldest due first; one that is due at once where no terms were agreed."""
        terms = self.invoice.terms
        if not terms or sum(term.amount for term in terms) != self.invoice.gross:
            return [(self.statement.day, None, self.invoice.gross)]
        return sorted(((term.due_on, term.instalment, term.amount) for term in terms), key=lambda term: term[0])

    @property
    def written_off(self) -> int:
        """What was written off in all."""
        return sum(amount for _, amount in self.write_offs)

    @property
    def balance(self) -> int:
        """What is open, or, below nothing, over."""
        credited = sum(amount for _, amount in self.credits)
        return self.invoice.gross - credited - sum(piece.left for piece in self.pieces) - self.written_off

    @property
    def on_account(self) -> int:
        """What it is over, beyond what was written off, and was not paid back."""
        over = max(0, -self.balance)
        return max(0, over - min(self.written_off, over) - self.refunded)

    def movements(self) -> Iterator[tuple[date, int]]:
        """What reduces the balance (below nothing: raises it again), by the day it counts from; in no order."""
        yield from self.credits
        yield from ((statement.day, amount) for statement, amount in self.write_offs)
        for piece in self.pieces:
            yield piece.day, piece.settles
            yield from ((day, -amount) for day, amount in piece.back)
