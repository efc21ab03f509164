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
from rapport_scoring.domain.settlement.ageing import receivable, receivable_lines
from rapport_scoring.domain.settlement.receivables import Gap, OnAccount, Receivable
from rapport_scoring.domain.settlement.settling import Settlement, settle

Fact = TypeVar("Fact", Contact, AssetEvent)


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """What became of an order: whether all of it was cancelled, and how many returns took something back."""

    profile_id: UUID
    placed_at: datetime
    cancelled: bool
    returns: int


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
    since: date | None = None,
    own: frozenset[UUID] | None = None,
) -> Ledger:
    """The ledger of facts, in whatever order and however often they come.

    Facts count up to and with the day `valued_on`; without one all do, and the last day among them is the day of
    valuation. Of a document the newest statement decides on which day it counts. `since` leaves out the lines of
    earlier days, though their documents still settle; `own` leaves out what belongs to other profiles (all but their
    statements), so that `statements` may hold documents of others that name the customer's.

    Lines are by the moment of their event, then as the documents state them; lines of nothing are left out.
    """
    return ledger_of(
        counting(standing(statements), valued_on),
        policy,
        contacts=contacts,
        asset_events=asset_events,
        valued_on=valued_on,
        since=since,
        own=own,
    )


def ledger_of(
    stand: tuple[Statement, ...],
    policy: LedgerPolicy,
    *,
    contacts: Iterable[Contact] = (),
    asset_events: Iterable[AssetEvent] = (),
    valued_on: date | None = None,
    since: date | None = None,
    own: frozenset[UUID] | None = None,
) -> Ledger:
    """The same of statements that stand and count, by moment, as `counting` answers them."""
    books = open_books(stand)
    waiting = tuple(statement for statement in stand if books.waits(statement))
    waits = {statement.event_id for statement in waiting}
    settlement = settle(books)
    goods = goods_of_orders(books)
    conversations, work = _counting(contacts, valued_on), _counting(asset_events, valued_on)
    days = [*(told.day for told in stand), *(talk.day for talk in conversations), *(job.day for job in work)]
    valued_on = valued_on or max(days, default=None)
    receivables, costs_of_credit = _receivables(settlement, valued_on, policy)
    lines = [
        *document_lines(books, goods, (told for told in stand if told.event_id not in waits), policy),
        *settlement.lines,
        *costs_of_credit,
        *contact_costs(conversations, policy),
        *warranty_costs(work),
    ]

    def counts(profile_id: UUID) -> bool:
        return own is None or profile_id in own

    if since is not None:
        lines = [line for line in lines if line.day >= since]
    profiles = chain(*([fact.profile_id for fact in facts] for facts in (stand, conversations, work)))
    if own is not None and not own.issuperset(profiles):
        lines = [line for line in lines if line.profile_id in own]
    return Ledger(
        lines=_in_order(lines),
        statements=stand,
        waiting=tuple(told for told in waiting if counts(told.profile_id)),
        receivables=tuple(one for one in receivables if counts(one.profile_id)),
        on_account=tuple(rest for rest in settlement.on_account() if counts(rest.profile_id)),
        orders=tuple(order for order in _outcomes(books, goods) if counts(order.profile_id)),
        gaps=tuple(gap for gap, profile_id in _gaps(goods, stand, settlement) if counts(profile_id)),
        valued_on=valued_on,
    )


def _in_order(lines: Iterable[LedgerLine]) -> tuple[LedgerLine, ...]:
    # The sort is stable: a document's own order stays.
    return tuple(sorted([line for line in lines if line.amount], key=MOMENT))


def _counting(facts: Iterable[Fact], valued_on: date | None) -> list[Fact]:
    """Each fact once, up to the day, by moment."""
    once = {fact.event_id: fact for fact in facts if valued_on is None or fact.day <= valued_on}
    return sorted(once.values(), key=MOMENT)


def _receivables(
    settlement: Settlement, valued_on: date | None, policy: LedgerPolicy
) -> tuple[list[Receivable], list[LedgerLine]]:
    """Each invoice as it stands, and what all of them cost."""
    stands: list[Receivable] = []
    lines: list[LedgerLine] = []
    if valued_on is not None:
        for account in settlement.accounts.values():
            stands.append(receivable(account, valued_on, policy))
            lines += receivable_lines(account, stands[-1], valued_on, policy)
    return stands, lines


def _outcomes(books: Books, goods: Mapping[Name, OrderGoods]) -> Iterator[OrderOutcome]:
    for name, found in goods.items():
        statement = books.orders[name]
        returns = len({part.statement.event_id for part in found.returned})
        yield OrderOutcome(statement.profile_id, statement.occurred_at, found.cancelled, returns)


def _gaps(
    goods: Mapping[Name, OrderGoods], stand: Iterable[Statement], settlement: Settlement
) -> Iterator[tuple[Gap, UUID]]:
    """Each gap once with the profile of its event, by event."""
    profile_of = {statement.event_id: statement.profile_id for statement in stand}
    found = dict.fromkeys([*settlement.gaps, *goods_gaps(goods.values())])
    for gap in sorted(found, key=lambda gap: (gap.event_id, gap.code)):
        yield gap, profile_of[gap.event_id]
