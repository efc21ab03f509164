"""What a commerce document must fulfil by itself, whatever other documents there are."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from rapport_shared.contracts.touchpoints.commerce import (
    Allocation,
    Cancellation,
    Charge,
    Cost,
    Credit,
    Document,
    Invoice,
    Order,
    Payment,
    PaymentAllocation,
    Refund,
    Return,
    Shipment,
    Subject,
    Term,
    Totals,
    ValuedLine,
    Wallet,
)
from rapport_shared.contracts.touchpoints.commerce_touchpoints import CommerceTouchpoint, WalletReported
from rapport_shared.contracts.touchpoints.errors import FieldError, fault

Item = TypeVar("Item")


def document_faults(touchpoint: CommerceTouchpoint) -> list[FieldError]:
    """The faults of the document in `touchpoint`, with pointers into the touchpoint."""
    if isinstance(touchpoint, WalletReported):
        return list(_wallet(touchpoint.data))
    data: Document = touchpoint.data  # type: ignore[attr-defined]
    return [*_currency(data), *_duplicates(data), *_money(data)]


def _money(data: Document) -> Iterator[FieldError]:
    match data:
        case Order() | Invoice():
            yield from _header(data, data.lines, data.charges)
            yield from _gross(data)
            yield from _terms(data.terms, data.gross)
        case Credit():
            yield from _gross(data)
        case Payment():
            yield from _settled(data.allocations, data.amount)
    match data:
        case Invoice():
            yield from _order_lines(data)
        case Cost():
            yield from _exactly_one(_names(data.about), "data", "about")
        case Refund():
            yield from _exactly_one([data.payment, data.credit], "data", "payment")


def _header(data: Totals, lines: Sequence[ValuedLine], charges: Sequence[Charge]) -> Iterator[FieldError]:
    if data.net != sum(line.net for line in lines) + sum(charge.net for charge in charges):
        yield fault("sum_mismatch", "data", "net", because="is not the sum of the net of lines and charges")
    if data.tax != sum(line.tax for line in lines) + sum(charge.tax for charge in charges):
        yield fault("sum_mismatch", "data", "tax", because="is not the sum of the tax of lines and charges")


def _gross(data: Totals) -> Iterator[FieldError]:
    if data.gross != data.net + data.tax + data.rounding:
        yield fault("sum_mismatch", "data", "gross", because="is not net + tax + rounding")


def _terms(terms: Sequence[Term], gross: int) -> Iterator[FieldError]:
    if terms and sum(term.amount for term in terms) != gross:
        yield fault("sum_mismatch", "data", "terms", because="do not add up to gross")


def _settled(allocations: Sequence[Allocation], amount: int) -> Iterator[FieldError]:
    # Without `paid` the currencies are the same; what is paid is always in the payment's.
    if sum(item.amount if item.paid is None else item.paid for item in allocations) > amount:
        yield fault("sum_mismatch", "data", "allocations", because="take more than the payment's amount")


def _order_lines(data: Invoice) -> Iterator[FieldError]:
    for index, line in enumerate(data.lines):
        if line.order_line is not None and line.order is None:
            yield fault("missing", "data", "lines", index, "order", because="is required with order_line")


def _exactly_one(values: Iterable[object], *place: str) -> Iterator[FieldError]:
    given = sum(value is not None for value in values)
    if given == 0:
        yield fault("missing", *place, because="exactly one document must be named")
    elif given > 1:
        yield fault("conflict", *place, because="exactly one document may be named")


def _names(about: Subject) -> list[str | None]:
    return [about.order, about.shipment, about.invoice, about.work_order, about.campaign]


def _currency(data: Document) -> Iterator[FieldError]:
    if data.currency is None and not _names_a_document(data):
        yield fault("missing", "data", "currency", because="is required where no other document is named")


def _names_a_document(data: Document) -> bool:
    match data:
        case Order():
            return False
        case Invoice():
            return any(line.order is not None for line in data.lines)
        case Credit():
            return data.invoice is not None or data.return_number is not None
        case Payment():
            return data.order is not None or bool(data.allocations)
        case Cost():
            return any((data.about.order, data.about.shipment, data.about.invoice))
        case _:
            return True


def _duplicates(data: Document) -> Iterator[FieldError]:
    match data:
        case Order() | Invoice() | Cancellation() | Return() | Shipment():
            yield from _repeated(data.lines, lambda line: line.line, "lines", "line")
        case Payment() | PaymentAllocation():
            yield from _repeated(data.allocations, lambda item: (item.invoice, item.instalment), "allocations")
    if isinstance(data, Invoice):
        yield from _repeated(data.terms, lambda term: term.instalment, "terms")


def _repeated(
    items: Sequence[Item], name_of: Callable[[Item], Hashable], field: str, *rest: str
) -> Iterator[FieldError]:
    seen: set[Hashable] = set()
    for index, item in enumerate(items):
        name = name_of(item)
        if name in seen:
            yield fault("duplicate", "data", field, index, *rest)
        if name is not None:
            seen.add(name)


def _wallet(data: Wallet) -> Iterator[FieldError]:
    if data.until is not None and data.until < data.from_day:
        yield fault("out_of_range", "data", "until", because="is before from")
