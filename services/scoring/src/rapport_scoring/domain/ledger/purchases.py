"""Purchases: what the forecast counts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine, Part, share
from rapport_shared.contracts.touchpoints.commerce import Invoice, Order
from rapport_shared.contracts.touchpoints.documents import DocumentKey


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order (or an invoice without one) that was not taken back: its day, and its net revenue in minor units.

    `list_price` is of what was not taken back: of the order's list prices the share that its revenue is of its net,
    all at most; None unless each line states one. `skus` and `categories` are of its lines. `event_id` stated it; it
    belongs whole to the profile of that event.
    """

    event_id: UUID
    profile_id: UUID
    day: date
    revenue: int
    currency: str
    list_price: int | None = None
    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()


def purchases(lines: Iterable[LedgerLine], statements: Iterable[Statement]) -> tuple[Purchase, ...]:
    """The purchases among standing statements, by day: orders, and invoices of no known order.

    `lines` are those of all profiles. Revenue is after cancellations, returns and credits; where nothing is left of
    the goods there is no purchase, whatever was charged besides. A credit that names neither invoice nor return takes
    from no purchase.
    """
    stated = {one.key: one for one in statements if isinstance(one.data, Order | Invoice)}
    charges: dict[DocumentKey | None, frozenset[str]] = {key: _charges(one) for key, one in stated.items()}
    revenue: defaultdict[tuple[DocumentKey, str], int] = defaultdict(int)
    goods: defaultdict[tuple[DocumentKey, str], int] = defaultdict(int)
    for line in lines:
        if line.part is Part.REVENUE and line.purchase in stated:
            key = (line.purchase, line.currency)
            revenue[key] += line.amount
            if line.item not in charges[line.purchase] and line.item not in charges.get(line.document, ()):
                goods[key] += line.amount
    found = [
        _purchase(stated[key], amount, currency)
        for (key, currency), amount in revenue.items()
        if amount > 0 and goods.get((key, currency), amount) > 0
    ]
    return tuple(sorted(found, key=lambda purchase: (purchase.day, purchase.event_id, purchase.currency)))


@dataclass(frozen=True, slots=True)
class CategorySale:
    """Net revenue of one purchase in one category, in minor units."""

    event_id: UUID
    day: date
    category: str
    revenue: int
    currency: str


def category_sales(made: Iterable[Purchase]) -> Iterator[CategorySale]:
    """Purchases by category. What one of several categories earned is not known: they share its revenue equally."""
    for purchase in made:
        names = sorted(purchase.categories)
        for place, name in enumerate(names):
            upto = purchase.revenue * (place + 1) // len(names) - purchase.revenue * place // len(names)
            yield CategorySale(purchase.event_id, purchase.day, name, upto, purchase.currency)


def _charges(statement: Statement) -> frozenset[str]:
    """What the lines of an order's or invoice's charges are about, where no line of goods has the same name."""
    if not isinstance(statement.data, Order | Invoice) or not statement.data.charges:
        return frozenset()
    goods = {line.line for line in statement.data.lines}
    return frozenset(charge.type for charge in statement.data.charges if charge.type not in goods)


def _purchase(statement: Statement, revenue: int, currency: str) -> Purchase:
    data = statement.data
    if not isinstance(data, Order):
        return Purchase(statement.event_id, statement.profile_id, statement.day, revenue, currency)
    return Purchase(
        event_id=statement.event_id,
        profile_id=statement.profile_id,
        day=statement.day,
        revenue=revenue,
        currency=currency,
        list_price=_list_price(data, revenue),
        skus=frozenset(line.sku for line in data.lines if line.sku is not None),
        categories=frozenset(line.category for line in data.lines if line.category is not None),
    )


def _list_price(order: Order, revenue: int) -> int | None:
    prices = [line.list for line in order.lines]
    stated = [price for price in prices if price is not None]
    if not stated or len(stated) < len(prices):
        return None
    return share(sum(stated), min(revenue, order.net), order.net)
