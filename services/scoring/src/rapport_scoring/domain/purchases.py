"""Purchases: what the forecast counts."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order (or an invoice without one) that was not taken back: its day, and its net revenue in minor units.

    `skus` and `categories` are of its lines; `event_id` is the event that stated it.
    """

    event_id: UUID
    day: date
    revenue: int
    currency: str
    list_price: int | None = None
    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
