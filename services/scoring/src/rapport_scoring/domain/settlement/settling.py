"""What settles which invoice.

First what documents say: credits and write-offs the invoice they name, payments what they allocate. Then, by day,
what no allocation settles: it goes to the invoices of the order that the payment names, the one due first first, as
far as credits and allocations leave them room (a write-off leaves room: what then comes in is recovered), and stays
on account of the payer else. What bounces makes room again, for payments that wait and for later ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from rapport_scoring.domain.ledger.books import Books, Name
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine, Part, line_of
from rapport_scoring.domain.settlement.account_opening import enter_credits, enter_write_offs, excesses, open_accounts
from rapport_scoring.domain.settlement.accounts import Account
from rapport_scoring.domain.settlement.allocations import allocate
from rapport_scoring.domain.settlement.purses import Pool, Purse
from rapport_scoring.domain.settlement.receivables import Gap, OnAccount
from rapport_shared.contracts.touchpoints.commerce import Payment, Refund, Reversal

Happening: TypeAlias = tuple[date, int, tuple[datetime, UUID], Statement, Purse]
"""Day, rank within the day, moment; the document, and what it pays in or takes from."""


@dataclass(slots=True)
class Settlement:
    """The accounts of all invoices, the money besides, the costs of paying, and what contradicts."""

    accounts: dict[Name, Account]
    payments: dict[Name, Purse] = field(default_factory=dict)
    credits: dict[Name, Purse] = field(default_factory=dict)
    lines: list[LedgerLine] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def on_account(self) -> Iterator[OnAccount]:
        """What settles no invoice: rests of payments and credits, and what invoices are over."""
        for purse in [*self.payments.values(), *self.credits.values()]:
            told = purse.statement
            if purse.rest:
                yield OnAccount(told.event_id, told.profile_id, purse.currency, purse.rest)
        for account in self.accounts.values():
            told = account.statement
            if account.on_account:
                yield OnAccount(told.event_id, told.profile_id, account.currency, account.on_account)


def settle(books: Books) -> Settlement:
    """Settles all that is in `books`."""
    settlement = Settlement(open_accounts(books))
    settlement.credits = enter_credits(books, settlement.accounts, settlement.gaps)
    enter_write_offs(books, settlement.accounts, settlement.gaps)
    settlement.gaps += excesses(settlement.accounts)
    _enter_payments(books, settlement)
    _Course(settlement, _open_pools(books, settlement)).run(_happenings(books, settlement))
    return settlement


def _enter_payments(books: Books, settlement: Settlement) -> None:
    for name, statement in books.payments.items():
        currency = books.currency(statement)
        if isinstance(statement.data, Payment) and currency is not None:
            purse = Purse(statement, currency, statement.data.amount, statement.data.amount)
            settlement.payments[name] = purse
            found = allocate(purse, books.allocating(name) or statement, settlement.accounts)
            settlement.lines += found.lines
            settlement.gaps += found.gaps


def _open_pools(books: Books, settlement: Settlement) -> dict[tuple[Name, str], Pool]:
    """The pools that payments name: of an order and a currency."""
    pools: dict[tuple[Name, str], Pool] = {}
    for purse in settlement.payments.values():
        key = _pool_of(purse)
        if key is not None and key not in pools:
            names = [(invoice.key.system, invoice.key.number) for invoice in books.invoices_of[key[0]]]
            accounts = [settlement.accounts[name] for name in names if name in settlement.accounts]
            accounts = [account for account in accounts if account.currency == purse.currency]
            accounts.sort(key=lambda account: (account.instalments[0][0], account.statement.moment))
            pools[key] = Pool(accounts)
    return pools


def _pool_of(purse: Purse) -> tuple[Name, str] | None:
    data = purse.statement.data
    if not isinstance(data, Payment) or data.order is None:
        return None
    return (purse.statement.key.system, data.order), purse.currency


def _happenings(books: Books, settlement: Settlement) -> list[Happening]:
    """Payments, what bounced, and refunds, in this order within a day; none before the money came in."""
    found: list[Happening] = []
    for purse in settlement.payments.values():
        found.append((purse.statement.day, 0, purse.statement.moment, purse.statement, purse))
    for rank, statement in [*((1, told) for told in books.reversals), *((2, told) for told in books.refunds)]:
        source = _source(statement, settlement)
        if source is not None:
            day = max(statement.day, source.statement.day)
            found.append((day, rank, statement.moment, statement, source))
    return sorted(found, key=lambda happening: happening[:3])


def _source(statement: Statement, settlement: Settlement) -> Purse | None:
    """The payment or credit that a reversal or refund takes from, None while it has not come."""
    system = statement.key.system
    match statement.data:
        case Reversal(payment=payment):
            return settlement.payments.get((system, payment))
        case Refund(payment=str(payment)):
            return settlement.payments.get((system, payment))
        case Refund(credit=str(credit)):
            return settlement.credits.get((system, credit))
        case _:
            return None


class _Course:
    """The course of what happens, by day."""

    def __init__(self, settlement: Settlement, pools: dict[tuple[Name, str], Pool]) -> None:
        self._settlement = settlement
        self._pools = pools
        self._pools_of: dict[int, list[Pool]] = {}
        self._unmet: list[tuple[Purse, Statement, int]] = []
        for pool in pools.values():
            for account in pool.accounts:
                self._pools_of.setdefault(id(account), []).append(pool)

    def run(self, happenings: list[Happening]) -> None:
        """Lets all happen. What refunds do not find on account they take from what invoices are over in the end."""
        for day, _, _, statement, purse in happenings:
            match statement.data:
                case Payment():
                    self._direct(purse, day)
                case Reversal() as reversal:
                    self._reverse(purse, statement, reversal, day)
                case Refund() as refund:
                    self._refund(purse, statement, refund)
        for purse, statement, unmet in self._unmet:
            self._take_from_over(purse, statement, unmet)

    def _direct(self, purse: Purse, day: date) -> None:
        key = _pool_of(purse)
        if key is not None:
            self._pools[key].take(purse, day)

    def _reverse(self, purse: Purse, statement: Statement, reversal: Reversal, day: date) -> None:
        self._charge_fee(purse, statement, reversal)
        if self._differs(purse, statement, reversal.currency):
            return
        amount = min(reversal.amount, purse.amount - purse.gone)
        if amount < reversal.amount:
            self._gap("reversal_exceeds_payment", statement, "More bounced of a payment than was left of it.")
        reopened: dict[int, Pool] = {}
        for piece, back, regained in purse.take_back(amount, day):
            account = piece.account
            account.room += back
            self._cost(statement, "cash_discount", regained, account.currency, account.statement.profile_id)
            for pool in self._pools_of.get(id(account), ()):
                pool.reopen(account)
                reopened[id(pool)] = pool
        for pool in reopened.values():  # once all is taken back, so that the oldest due is settled first
            pool.serve(day)

    def _charge_fee(self, purse: Purse, statement: Statement, reversal: Reversal) -> None:
        """The bank's fee belongs to the first invoice that the payment settled, else to the payer."""
        whose = purse.pieces[0].account.statement if purse.pieces else purse.statement
        self._cost(statement, "bounce_fee", -reversal.fee, reversal.currency or purse.currency, whose.profile_id)

    def _refund(self, purse: Purse, statement: Statement, refund: Refund) -> None:
        if not self._differs(purse, statement, refund.currency):
            unmet = purse.pay_back(refund.amount)
            if unmet:
                self._unmet.append((purse, statement, unmet))

    def _take_from_over(self, purse: Purse, statement: Statement, unmet: int) -> None:
        for account in purse.accounts:
            if account.currency == purse.currency:
                part = min(unmet, account.on_account)
                account.refunded += part
                unmet -= part
        if unmet:
            self._gap("refund_exceeds_account", statement, "More was paid back than was on account.")

    def _differs(self, purse: Purse, statement: Statement, currency: str | None) -> bool:
        if currency in (None, purse.currency):
            return False
        self._gap("currency_differs", statement, "It has another currency than the document it names: it is left out.")
        return True

    def _cost(self, statement: Statement, item: str, amount: int, currency: str, profile_id: UUID) -> None:
        line = line_of(statement, Part.PAYMENT_COST, item, amount, currency, profile_id=profile_id)
        self._settlement.lines.append(line)

    def _gap(self, code: str, statement: Statement, message: str) -> None:
        self._settlement.gaps.append(Gap(code, statement.event_id, message))
