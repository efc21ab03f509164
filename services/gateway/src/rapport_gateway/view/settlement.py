"""What commerce documents amount to together: revenue of orders, open receivables, money on account.

Revenue of an order line is the net of the invoices that name it and, for what is not invoiced yet, its share of the
ordered net; the oldest due is settled first; what waits for another document is counted, never refused.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from uuid import UUID

SHOWN = 10
UNKNOWN_CURRENCY = "XXX"
"""ISO 4217's code for no currency: of a document that leaves it to one which is not known yet."""


@dataclass(frozen=True, slots=True)
class Document:
    """The present state of one document. `data` is empty for one that only allocations are known of."""

    profile_id: UUID
    family: str
    system: str
    number: str
    at: str | None
    data: dict[str, Any]
    allocations: tuple[dict[str, Any], ...]
    rank: tuple[Any, ...]


class Documents:
    """Documents that are settled together. Of one reported at two profiles, the highest rank counts."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._by_key: dict[tuple[str, str, str], Document] = {}
        for document in documents:
            key = (document.family, document.system, document.number)
            known = self._by_key.get(key)
            if known is None or document.rank > known.rank:
                self._by_key[key] = document
        self._families: dict[str, list[Document]] = {}
        for key in sorted(self._by_key):
            if self._by_key[key].data:
                self._families.setdefault(key[0], []).append(self._by_key[key])
        self._naming: dict[tuple[str, str], dict[tuple[str, Any], list[Document]]] = {}

    def find(self, family: str, system: str, number: str | None) -> Document | None:
        """The document of a number that is known with its body."""
        document = self._by_key.get((family, system, number)) if number is not None else None
        return document if document is not None and document.data else None

    def of(self, family: str) -> Sequence[Document]:
        """All documents of a family, in the order of system and number."""
        return self._families.get(family, ())

    def naming(self, family: str, field: str, target: Document) -> Sequence[Document]:
        """The documents of a family that name `target` in `field`; an invoice names orders in its lines."""
        return self._named_by(family, field).get((target.system, target.number), ())

    def _named_by(self, family: str, field: str) -> dict[tuple[str, Any], list[Document]]:
        """Of a family, by whom its documents name in a field: made once, for every document asks."""
        if (family, field) not in self._naming:
            index: dict[tuple[str, Any], list[Document]] = {}
            for document in self.of(family):
                in_lines = family == "invoice" and field == "order"
                for number in _orders_of(document) if in_lines else [document.data.get(field)]:
                    index.setdefault((document.system, number), []).append(document)
            self._naming[family, field] = index
        return self._naming[family, field]

    def currency(self, document: Document) -> str:
        """A document's currency: its own, else that of the document it names."""
        own = document.data.get("currency")
        if own:
            return str(own)
        for field in ("invoice", "order", "payment", "credit", "return"):
            named = self.find(field, document.system, document.data.get(field))
            if named is not None and named is not document:
                return self.currency(named)
        return UNKNOWN_CURRENCY


def summary(documents: Documents, own: frozenset[UUID]) -> dict[str, Any]:
    """The commerce section of the customer with the profiles `own`."""
    revenue: dict[str, int] = {}
    orders = [order for order in documents.of("order") if order.profile_id in own]
    standing = [order for order in orders if not _cancelled_whole(documents, order)]
    for order in orders:
        _add(revenue, documents.currency(order), _order_revenue(documents, order))
    for invoice in documents.of("invoice"):
        if invoice.profile_id in own:
            _add(revenue, documents.currency(invoice), _orderless_revenue(documents, invoice))
    settled = _Settlement(documents)
    due = sorted(
        (day, currency, amount)
        for invoice in documents.of("invoice")
        if invoice.profile_id in own
        for day, currency, amount in settled.due(invoice)
    )
    open_: dict[str, int] = {}
    for _, currency, amount in due:
        _add(open_, currency, amount)
    return {
        "orders": len(standing),
        "returned": sum(1 for order in orders for _ in documents.naming("return", "order", order)),
        "revenue": _amounts(revenue),
        "last_order_at": max((order.at for order in standing if order.at), default=None),
        "receivable_open": _amounts(open_),
        "receivable_due": [
            {"due_on": day, "amount": amount, "currency": currency} for day, currency, amount in due[:SHOWN]
        ],
        "on_account": _amounts(settled.on_account(own)),
        "waiting": _waiting(documents, own),
    }


