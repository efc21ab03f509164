"""What of an invoice is open on a day, for how long it has been, and what that costs."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from rapport_scoring.domain.ledger.lines import LedgerLine, Part, divided, line_of
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.settlement.accounts import Account
from rapport_scoring.domain.settlement.receivables import InvoiceBalance, Receivable, Settled


def balance_of(account: Account) -> InvoiceBalance:
    """What became of an invoice by all that is known of it: the same on every day of valuation."""
    due, settled = _by_instalment(account)
    statement = account.statement
    return InvoiceBalance(
        event_id=statement.event_id,
        profile_id=statement.profile_id,
        occurred_at=statement.occurred_at,
        document=statement.key,
        issued_on=statement.day,
        currency=account.currency,
        gross=account.invoice.gross,
        balance=account.balance,
        written_off=account.written_off,
        due=due,
        settled=settled,
        movements=tuple(sorted(account.movements())),
    )


def receivable(invoice: InvoiceBalance, valued_on: date, policy: LedgerPolicy) -> Receivable:
    """The invoice as it is on `valued_on`."""
    amount_days = open_amount_days(invoice.gross, invoice.issued_on, valued_on, invoice.movements)
    return Receivable(
        event_id=invoice.event_id,
        profile_id=invoice.profile_id,
        issued_on=invoice.issued_on,
        currency=invoice.currency,
        gross=invoice.gross,
        open=max(0, invoice.balance),
        over=invoice.over,
        due=invoice.due,
        settled=invoice.settled,
        amount_days=amount_days,
        interest=_of(policy.capital_rate, amount_days, policy.day_count),
        reserve=sum(amount for _, amount in reserves(invoice.due, valued_on, policy)),
        loss=invoice.written_off - invoice.recovered,
        recovered=invoice.recovered,
    )


def open_amount_days(gross: int, issued_on: date, until: date, movements: Iterable[tuple[date, int]]) -> int:
    """Σ of what is open on each day from `issued_on` to `until` (exclusive); a movement counts on its own day."""
    balance, day, total = gross, issued_on, 0
    for moved_on, amount in sorted(movements, key=lambda movement: movement[0]):
        if moved_on >= until:
            break
        if moved_on > day:
            total += max(0, balance) * (moved_on - day).days
            day = moved_on
        balance -= amount
    return total + max(0, balance) * max(timedelta(0), until - day).days


def reserves(due: Iterable[tuple[date, int]], valued_on: date, policy: LedgerPolicy) -> list[tuple[str, int]]:
    """What is set aside, by ageing bucket."""
    buckets: dict[str, tuple[Decimal, int]] = {}
    for due_on, amount in due:
        name, part = policy.reserve.of((valued_on - due_on).days)
        buckets[name] = part, buckets.get(name, (part, 0))[1] + amount
    return [(name, _of(part, amount)) for name, (part, amount) in buckets.items()]


def _of(part: Decimal, amount: int, divided_by: int = 1) -> int:
    """`part` × `amount` / `divided_by`, rounded half to even."""
    numerator, denominator = part.as_integer_ratio()
    return divided(numerator * amount, denominator * divided_by)


def receivable_lines(
    invoice: InvoiceBalance, found: Receivable, valued_on: date, policy: LedgerPolicy
) -> Iterator[LedgerLine]:
    """What an invoice costs while it is open: interest, and what is set aside for bad debt."""
    yield _line(invoice, Part.RECEIVABLE_INTEREST, "interest", -found.interest)
    for bucket, amount in reserves(invoice.due, valued_on, policy):
        yield _line(invoice, Part.BAD_DEBT_RESERVE, bucket, -amount)


def _line(invoice: InvoiceBalance, part: Part, item: str, amount: int) -> LedgerLine:
    return LedgerLine(
        event_id=invoice.event_id,
        profile_id=invoice.profile_id,
        occurred_at=invoice.occurred_at,
        day=invoice.issued_on,
        document=invoice.document,
        part=part,
        item=item,
        amount=amount,
        currency=invoice.currency,
    )


def write_off_lines(account: Account, recovered: int) -> Iterator[LedgerLine]:
    """What write-offs cost. What came in after all, `recovered`, regains the last write-off first."""
    last_first = sorted(account.write_offs, key=lambda entry: (entry[0].day, entry[0].moment), reverse=True)
    for write_off, amount in last_first:
        regained = min(recovered, amount)
        recovered -= regained
        yield line_of(
            write_off,
            Part.WRITE_OFF_LOSS,
            "write_off",
            regained - amount,
            account.currency,
            profile_id=account.statement.profile_id,
        )


def _by_instalment(account: Account) -> tuple[tuple[tuple[date, int], ...], tuple[Settled, ...]]:
    """What is open by due day, and what was paid of which.

    What names an instalment settles it first; what that leaves over, and all that names none, settles the oldest due,
    by the day it counts from.
    """
    terms = account.instalments
    left = [amount for _, _, amount in terms]
    place = {name: index for index, (_, name, _) in enumerate(terms) if name is not None}
    settled: list[Settled] = []
    unnamed: list[tuple[date, int, bool]] = [(day, amount, False) for day, amount in account.credits]
    unnamed += [(statement.day, amount, False) for statement, amount in account.write_offs]
    for piece in account.pieces:
        rest, index = piece.left, place.get(piece.instalment or "")
        if index is not None and (part := min(rest, left[index])):
            left[index] -= part
            rest -= part
            settled.append(Settled(piece.day, part, terms[index][0]))
        unnamed.append((piece.day, rest, True))
    settled += _oldest_first([due_on for due_on, _, _ in terms], left, unnamed)
    due: dict[date, int] = {}
    for (due_on, _, _), amount in zip(terms, left, strict=True):
        if amount:
            due[due_on] = due.get(due_on, 0) + amount
    return tuple(due.items()), tuple(sorted(settled, key=lambda part: (part.day, part.due_on, part.amount)))


def _oldest_first(due: list[date], left: list[int], unnamed: list[tuple[date, int, bool]]) -> Iterator[Settled]:
    """Takes `unnamed` from `left`, the oldest first; answers which parts were paid."""
    index = 0
    for day, amount, paid in sorted(unnamed):
        rest = amount
        while rest and index < len(left):
            part = min(rest, left[index])
            left[index] -= part
            rest -= part
            if part and paid:
                yield Settled(day, part, due[index])
            index += left[index] == 0
