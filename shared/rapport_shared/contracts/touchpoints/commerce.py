"""Commerce documents. Amounts are totals ≥ 0 in minor units of the document's one currency; the kind gives the sign.

What a single document can be checked for is in `commerce_checks`; what depends on other documents is never refused.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints.fields import (
    Code,
    Currency,
    Day,
    Flag,
    Line,
    Minor,
    Number,
    Quantity,
    Revision,
    Rounding,
)

MAX_LINES = 1000
Basis = Literal["actual", "standard", "estimate"]


class Document(Contract):
    """What every document may carry. Without `value_date` it counts on the day of `occurred_at` in its unit's zone."""

    # `return` and `from` are words of Python: such fields have another name in it, and their own on the wire.
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    revision: Revision = 1
    currency: Currency | None = None
    value_date: Day | None = None


class NetTax(Contract):
    """A sum and its tax."""

    net: Minor
    tax: Minor = 0


class Charge(NetTax):
    """What is charged besides the lines: freight, packing, a fee."""

    type: Code


class AncillaryCost(Contract):
    """A cost of an order besides its goods."""

    type: Literal["handling", "freight", "commission", "other"]
    amount: Minor
    basis: Basis = "estimate"


class Term(Contract):
    """A part of an order's gross and the day it falls due."""

    due_on: Day
    amount: Minor


class InvoiceTerm(Term):
    """A part of an invoice's gross. Payments may name `instalment`; else the oldest due is settled first."""

    instalment: Code | None = None


class QuantityLine(Contract):
    """A line, by its name in the order, and how much of it."""

    line: Code
    quantity: Quantity


class ValuedLine(QuantityLine):
    """A line with its money."""

    net: Minor
    tax: Minor = 0


class OrderLine(ValuedLine):
    """A line of an order; `list` is before, `net` after `discount`."""

    sku: Code | None = None
    name: Line | None = None
    category: Code | None = None
    list: Minor | None = None
    discount: Minor | None = None
    cost: Minor | None = None
    cost_basis: Basis | None = None


class ReturnedLine(ValuedLine):
    """A line that came back; `cost_recovered` is the cost that is regained with it."""

    cost_recovered: Minor = 0


class InvoiceLine(ValuedLine):
    """A line of an invoice, and the order line it bills."""

    order: Number | None = None
    order_line: Code | None = None


class Allocation(Contract):
    """What a payment settles of an invoice.

    `amount` is in the invoice's currency; `paid` in the payment's, and may be left out where they are the same.
    `cash_discount` is a cost, `withheld` is none; both settle on top of `amount`.
    """

    invoice: Number
    instalment: Code | None = None
    amount: Minor
    paid: Minor | None = None
    cash_discount: Minor = 0
    withheld: Minor = 0


class Freight(Contract):
    """What bringing a shipment cost, and who paid it."""

    cost: Minor
    paid_by: Literal["us", "customer"] = "us"


class Subject(Contract):
    """What a cost is about: exactly one of these."""

    order: Number | None = None
    shipment: Number | None = None
    invoice: Number | None = None
    work_order: Number | None = None
    campaign: Code | None = None


class Rival(Contract):
    """A competitor's share of a wallet."""

    name: Line
    amount: Minor


class Totals(Document):
    """A document with a header: net and tax are the sums of lines and charges, gross is net + tax + rounding."""

    net: Minor
    tax: Minor = 0
    gross: Minor
    rounding: Rounding = 0


class Order(Totals):
    """The present state of an order."""

    order: Number
    lines: Annotated[tuple[OrderLine, ...], Field(max_length=MAX_LINES)] = ()
    charges: Annotated[tuple[Charge, ...], Field(max_length=100)] = ()
    costs: Annotated[tuple[AncillaryCost, ...], Field(max_length=100)] = ()
    terms: Annotated[tuple[Term, ...], Field(max_length=400)] = ()
    campaign: Code | None = None
    opportunity: Code | None = None
    partner: Code | None = None


class Cancellation(Document):
    """What of an order is not wanted any more; without lines all of it."""

    cancellation: Number
    order: Number
    lines: Annotated[tuple[ValuedLine, ...], Field(max_length=MAX_LINES)] = ()
    reason: Line | None = None
    fee: NetTax | None = None


class Return(Document):
    """What of an order came back."""

    return_number: Number = Field(alias="return")
    order: Number
    lines: Annotated[tuple[ReturnedLine, ...], Field(max_length=MAX_LINES)] = ()
    freight_cost: Minor = 0
    reason: Line | None = None


class Shipment(Document):
    """What of an order was delivered; without lines all of it."""

    shipment: Number
    order: Number
    lines: Annotated[tuple[QuantityLine, ...], Field(max_length=MAX_LINES)] = ()
    freight: Freight | None = None


class Cost(Document):
    """A cost that became known: for one type and subject it replaces what shipment and order said."""

    cost: Number
    about: Subject
    type: Code
    amount: Minor
    basis: Basis = "actual"


class Invoice(Totals):
    """The present state of an invoice. Its charges replace those of the orders that its lines name."""

    invoice: Number
    lines: Annotated[tuple[InvoiceLine, ...], Field(max_length=MAX_LINES)] = ()
    charges: Annotated[tuple[Charge, ...], Field(max_length=100)] = ()
    terms: Annotated[tuple[InvoiceTerm, ...], Field(max_length=400)] = ()
    work_order: Number | None = None


class Credit(Totals):
    """A credit note. Naming a return it replaces the return's money; without an invoice it is on account."""

    credit: Number
    invoice: Number | None = None
    return_number: Number | None = Field(default=None, alias="return")
    reason: Line | None = None


class Payment(Document):
    """Money that came in; what no allocation settles goes to the invoices of `order`, else stays on account."""

    payment: Number
    amount: Minor
    method: Code | None = None
    order: Number | None = None
    allocations: Annotated[tuple[Allocation, ...], Field(max_length=MAX_LINES)] = ()


class PaymentAllocation(Document):
    """The invoices that a payment settles. Replaces the former set, as of the payment's own date."""

    payment: Number
    allocations: Annotated[tuple[Allocation, ...], Field(max_length=MAX_LINES)]


class Reversal(Document):
    """A payment that bounced; `fee` is what the bank took for it."""

    reversal: Number
    payment: Number
    amount: Minor
    reason: Line | None = None
    fee: Minor = 0


class Refund(Document):
    """Money paid back, of a payment or a credit: exactly one of them. It takes from what is on account."""

    refund: Number
    payment: Number | None = None
    credit: Number | None = None
    amount: Minor


class WriteOff(Document):
    """What of an invoice will not come any more; 0 revokes it."""

    write_off: Number
    invoice: Number
    amount: Minor
    reason: Line | None = None


class Wallet(Contract):
    """What the customer spends on a category each month, with whomever."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    category: Code
    per: Literal["month"] = "month"
    from_day: Day = Field(alias="from")
    until: Day | None = None
    amount: Minor
    currency: Currency
    basis: Literal["declared", "observed", "estimated"]
    single_source: Flag = False
    rivals: Annotated[tuple[Rival, ...], Field(max_length=50)] = ()