def _order_revenue(documents: Documents, order: Document) -> int:
    data = order.data
    invoices = documents.naming("invoice", "order", order)
    whole = _cancelled_whole(documents, order)
    total = 0
    if not whole:
        total += sum(_line_revenue(line, order.number, invoices) for line in data.get("lines") or ())
        total += sum(charge["net"] for charge in data.get("charges") or ()) if not _charged(invoices) else 0
        total += _invoice_charges(order, invoices)
    for cancellation in documents.naming("cancellation", "order", order):
        fee = (cancellation.data.get("fee") or {}).get("net", 0)
        total += fee - (0 if whole else _net_of_lines(cancellation))
    for returned in documents.naming("return", "order", order):
        total -= _returned_net(documents, order, returned)
    return total


def _line_revenue(line: dict[str, Any], order: str, invoices: Sequence[Document]) -> int:
    naming = [
        part
        for invoice in invoices
        for part in invoice.data.get("lines") or ()
        if part.get("order") == order and part.get("order_line") == line["line"]
    ]
    quantity = Decimal(line.get("quantity") or "1")
    invoiced = sum((Decimal(part.get("quantity") or "0") for part in naming), Decimal(0))
    left = max(Decimal(0), quantity - invoiced)
    share = Decimal(line["net"]) * left / quantity if quantity else Decimal(0)
    invoiced_net: int = sum(part["net"] for part in naming)
    return invoiced_net + int(share.quantize(Decimal(1), ROUND_HALF_EVEN))


def _orders_of(invoice: Document) -> list[str]:
    return sorted({line["order"] for line in invoice.data.get("lines") or () if line.get("order")})


def _charged(invoices: Sequence[Document]) -> bool:
    return any(invoice.data.get("charges") for invoice in invoices)


def _invoice_charges(order: Document, invoices: Sequence[Document]) -> int:
    """An invoice's charges belong to the first of the orders that it names."""
    return sum(
        charge["net"]
        for invoice in invoices
        if _orders_of(invoice)[0] == order.number
        for charge in invoice.data.get("charges") or ()
    )


def _orderless_revenue(documents: Documents, invoice: Document) -> int:
    """Of an invoice the lines that name no known order, with its charges if it names none."""
    known = [order for order in _orders_of(invoice) if documents.find("order", invoice.system, order)]
    lines = [line for line in invoice.data.get("lines") or () if line.get("order") not in known]
    total: int = sum(line["net"] for line in lines)
    if not known:
        total += sum(charge["net"] for charge in invoice.data.get("charges") or ())
    for credit in documents.naming("credit", "invoice", invoice):
        if not credit.data.get("return"):
            total -= credit.data["net"]
    return total


def _returned_net(documents: Documents, order: Document, returned: Document) -> int:
    credits = [credit.data["net"] for credit in documents.naming("credit", "return", returned)]
    if credits:
        return sum(credits)
    if returned.data.get("lines"):
        return _net_of_lines(returned)
    return _net_of_lines(order)


def _net_of_lines(document: Document) -> int:
    return sum(line.get("net") or 0 for line in document.data.get("lines") or ())


def _cancelled_whole(documents: Documents, order: Document) -> bool:
    return any(not c.data.get("lines") for c in documents.naming("cancellation", "order", order))


