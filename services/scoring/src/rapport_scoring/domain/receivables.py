"""Receivables: what of each invoice is open on a day, and what that costs."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Settled:
    """A part of an invoice that was paid: how much, on which day, and the day it was due."""

    day: date
    amount: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Receivable:
    """An invoice as it stands on a day. Amounts in minor units of `currency`, gross.

    `due` is what is open by the day it falls due, the oldest first; `interest`, `reserve` and `loss` are costs, ≥ 0.
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
