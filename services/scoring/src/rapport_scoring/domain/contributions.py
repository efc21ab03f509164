"""What single facts contribute to the sums of profiles: of documents, those that are settled together at once."""

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Final, TypeAlias
from uuid import UUID

from rapport_scoring.domain.decay import contact_weight
from rapport_scoring.domain.facts import Answer, AssetEvent, Case, Contact, WalletStatement
from rapport_scoring.domain.ledger.contacts import contact_costs, warranty_costs
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine, Part
from rapport_scoring.domain.ledger.names import settled_together
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.ledger.purchases import Purchase, category_sales, purchases
from rapport_scoring.domain.ledger.reckoning import OrderOutcome, reckon
from rapport_scoring.domain.settlement.ageing import receivable
from rapport_scoring.domain.settlement.receivables import InvoiceBalance
from rapport_scoring.domain.sums import (
    BILLED,
    BUYS,
    CASES,
    CATEGORY,
    CONTACTS,
    CREDIT_COST,
    DECAY,
    DIGEST,
    EARNED,
    INVOICES,
    KEPT,
    LINE,
    LINES,
    LIST_PRICE,
    LISTED,
    LIVE,
    ON_ACCOUNT,
    OPEN_CASES,
    ORDERS,
    PAID,
    PAID_DAYS,
    PAID_LATE,
    RETURNED,
    SOLD,
    WAITING,
    Sums,
    name_of,
)

EVER: Final = date.min
"""The day of sums that no window looks at."""

Owner: TypeAlias = tuple[UUID, UUID]
"""An event, and a profile that it contributes to."""


@dataclass(slots=True)
class Contribution:
    """What an event contributes to one profile: sums by day, and what is kept as it is.

    `invoice` is open; `placed_at` is the instant of an order that is not cancelled whole.
    """

    days: dict[date, Sums] = field(default_factory=dict)
    invoice: InvoiceBalance | None = None
    placed_at: datetime | None = None

    def count(self, day: date, name: str, amount: int = 1) -> None:
        """Adds to a sum of a day."""
        sums = self.days.setdefault(day, {})
        total = sums.get(name, 0) + amount
        if total:
            sums[name] = total
        else:
            sums.pop(name, None)

    def enter(self, line: LedgerLine) -> None:
        """Adds a ledger line."""
        self.count(line.day, line_name(line.part, line.currency, estimated=line.estimated), line.amount)
        self.count(EVER, LINES)


Contributions: TypeAlias = dict[Owner, Contribution]


def line_name(part: Part, currency: str, *, estimated: bool) -> str:
    """The name of the sum that a ledger line is part of."""
    return name_of(LINE, part.value, currency, "1" if estimated else "0")


@lru_cache(maxsize=4096)
def event_digest(event_id: UUID) -> int:
    """SHA-256 of an event's id as a number. The sum of such says which events there are, in whatever order they came.

    (Bellare and Micciancio, A New Paradigm for Collision-free Hashing, EUROCRYPT 1997: AdHash.)
    """
    return int.from_bytes(hashlib.sha256(event_id.bytes).digest(), "big")


def contact_contribution(contact: Contact, policy: LedgerPolicy, half_life_days: int) -> Contribution:
    """What a contact contributes to its profile."""
    found = _of_event(contact.event_id)
    found.count(EVER, name_of(CONTACTS, contact.channel))
    found.count(EVER, name_of(DECAY, contact.channel), contact_weight(contact.day, half_life_days))
    for line in contact_costs([contact], policy):
        if line.amount:
            found.enter(line)
    return found


def asset_contribution(event: AssetEvent) -> Contribution:
    """What happened to an asset contributes to its profile."""
    found = _of_event(event.event_id)
    found.count(EVER, KEPT)
    for line in warranty_costs([event]):
        if line.amount:
            found.enter(line)
    return found


def other_contribution(fact: Answer | WalletStatement) -> Contribution:
    """What an answer or a wallet contributes to its profile: that it is there."""
    found = _of_event(fact.event_id)
    found.count(EVER, KEPT)
    return found