class _Settlement:
    """What is paid of each invoice, and what is left of each payment."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._settled: dict[tuple[str, str], int] = {}
        self._left: list[tuple[Document, int]] = []
        for payment in documents.of("payment"):
            self._allocate(payment)

    def _allocate(self, payment: Document) -> None:
        left = payment.data["amount"]
        left -= sum(reversal.data["amount"] for reversal in self._documents.naming("reversal", "payment", payment))
        left -= sum(refund.data["amount"] for refund in self._documents.naming("refund", "payment", payment))
        for allocation in payment.allocations:
            invoice = self._documents.find("invoice", payment.system, allocation.get("invoice"))
            if invoice is not None and left > 0:
                self._settle(
                    invoice, sum(allocation.get(part) or 0 for part in ("amount", "cash_discount", "withheld"))
                )
                left -= allocation.get("paid") or allocation["amount"]
        order = self._documents.find("order", payment.system, payment.data.get("order"))
        if order is not None:
            left = self._allocate_to_order(payment, order, left)
        self._left.append((payment, max(0, left)))

    def _allocate_to_order(self, payment: Document, order: Document, left: int) -> int:
        currency = self._documents.currency(payment)
        for invoice in self._documents.naming("invoice", "order", order):
            if self._documents.currency(invoice) == currency:
                part = max(0, min(left, self._open(invoice)))
                self._settle(invoice, part)
                left -= part
        return left

    def _settle(self, invoice: Document, amount: int) -> None:
        key = (invoice.system, invoice.number)
        self._settled[key] = self._settled.get(key, 0) + amount

    def _open(self, invoice: Document) -> int:
        credits: int = sum(credit.data["gross"] for credit in self._documents.naming("credit", "invoice", invoice))
        lost: int = sum(loss.data["amount"] for loss in self._documents.naming("write_off", "invoice", invoice))
        gross: int = invoice.data["gross"]
        return gross - credits - lost - self._settled.get((invoice.system, invoice.number), 0)

    def due(self, invoice: Document) -> Iterator[tuple[str, str, int]]:
        """What is open of an invoice by the day it is due, the oldest settled first; without terms, its own day."""
        gross, left = invoice.data["gross"], max(0, self._open(invoice))
        own_day = str(invoice.data.get("value_date") or (invoice.at or "")[:10])
        terms = sorted((term["due_on"], term["amount"]) for term in invoice.data.get("terms") or ()) or [
            (own_day, gross)
        ]
        for day, amount in reversed(terms):
            part = min(left, amount)
            left -= part
            if part > 0:
                yield day, self._documents.currency(invoice), part

    def on_account(self, own: frozenset[UUID]) -> dict[str, int]:
        """What is left of the customer's payments and of credits that name no invoice."""
        left: dict[str, int] = {}
        for payment, amount in self._left:
            if payment.profile_id in own:
                _add(left, self._documents.currency(payment), amount)
        for credit in self._documents.of("credit"):
            if credit.profile_id in own and not credit.data.get("invoice"):
                taken = sum(refund.data["amount"] for refund in self._documents.naming("refund", "credit", credit))
                _add(left, self._documents.currency(credit), max(0, credit.data["gross"] - taken))
        return left


def _waiting(documents: Documents, own: frozenset[UUID]) -> int:
    """Documents of the customer that name one which is not known yet."""
    waiting = 0
    for family, fields in (("return", ("order",)), ("cancellation", ("order",)), ("reversal", ("payment",))):
        for document in documents.of(family):
            unknown = any(not documents.find(field, document.system, document.data.get(field)) for field in fields)
            waiting += document.profile_id in own and unknown
    for payment in documents.of("payment"):
        named = [allocation.get("invoice") for allocation in payment.allocations]
        unknown = any(not documents.find("invoice", payment.system, number) for number in named)
        waiting += payment.profile_id in own and unknown
    return waiting


def _add(totals: dict[str, int], currency: str, amount: int) -> None:
    totals[currency] = totals.get(currency, 0) + amount


def _amounts(totals: dict[str, int]) -> list[dict[str, Any]]:
    return [{"amount": totals[currency], "currency": currency} for currency in sorted(totals) if totals[currency]]
