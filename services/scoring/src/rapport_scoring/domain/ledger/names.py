"""The names that a document uses: its own, and those of the documents it depends on or that depend on it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rapport_scoring.domain.ledger.documents import Statement
from rapport_shared.contracts.touchpoints.commerce import (
    Cancellation,
    Cost,
    Credit,
    Document,
    Invoice,
    Payment,
    PaymentAllocation,
    Refund,
    Return,
    Reversal,
    Shipment,
    WriteOff,
)
from rapport_shared.contracts.touchpoints.documents import DocumentKey

WORK_ORDER = "work_order"
"""No document, but a name by which a cost finds the invoice of the same work order."""


def names_of(key: DocumentKey, data: Document) -> frozenset[DocumentKey]:
    """Every name that the document `key` uses. Documents that share one have to be looked at together."""
    return frozenset((key, *_named(key.system, data)))


def _named(system: str, data: Document) -> Iterator[DocumentKey]:
    for family, number in _pairs(data):
        if number is not None:
            yield DocumentKey(system, family, number)  # type: ignore[arg-type]  # a work order is no family


def _pairs(data: Document) -> Iterator[tuple[str, str | None]]:
    match data:
        case Cancellation(order=order) | Return(order=order) | Shipment(order=order):
            yield "order", order
        case Cost(about=about):
            yield from (("order", about.order), ("shipment", about.shipment), ("invoice", about.invoice))
            yield WORK_ORDER, about.work_order
        case Invoice(lines=lines, work_order=work_order):
            yield from (("order", line.order) for line in lines)
            yield WORK_ORDER, work_order
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
        case _:
            return


def settled_together(statements: Iterable[Statement]) -> list[list[Statement]]:
    """Statements by what they are settled with: those that use a name in common, and so on (a union-find)."""
    parent: dict[object, object] = {}

    def root(thing: object) -> object:
        while parent.setdefault(thing, thing) != thing:
            parent[thing] = thing = parent[parent[thing]]
        return thing

    once = {statement.event_id: statement for statement in statements}
    for event_id, statement in once.items():
        for name in names_of(statement.key, statement.data):
            parent[root(name)] = root(event_id)
    found: defaultdict[object, list[Statement]] = defaultdict(list)
    for event_id, statement in once.items():
        found[root(event_id)].append(statement)
    return list(found.values())
