"""The accounts of invoices, with what was credited and written off of them by name."""

from collections.abc import Iterator

from rapport_scoring.domain.ledger.books import Books, Name
from rapport_scoring.domain.settlement.accounts import Account
from rapport_scoring.domain.settlement.purses import Purse
from rapport_scoring.domain.settlement.receivables import Gap
from rapport_shared.contracts.touchpoints.commerce import Credit, Invoice, WriteOff


def open_accounts(books: Books) -> dict[Name, Account]:
    """An account for each invoice whose currency is known."""
    return {
        name: Account(statement, statement.data, currency, statement.data.gross)
        for name, statement in books.invoices.items()
        if isinstance(statement.data, Invoice) and (currency := books.currency(statement)) is not None
    }


def enter_credits(books: Books, accounts: dict[Name, Account], gaps: list[Gap]) -> dict[Name, Purse]:
    """Enters credits at the invoices they name; one that names none, or whose document has not come, is on account."""
    purses = {}
    for name, statement in books.credits.items():
        currency = books.currency(statement)
        if not isinstance(statement.data, Credit) or currency is None:
            continue
        credit = statement.data
        account = None if books.waits(statement) else accounts.get((name[0], credit.invoice or ""))
        if account is not None and account.currency != currency:
            gaps.append(Gap("currency_differs", statement.event_id, "A credit has another currency than its invoice."))
            account = None
        purses[name] = Purse(statement, currency, credit.gross, 0 if account else credit.gross, credited=account)
        if account is not None:
            account.credits.append((statement.day, credit.gross))
            account.room -= credit.gross
    return purses


def enter_write_offs(books: Books, accounts: dict[Name, Account], gaps: list[Gap]) -> None:
    """Enters write-offs at the invoices they name."""
    for statement in books.write_offs:
        write_off = statement.data
        if isinstance(write_off, WriteOff) and write_off.amount:
            account = accounts.get((statement.key.system, write_off.invoice))
            if account is None:
                continue
            if write_off.currency not in (None, account.currency):
                message = "A write-off has another currency than its invoice: it is left out."
                gaps.append(Gap("currency_differs", statement.event_id, message))
                continue
            account.write_offs.append((statement, write_off.amount))


def excesses(accounts: dict[Name, Account]) -> Iterator[Gap]:
    """Invoices of which more was credited, or written off, than they bill."""
    for account in accounts.values():
        gross, event_id = account.invoice.gross, account.statement.event_id
        if sum(amount for _, amount in account.credits) > gross:
            message = "More of an invoice was credited than it bills: what is over is on account."
            yield Gap("credit_exceeds_invoice", event_id, message)
        if account.written_off > gross:
            yield Gap("write_off_exceeds_invoice", event_id, "More of an invoice was written off than it bills.")
