"""Which document a commerce touchpoint is, and the day it counts on."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from typing import Final, Literal, NamedTuple, TypeAlias, assert_never, get_args
from urllib.parse import quote

from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Document,
    Invoice,
    Order,
    Payment,
    PaymentAllocation,
    Refund,
    Return,
    Reversal,
    Shipment,
    WriteOff,
)
from rapport_shared.contracts.touchpoints.commerce_touchpoints import (
    CostReported,
    CreditIssued,
    InvoiceIssued,
    InvoiceWrittenOff,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    PaymentAllocated,
    PaymentReceived,
    PaymentRefunded,
    PaymentReversed,
    ShipmentDelivered,
)

DocumentFamily: TypeAlias = Literal[
    "order",
    "cancellation",
    "return",
    "shipment",
    "cost",
    "invoice",
    "credit",
    "payment",
    "reversal",
    "refund",
    "write_off",
]

DocumentTouchpoint: TypeAlias = (
    OrderPlaced
    | OrderCancelled
    | OrderReturned
    | ShipmentDelivered
    | CostReported
    | InvoiceIssued
    | CreditIssued
    | PaymentReceived
    | PaymentAllocated
    | PaymentReversed
    | PaymentRefunded
    | InvoiceWrittenOff
)

DOCUMENT_KINDS: Final[frozenset[str]] = frozenset(
    get_args(model.model_fields["kind"].annotation)[0] for model in get_args(DocumentTouchpoint)
)
"""The kinds of touchpoints that state a document."""


class DocumentKey(NamedTuple):
    """What a document is known by: a number is unique only within its system and family."""

    system: str
    family: DocumentFamily
    number: str

    @property
    def text(self) -> str:
        """The key in one text, such as `order:shop:O-17`; two keys never have the same."""
        return f"{self.family}:{quote(self.system)}:{self.number}"


def document_key(touchpoint: DocumentTouchpoint) -> DocumentKey:
    """The document that `touchpoint` states. Of one key, the highest `(revision, occurred_at, id)` counts."""
    family, number = _family_and_number(touchpoint)
    return DocumentKey(touchpoint.source.system, family, number)


def documents_named(touchpoint: DocumentTouchpoint) -> tuple[DocumentKey, ...]:
    """The other documents that a document names, each once, the one that says first whose it is before the others.

    No chain of names leads back: a document names such families alone that do not name its own.
    """
    system = touchpoint.source.system
    named = (DocumentKey(system, family, number) for family, number in numbers_named(touchpoint.data) if number)
    return tuple(dict.fromkeys(named))


def numbers_named(data: Document) -> Iterator[tuple[DocumentFamily, str | None]]:
    """Family and number of each document that `data` may name, in the order of `documents_named`."""
    match data:
        case Cancellation(order=order) | Return(order=order) | Shipment(order=order):
            yield "order", order
        case Cost(about=about):
            yield from (("order", about.order), ("shipment", about.shipment), ("invoice", about.invoice))
        case Invoice(lines=lines):
            yield from (("order", line.order) for line in lines)
        case Credit(invoice=invoice, return_number=returned):
            yield from (("invoice", invoice), ("return", returned))
        case Payment(order=order, allocations=allocations):
            yield "order", order
            yield from (("invoice", allocation.invoice) for allocation in allocations)
        case PaymentAllocation(allocations=allocations):
            yield from (("invoice", allocation.invoice) for allocation in allocations)
        case Reversal(payment=payment):
            yield "payment", payment
        case Refund(payment=payment, credit=credit):
            yield from (("payment", payment), ("credit", credit))
        case WriteOff(invoice=invoice):
            yield "invoice", invoice


def revision(touchpoint: DocumentTouchpoint) -> int:
    """The document's revision, 1 where none is stated."""
    return touchpoint.data.revision


def value_date(touchpoint: DocumentTouchpoint, zone: tzinfo, occurred_at: datetime | None = None) -> date:
    """The day the document counts on: the stated `value_date`, else the day of `occurred_at` in `zone`, its unit's.

    `occurred_at` is the corrected instant where there is one. A `payment.allocated` counts on the day of its
    payment, which only the ledger knows; this answers the day of the allocation.
    """
    stated = touchpoint.data.value_date
    return stated if stated is not None else (occurred_at or touchpoint.occurred_at).astimezone(zone).date()


def _family_and_number(touchpoint: DocumentTouchpoint) -> tuple[DocumentFamily, str]:
    match touchpoint.data:
        case Order(order=number):
            return "order", number
        case Cancellation(cancellation=number):
            return "cancellation", number
        case Return(return_number=number):
            return "return", number
        case Shipment(shipment=number):
            return "shipment", number
        case Cost(cost=number):
            return "cost", number
        case Invoice(invoice=number):
            return "invoice", number
        case Credit(credit=number):
            return "credit", number
        case Payment(payment=number) | PaymentAllocation(payment=number):
            return "payment", number
        case Reversal(reversal=number):
            return "reversal", number
        case Refund(refund=number):
            return "refund", number
        case WriteOff(write_off=number):
            return "write_off", number
        case unreachable:
            assert_never(unreachable)