def case_contribution(case: Case) -> Contribution:
    """What a ticket contributes to its profile."""
    found = _of_event(case.event_id)
    found.count(EVER, name_of(CASES, case.kind))
    if case.open:
        found.count(EVER, name_of(OPEN_CASES, case.kind))
    return found


def document_contributions(
    counted: tuple[Statement, ...], everything: Iterable[Statement], policy: LedgerPolicy, history: Set[UUID]
) -> Contributions:
    """What documents contribute, by event and profile.

    `counted` stand and count, by moment; `everything` are all statements of these documents and of all that they are
    settled with, of which `history` are reported as history. A profile rests on all statements that its own are
    settled with.
    """
    found: Contributions = {}
    _enter_digests(found, everything)
    reckoned = reckon(counted, policy)
    for line in reckoned.lines:
        _at(found, line.event_id, line.profile_id).enter(line)
    for invoice in reckoned.invoices:
        _enter_invoice(_at(found, invoice.event_id, invoice.profile_id), invoice, policy)
    for rest in reckoned.on_account:
        _at(found, rest.event_id, rest.profile_id).count(EVER, name_of(ON_ACCOUNT, rest.currency), rest.amount)
    for order in reckoned.orders:
        _enter_order(_at(found, order.event_id, order.profile_id), order)
    for statement in reckoned.waiting:
        _at(found, statement.event_id, statement.profile_id).count(EVER, WAITING)
    for purchase in purchases(reckoned.lines, counted):
        entry = _at(found, purchase.event_id, purchase.profile_id)
        _enter_purchase(entry, purchase, live=purchase.event_id not in history)
    return found


def _at(found: Contributions, event_id: UUID, profile_id: UUID) -> Contribution:
    return found.setdefault((event_id, profile_id), Contribution())


def _of_event(event_id: UUID) -> Contribution:
    found = Contribution()
    found.count(EVER, DIGEST, event_digest(event_id))
    return found


def _enter_digests(found: Contributions, everything: Iterable[Statement]) -> None:
    for together in settled_together(everything):
        profiles = {statement.profile_id for statement in together}
        for statement in together:
            for profile_id in profiles:
                _at(found, statement.event_id, profile_id).count(EVER, DIGEST, event_digest(statement.event_id))


def _enter_invoice(entry: Contribution, invoice: InvoiceBalance, policy: LedgerPolicy) -> None:
    currency = invoice.currency
    entry.count(EVER, name_of(INVOICES, currency))
    entry.count(invoice.issued_on, name_of(BILLED, currency), invoice.gross)
    for part in invoice.settled:
        entry.count(part.day, name_of(PAID, currency), part.amount)
        entry.count(part.day, name_of(PAID_DAYS, currency), part.amount * (part.day - invoice.issued_on).days)
        if part.day > part.due_on:
            entry.count(part.day, name_of(PAID_LATE, currency), part.amount)
    if invoice.balance > 0:
        entry.invoice = invoice
        return
    # Of an invoice that is settled, interest is the same on every later day.
    closed = receivable(invoice, date.max, policy)
    if closed.interest:
        entry.count(invoice.issued_on, line_name(Part.RECEIVABLE_INTEREST, currency, estimated=False), -closed.interest)
        entry.count(EVER, LINES)
    entry.count(EVER, name_of(CREDIT_COST, currency), closed.interest + closed.loss)


def _enter_order(entry: Contribution, order: OrderOutcome) -> None:
    if not order.cancelled:
        entry.count(EVER, ORDERS)
        entry.placed_at = order.placed_at
    entry.count(EVER, RETURNED, order.returns)


def _enter_purchase(entry: Contribution, purchase: Purchase, *, live: bool) -> None:
    currency = purchase.currency
    entry.count(purchase.day, name_of(BUYS, currency))
    entry.count(purchase.day, name_of(EARNED, currency), purchase.revenue)
    entry.count(purchase.day, LIVE, int(live))
    if purchase.list_price:
        entry.count(EVER, name_of(LIST_PRICE, currency), purchase.list_price)
        entry.count(EVER, name_of(LISTED, currency), purchase.revenue)
    for name in purchase.categories:
        entry.count(EVER, name_of(CATEGORY, name))
    for sale in category_sales([purchase]):
        entry.count(sale.day, name_of(SOLD, currency, sale.category), sale.revenue)
