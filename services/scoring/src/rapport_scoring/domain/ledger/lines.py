"""Ledger lines: every figure of a value is a sum of them."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from uuid import UUID

from rapport_scoring.domain.facts import AssetEvent, Contact
from rapport_scoring.domain.ledger.documents import Statement
from rapport_shared.contracts.touchpoints.documents import DocumentKey


class Part(StrEnum):
    """The parts of contemporary value, and what their lines rest on.

    `revenue` (orders, invoices, and what reverses them, net of tax), `product_cost`, `order_handling`, `logistics`,
    `commission`, `other_cost` (documents and reported costs, net of tax); `contact_cost` (contacts); `warranty` (work
    on assets that we bore); `payment_cost` (cash discounts on the statement that allocates them, bounce fees on the
    reversal); `receivable_interest` and `bad_debt_reserve` (invoices, gross, as of the day of valuation);
    `write_off_loss` (write-offs, less what came in after all).
    """

    REVENUE = "revenue"
    PRODUCT_COST = "product_cost"
    ORDER_HANDLING = "order_handling"
    LOGISTICS = "logistics"
    COMMISSION = "commission"
    OTHER_COST = "other_cost"
    CONTACT_COST = "contact_cost"
    WARRANTY = "warranty"
    PAYMENT_COST = "payment_cost"
    RECEIVABLE_INTEREST = "receivable_interest"
    BAD_DEBT_RESERVE = "bad_debt_reserve"
    WRITE_OFF_LOSS = "write_off_loss"


class LedgerLine(NamedTuple):
    """An amount in minor units, positive for what is earned, negative for what is spent, and the event it rests on.

    `profile_id` is whose value it is part of; of a settlement that is the invoice's profile, whoever paid. `day` is
    the day the event counts on. `document` is what the event states, None for a contact or work on an asset. `item`
    is the order line, charge or cost it is about; `estimated` says that a policy stands for a missing figure.
    `purchase` is, of revenue, the order that it is of, or the invoice where there is no order.
    """

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    day: date
    document: DocumentKey | None
    part: Part
    item: str
    amount: int
    currency: str
    estimated: bool = False
    purchase: DocumentKey | None = None

    @property
    def moment(self) -> tuple[datetime, UUID]:
        """The line's place among the lines of a ledger: that of its event."""
        return self.occurred_at, self.event_id


def line_of(
    fact: Statement | Contact | AssetEvent,
    part: Part,
    item: str,
    amount: int,
    currency: str,
    *,
    estimated: bool = False,
    purchase: DocumentKey | None = None,
    profile_id: UUID | None = None,
    day: date | None = None,
) -> LedgerLine:
    """A line that rests on `fact`; it belongs to the fact's profile and day unless others are given."""
    return LedgerLine(
        fact.event_id,
        profile_id or fact.profile_id,
        fact.occurred_at,
        day or fact.day,
        fact.key if isinstance(fact, Statement) else None,
        part,
        item,
        amount,
        currency,
        estimated,
        purchase,
    )


Exact: TypeAlias = Fraction | int
"""A number without error. Most are whole, and those are reckoned with fastest as integers."""


def share(amount: int, part: Exact, whole: Exact) -> int:
    """`amount` × part / whole, rounded half to even; all of it where the whole is nothing."""
    if part == whole or not whole:
        return amount
    if not (amount and part):
        return 0
    return divided(amount * part.numerator * whole.denominator, part.denominator * whole.numerator)


def divided(numerator: int, denominator: int) -> int:
    """A quotient rounded half to even, as `round` rounds a fraction."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    floor, rest = divmod(numerator, denominator)
    above = 2 * rest - denominator
    return floor + 1 if above > 0 or (above == 0 and floor % 2) else floor


def beyond(one: Exact, other: Exact) -> bool:
    """Whether `one` is greater than `other`. Fractions know it too, but ask much before they answer."""
    return one.numerator * other.denominator > other.numerator * one.denominator


@lru_cache(maxsize=4096)
def exact(quantity: str | Decimal) -> Exact:
    """A quantity as documents state it, or a number of a policy. Few are met over and over."""
    found = Fraction(quantity)
    return found.numerator if found.denominator == 1 else found
