"""The touchpoints of commerce: a document each, or what a customer spends elsewhere."""

from typing import Literal

from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Invoice,
    Order,
    Payment,
    PaymentAllocation,
    Refund,
    Return,
    Reversal,
    Shipment,
    Wallet,
    WriteOff,
)
from rapport_shared.contracts.touchpoints.envelope import Source, TouchpointEnvelope


class CommerceTouchpoint(TouchpointEnvelope):
    """A touchpoint of the commerce family: the system that a number is of is required."""

    source: Source


class OrderPlaced(CommerceTouchpoint):
    """An order was placed, or changed."""

    kind: Literal["order.placed"]
    data: Order


class OrderCancelled(CommerceTouchpoint):
    """An order was cancelled, in part or as a whole."""

    kind: Literal["order.cancelled"]
    data: Cancellation


class OrderReturned(CommerceTouchpoint):
    """Goods came back."""

    kind: Literal["order.returned"]
    data: Return


class ShipmentDelivered(CommerceTouchpoint):
    """Goods were delivered."""

    kind: Literal["shipment.delivered"]
    data: Shipment


class CostReported(CommerceTouchpoint):
    """A cost became known."""

    kind: Literal["cost.reported"]
    data: Cost


class InvoiceIssued(CommerceTouchpoint):
    """An invoice was issued, or changed."""

    kind: Literal["invoice.issued"]
    data: Invoice


class CreditIssued(CommerceTouchpoint):
    """A credit note was issued."""

    kind: Literal["credit.issued"]
    data: Credit


class PaymentReceived(CommerceTouchpoint):
    """Money came in."""

    kind: Literal["payment.received"]
    data: Payment


class PaymentAllocated(CommerceTouchpoint):
    """The invoices that a payment settles were decided again."""

    kind: Literal["payment.allocated"]
    data: PaymentAllocation


class PaymentReversed(CommerceTouchpoint):
    """A payment bounced."""

    kind: Literal["payment.reversed"]
    data: Reversal


class PaymentRefunded(CommerceTouchpoint):
    """Money was paid back."""

    kind: Literal["payment.refunded"]
    data: Refund


class InvoiceWrittenOff(CommerceTouchpoint):
    """An invoice was written off."""

    kind: Literal["invoice.written_off"]
    data: WriteOff


class WalletReported(CommerceTouchpoint):
    """What a customer spends became known. No document: it has no number."""

    kind: Literal["wallet.reported"]
    data: Wallet
