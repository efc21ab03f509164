"""Ledger lines: every figure of a value is a sum of them."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from rapport_scoring.domain.documents import Statement
from rapport_shared.contracts.touchpoints.documents import DocumentKey


class Part(StrEnum):
    """The parts of contemporary value. A document's lines fall under the first five, a contact's under
    `contact_cost`; the last two are integrals over time, which the reader evaluates."""

    REVENUE = "revenue"
    PRODUCT_COST = "product_cost"
    ORDER_HANDLING = "order_handling"
    LOGISTICS = "logistics"
    OTHER_COST = "other_cost"
    CONTACT_COST = "contact_cost"
    RECEIVABLE_INTEREST = "receivable_interest"
    BAD_DEBT_RESERVE = "bad_debt_reserve"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """An amount in minor units, positive for what is earned, negative for what is spent, and the event it rests on.

    `item` is the order line, charge or cost it is about; `estimated` says that a policy stands for a missing figure.
    """

    statement: Statement
    part: Part
    item: str
    amount: int
    currency: str
    estimated: bool = False

    @property
    def event_id(self) -> UUID:
        """The event that the line rests on."""
        return self.statement.event_id

    @property
    def document(self) -> DocumentKey:
        """The document that the event states."""
        return self.statement.key


def share(amount: int, part: Fraction, whole: Fraction) -> int:
    """`amount` × part / whole, rounded half to even; all of it where the whole is nothing."""
    return amount if whole == 0 else round(amount * part / whole)
