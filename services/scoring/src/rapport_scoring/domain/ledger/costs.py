"""Costs: of goods, of handling, of bringing, and all others. What is missing is estimated and marked, never nothing."""

from collections.abc import Iterable, Iterator, Sequence

from rapport_scoring.domain.ledger.books import BASES, Books, subject_of
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import Exact, LedgerLine, Part, exact, line_of, share
from rapport_scoring.domain.ledger.order_lines import OpenLine, ReturnedPart
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_shared.contracts.touchpoints.commerce import AncillaryCost, Cost, Invoice, Order, Return, Shipment

PRODUCT, HANDLING, FREIGHT = "product", "handling", "freight"
PART_OF_TYPE = {
    PRODUCT: Part.PRODUCT_COST,
    HANDLING: Part.ORDER_HANDLING,
    FREIGHT: Part.LOGISTICS,
    "commission": Part.COMMISSION,
}


def order_costs(
    books: Books,
    statement: Statement,
    order: Order,
    lines: Sequence[OpenLine],
    currency: str,
    policy: LedgerPolicy,
) -> Iterator[LedgerLine]:
    """The costs of an order. Of one type, reported costs replace those of shipments, and these the order's own."""
    reported = _reported(books, "order", statement.key.system, order.order)
    if PRODUCT not in reported:
        yield from _product_costs(statement, lines, currency, policy)
    shipped = any(
        _freighted(books, shipment) for shipment in books.shipments_of.get((statement.key.system, order.order), ())
    )
    for kind in sorted({cost.type for cost in order.costs}):
        if kind not in reported and not (kind == FREIGHT and shipped):
            yield from _ancillary(statement, [cost for cost in order.costs if cost.type == kind], currency)
    if HANDLING not in reported and all(cost.type != HANDLING for cost in order.costs):
        handling = policy.handling_cost.get(currency, 0)
        yield line_of(statement, Part.ORDER_HANDLING, HANDLING, -handling, currency, estimated=True)


def invoice_costs(
    books: Books, statement: Statement, invoice: Invoice, currency: str, policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    """The estimated cost of what an invoice bills without an order that would tell it."""
    system = statement.key.system
    reported = _reported(books, "invoice", system, invoice.invoice)
    if invoice.work_order is not None:
        reported |= _reported(books, "work_order", system, invoice.work_order)
    if PRODUCT in reported:
        return
    for line in invoice.lines:
        if line.order is None or (system, line.order) not in books.orders:
            cost = share(line.net, exact(policy.missing_cost_share), 1)
            yield line_of(statement, Part.PRODUCT_COST, line.line, -cost, currency, estimated=True)


def shipment_costs(books: Books, statement: Statement, shipment: Shipment, currency: str) -> Iterator[LedgerLine]:
    """The freight that we paid, unless a cost was reported for the shipment or its order."""
    system = statement.key.system
    known = _reported(books, "shipment", system, shipment.shipment) | _reported(books, "order", system, shipment.order)
    if shipment.freight is not None and shipment.freight.paid_by == "us" and FREIGHT not in known:
        yield line_of(statement, Part.LOGISTICS, FREIGHT, -shipment.freight.cost, currency)


def return_costs(returned: Iterable[ReturnedPart], currency: str) -> Iterator[LedgerLine]:
    """The cost that returns of an order regain."""
    for part in returned:
        yield line_of(part.statement, Part.PRODUCT_COST, part.line, part.cost_recovered, currency)


def return_freight(statement: Statement, returned: Return, currency: str) -> Iterator[LedgerLine]:
    """What bringing a return back cost."""
    yield line_of(statement, Part.LOGISTICS, FREIGHT, -returned.freight_cost, currency)


def reported_cost(books: Books, statement: Statement, cost: Cost, currency: str) -> Iterator[LedgerLine]:
    """A reported cost, unless one of a better basis is known of its type and subject, or of the order it is part of."""
    system, subject = statement.key.system, subject_of(statement.key.system, cost)
    if BASES.index(cost.basis) < books.reported[subject][cost.type]:
        return
    if subject[0] == "shipment" and cost.type == FREIGHT:
        shipment = books.shipments[subject[1]].data
        if isinstance(shipment, Shipment) and FREIGHT in _reported(books, "order", system, shipment.order):
            return
    part = PART_OF_TYPE.get(cost.type, Part.OTHER_COST)
    yield line_of(statement, part, cost.type, -cost.amount, currency, estimated=cost.basis == "estimate")


def _product_costs(
    statement: Statement, lines: Sequence[OpenLine], currency: str, policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    missing = exact(policy.missing_cost_share)
    for opened in lines:
        line, guessed = opened.line, opened.line.cost is None or opened.line.cost_basis == "estimate"
        cost = line.cost if line.cost is not None else share(line.net, missing, 1)
        yield line_of(statement, Part.PRODUCT_COST, line.line, -cost, currency, estimated=guessed)
        gone: Exact = 0
        regained = 0
        for taken in opened.taken:
            # By cumulated shares: what is regained adds up to the cost exactly when all is cancelled.
            gone += taken.quantity
            upto = share(cost, gone, opened.quantity)
            yield line_of(
                taken.cancellation, Part.PRODUCT_COST, line.line, upto - regained, currency, estimated=guessed
            )
            regained = upto


def _ancillary(statement: Statement, costs: Sequence[AncillaryCost], currency: str) -> Iterator[LedgerLine]:
    for cost in _best(costs):
        part = PART_OF_TYPE.get(cost.type, Part.OTHER_COST)
        yield line_of(statement, part, cost.type, -cost.amount, currency, estimated=cost.basis == "estimate")


def _reported(books: Books, subject: str, system: str, number: str) -> set[str]:
    """The types of cost that were reported about a subject."""
    return set(books.reported.get((subject, (system, number)), ()))


def _freighted(books: Books, statement: Statement) -> bool:
    """Whether a shipment tells what its freight cost."""
    if not isinstance(statement.data, Shipment):
        return False
    reported = _reported(books, "shipment", statement.key.system, statement.data.shipment)
    return statement.data.freight is not None or FREIGHT in reported


def _best(costs: Iterable[AncillaryCost]) -> list[AncillaryCost]:
    found = list(costs)
    best = max(_basis(cost) for cost in found)
    return [cost for cost in found if _basis(cost) == best]


def _basis(cost: AncillaryCost) -> int:
    return BASES.index(cost.basis)
