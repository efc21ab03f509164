"""Receivables: what of each invoice is open on a day, what that costs, and what settles no invoice."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rapport_shared.contracts.touchpoints.documents import DocumentKey


@dataclass(frozen=True, slots=True)
class Settled:
    """A part of an invoice that was paid: how much, on which day, and the day it was due."""

    day: date
    amount: int
    due_on: date


@dataclass(frozen=True, slots=True)
class InvoiceBalance:
    """An invoice and all that settled it. Amounts in minor units of `currency`, gross; nothing depends on a day.

    `balance` is what is open, or below nothing what was paid over; `due` is what is open by the day it falls due, the
    oldest first; `movements` are what reduced the balance (below nothing: raised it again) and from which day on.
    """

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    document: DocumentKey
    issued_on: date
    currency: str
    gross: int
    balance: int
    written_off: int
    due: tuple[tuple[date, int], ...]
    settled: tuple[Settled, ...]
    movements: tuple[tuple[date, int], ...]

    @property
    def over(self) -> int:
        """What came in beyond what was billed."""
        return max(0, -self.balance)

    @property
    def recovered(self) -> int:
        """What came in of what had been written off."""
        return min(self.written_off, self.over)


@dataclass(frozen=True, slots=True)
class Receivable:
    """An invoice as it stands on a day. Amounts in minor units of `currency`, gross.

    `due` is what is open by the day it falls due, the oldest first; `interest`, `reserve` and `loss` are costs, ≥ 0;
    `recovered` is what came in of what had been written off, `loss` the rest of that.
    """

    event_id: UUID
    profile_id: UUID
    issued_on: date
    currency: str
    gross: int
    open: int
    over: int
    due: tuple[tuple[date, int], ...]
    settled: tuple[Settled, ...]
    amount_days: int
    interest: int
    reserve: int
    loss: int
    recovered: int = 0


@dataclass(frozen=True, slots=True)
class OnAccount:
    """Money of the customer's that settles no invoice: what is left of a payment or credit, or what an invoice has
    been paid over. `event_id` states that document; `profile_id` is the payer's, of an invoice the invoice's."""

    event_id: UUID
    profile_id: UUID
    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Documents that contradict each other. What can be counted was; `message` says what was not, without names."""

    code: str
    event_id: UUID
    message: str
