"""What a payment settles by its allocations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rapport_scoring.domain.ledger.books import Name
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine, Part, line_of, share
from rapport_scoring.domain.settlement.accounts import Account, Piece
from rapport_scoring.domain.settlement.purses import Purse
from rapport_scoring.domain.settlement.receivables import Gap
from rapport_shared.contracts.touchpoints.commerce import Allocation, Payment, PaymentAllocation


@dataclass(slots=True)
class Allocated:
    """The discounts that allocations cost, and what of them contradicts."""

    lines: list[LedgerLine] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def allocate(purse: Purse, by: Statement, accounts: Mapping[Name, Account]) -> Allocated:
    """Settles invoices as the statement `by` allocates the payment, in its order; the rest stays in the purse.

    An allocation to an invoice that has not come settles nothing yet, nor one in a foreign currency that does not say
    what was paid. One that takes more than is left counts in the share that is left.
    """
    found = Allocated()
    if isinstance(by.data, Payment | PaymentAllocation):
        for allocation in by.data.allocations:
            account = accounts.get((by.key.system, allocation.invoice))
            if account is not None:
                _settle(purse, by, account, allocation, found)
    return found


def _settle(purse: Purse, by: Statement, account: Account, allocation: Allocation, found: Allocated) -> None:
    asked = allocation.paid
    if asked is None:
        if account.currency != purse.currency:
            message = "An allocation in another currency than the payment's does not say what was paid: it is left out."
            found.gaps.append(Gap("paid_missing", by.event_id, message))
            return
        asked = allocation.amount
    named = allocation.instalment
    if named is not None and all(term.instalment != named for term in account.invoice.terms):
        message = "An allocation names an instalment that its invoice does not have: the oldest due is settled."
        found.gaps.append(Gap("unknown_instalment", by.event_id, message))
        allocation = allocation.model_copy(update={"instalment": None})
    if asked > purse.rest:
        message = "The allocations take more than the payment's amount: the last are cut to it."
        found.gaps.append(Gap("over_allocated", by.event_id, message))
    found.lines += _take(purse, by, account, allocation, asked)


def _take(purse: Purse, by: Statement, account: Account, allocation: Allocation, asked: int) -> Iterator[LedgerLine]:
    paid = min(asked, purse.rest)
    whole = allocation.amount + allocation.cash_discount + allocation.withheld
    settles, discount = (share(part, paid, asked) for part in (whole, allocation.cash_discount))
    piece = Piece(account, allocation.instalment, purse.statement.day, paid, settles, discount)
    purse.rest -= paid
    purse.pieces.append(piece)
    account.pieces.append(piece)
    account.room -= settles
    profile = account.statement.profile_id
    yield line_of(by, Part.PAYMENT_COST, "cash_discount", -discount, account.currency, profile_id=profile)
