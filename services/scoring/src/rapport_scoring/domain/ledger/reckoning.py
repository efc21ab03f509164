"""The ledger of a customer: facts to lines, each naming its event."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import TypeVar
from uuid import UUID

from rapport_scoring.domain.facts import AssetEvent, Contact
from rapport_scoring.domain.ledger.books import Books, Name, open_books
from rapport_scoring.domain.ledger.contacts import contact_costs, warranty_costs
from rapport_scoring.domain.ledger.document_lines import document_lines, goods_gaps
from rapport_scoring.domain.ledger.documents import MOMENT, Statement, counting, standing
from rapport_scoring.domain.ledger.lines import LedgerLine
from rapport_scoring.domain.ledger.order_lines import OrderGoods, goods_of_orders
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.settlement.ageing import balance_of, receivable, receivable_lines, write_off_lines
from rapport_scoring.domain.settlement.receivables import Gap, InvoiceBalance, OnAccount, Receivable
from rapport_scoring.domain.settlement.settling import Settlement, settle

Fact = TypeVar("Fact", Contact, AssetEvent)


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """What became of an order: whether all of it was cancelled, and how many returns took something back."""

    event_id: UUID
    profile_id: UUID
    placed_at: datetime
    cancelled: bool
    returns: int


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What documents, contacts and work on assets amount to; nothing of it depends on the day of looking.

    `statements` stand, `waiting` are those of them that name another that has not come. `lines` are all but those of
    what open invoices cost day by day. `gaps` are contradictions, each with the profile of its event.
    """

    lines: tuple[LedgerLine, ...]
    statements: tuple[Statement, ...]
    waiting: tuple[Statement, ...]
    invoices: tuple[InvoiceBalance, ...]
    on_account: tuple[OnAccount, ...]
    orders: tuple[OrderOutcome, ...]
    gaps: tuple[tuple[Gap, UUID], ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The lines that add up to a value, and what they rest on.

    `statements` stand, `waiting` are those of them that name another that has not come. `valued_on` is the day that
    `receivables` and `on_account` are of, None where nothing is known. `gaps` are contradictions.
    """

    lines: tuple[LedgerLine, ...]
    statements: tuple[Statement, ...]
    waiting: tuple[Statement, ...]
    receivables: tuple[Receivable, ...] = ()
    on_account: tuple[OnAccount, ...] = ()
    orders: tuple[OrderOutcome, ...] = ()
    gaps: tuple[Gap, ...] = ()
    valued_on: date | None = None


def ledger(
    statements: Iterable[Statement],
    policy: LedgerPolicy,
    *,
    contacts: Iterable[Contact] = (),
    asset_events: Iterable[AssetEvent] = (),
    valued_on: date | None = None,
    own: frozenset[UUID] | None = None,
) -> Ledger:
    """The ledger of facts, in whatever order and however often they come.

    Facts count up to and with the day `valued_on`; without one all do, and the last day among them is the day of
    valuation. Of a document the newest statement decides on which day it counts. `own` leaves out what belongs to
    other profiles (all but their statements), so that `statements` may hold documents of others that name the
    customer's.

    Lines are by the moment of their event, then as the documents state them; lines of nothing are left out.
    """
    return ledger_of(
        counting(standing(statements), valued_on),
        policy,
        contacts=contacts,
        asset_events=asset_events,
        valued_on=valued_on,
        own=own,
    )


def ledger_of(
    stand: tuple[Statement, ...],
    policy: LedgerPolicy,
    *,
    contacts: Iterable[Contact] = (),
    asset_events: Iterable[AssetEvent] = (),
    valued_on: date | None = None,
    own: frozenset[UUID] | None = None,
) -> Ledger:
    """The same of statements that stand and count, by moment, as `counting` answers them."""
    conversations, work = _counting(contacts, valued_on), _counting(asset_events, valued_on)
    found = reckon(stand, policy, conversations, work)
    days = [*(told.day for told in stand), *(talk.day for talk in conversations), *(job.day for job in work)]
    valued_on = valued_on or max(days, default=None)
    receivables, lines = [], list(found.lines)
    if valued_on is not None:
        for invoice in found.invoices:
            receivables.append(receivable(invoice, valued_on, policy))
            lines += receivable_lines(invoice, receivables[-1], valued_on, policy)

    def counts(profile_id: UUID) -> bool:
        return own is None or profile_id in own

    return Ledger(
        lines=_in_order([line for line in lines if counts(line.profile_id)]),
        statements=stand,
        waiting=tuple(told for told in found.waiting if counts(told.profile_id)),
        receivables=tuple(one for one in receivables if counts(one.profile_id)),
        on_account=tuple(rest for rest in found.on_account if counts(rest.profile_id)),
        orders=tuple(order for order in found.orders if counts(order.profile_id)),
        gaps=tuple(gap for gap, profile_id in found.gaps if counts(profile_id)),
        valued_on=valued_on,
    )


def reckon(
    stand: tuple[Statement, ...],
    policy: LedgerPolicy,
    contacts: Iterable[Contact] = (),
    asset_events: Iterable[AssetEvent] = (),
) -> Reckoning:
    """What statements that stand and count, by moment, contacts and work on assets amount to."""
    books = open_books(stand)
    waiting = tuple(statement for statement in stand if books.waits(statement))
    waits = {statement.event_id for statement in waiting}
    settlement = settle(books)
    goods = goods_of_orders(books)
    invoices = tuple(balance_of(account) for account in settlement.accounts.values())
    lines = [
        *document_lines(books, goods, (told for told in stand if told.event_id not in waits), policy),
        *settlement.lines,
        *chain.from_iterable(
            write_off_lines(account, invoice.recovered)
            for account, invoice in zip(settlement.accounts.values(), invoices, strict=True)
            if account.write_offs
        ),
        *contact_costs(contacts, policy),
        *warranty_costs(asset_events),
    ]
    return Reckoning(
        lines=tuple(line for line in lines if line.amount),
        statements=stand,
        waiting=waiting,
        invoices=invoices,
        on_account=tuple(settlement.on_account()),
        orders=tuple(_outcomes(books, goods)),
        gaps=tuple(_gaps(goods, stand, settlement)),
    )


def _in_order(lines: Iterable[LedgerLine]) -> tuple[LedgerLine, ...]:
    # The sort is stable: a document's own order stays.
    return tuple(sorted([line for line in lines if line.amount], key=MOMENT))


def _counting(facts: Iterable[Fact], valued_on: date | None) -> list[Fact]:
    """Each fact once, up to the day, by moment."""
    once = {fact.event_id: fact for fact in facts if valued_on is None or fact.day <= valued_on}
    return sorted(once.values(), key=MOMENT)


def _outcomes(books: Books, goods: Mapping[Name, OrderGoods]) -> Iterator[OrderOutcome]:
    for name, found in goods.items():
        statement = books.orders[name]
        returns = len({part.statement.event_id for part in found.returned})
        yield OrderOutcome(statement.event_id, statement.profile_id, statement.occurred_at, found.cancelled, returns)


def _gaps(
    goods: Mapping[Name, OrderGoods], stand: Iterable[Statement], settlement: Settlement
) -> Iterator[tuple[Gap, UUID]]:
    """Each gap once with the profile of its event, by event."""
    profile_of = {statement.event_id: statement.profile_id for statement in stand}
    found = dict.fromkeys([*settlement.gaps, *goods_gaps(goods.values())])
    for gap in sorted(found, key=lambda gap: (gap.event_id, gap.code)):
        yield gap, profile_of[gap.event_id]
