"""States and figures of customers for tests, folded from facts."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.facts import Contact
from rapport_scoring.domain.figures import CustomerFigures
from rapport_scoring.domain.history import History, history_of
from rapport_scoring.domain.ledger.documents import Statement, standing
from rapport_scoring.domain.ledger.purchases import Purchase, purchases
from rapport_scoring.domain.ledger.reckoning import ledger
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_scoring.domain.settlement.ageing import receivable as receivable_on
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_scoring.domain.state import CustomerState, state_of
from rapport_scoring.domain.value_policy import ValuePolicy
from tests.unit.scoring.documents import POLICY, PROFILE, START, day, invoice, payment

TODAY = START.date()
SHIPPED = ValuePolicy()


def known(statements: Iterable[Statement] = (), *, profiles: Sequence[Any] = (PROFILE,), **more: Any) -> CustomerFacts:
    """The facts of one customer of `profiles`, dated by its documents and contacts."""
    told = list(statements)
    dated = [*told, *more.get("contacts", ()), *more.get("answers", ())]
    latest = max((one.occurred_at for one in dated), default=START)
    last_day = max((one.day for one in dated if not hasattr(one, "survey")), default=latest.date())
    dates = {"latest": latest, "last_day": last_day, **more}
    return CustomerFacts(profiles[0], tuple(profiles), statements=told, **dates)


def state(
    statements: Iterable[Statement] = (), *, valued_on: date = TODAY, policy: ValuePolicy = SHIPPED, **more: Any
) -> CustomerState:
    """The state of a customer at the end of a day."""
    return state_of(known(statements, **more), policy, valued_on)


def figures(
    statements: Iterable[Statement] = (), contacts: Iterable[Contact] = (), *, valued_on: date = TODAY
) -> CustomerFigures:
    """The figures of a customer at the end of a day."""
    return state(statements, valued_on=valued_on, contacts=list(contacts)).figures


def history(
    statements: Iterable[Statement] = (), *, valued_on: date = TODAY, rules: Rules | None = None, **more: Any
) -> History:
    """The history of a customer up to the end of a day."""
    return history_of(known(statements, **more), rules or shipped_rules(), valued_on)


def bought(*statements: Statement) -> tuple[Purchase, ...]:
    """The purchases among documents, whenever they count."""
    return purchases(ledger(statements, POLICY).lines, standing(statements))


def owed(found: CustomerFigures, valued_on: date = TODAY) -> tuple[Receivable, ...]:
    """The open invoices of figures, at the end of a day."""
    return tuple(receivable_on(one, valued_on + timedelta(days=1), SHIPPED.ledger) for one in found.invoices)


def billed(example: Receivable) -> list[Statement]:
    """The documents that make a receivable what an example says: an invoice, and a payment of each settled part."""
    number = str(example.event_id.int)
    terms = [
        {"instalment": f"due{place}", "due_on": at.isoformat(), "amount": amount}
        for place, (at, amount) in enumerate(example.due)
    ]
    terms += [
        {"instalment": f"paid{place}", "due_on": part.due_on.isoformat(), "amount": part.amount}
        for place, part in enumerate(example.settled)
    ]
    issued = (example.issued_on - day(0)).days
    bill = invoice(f"i{number}", issued, example.gross, currency=example.currency, terms=terms)
    paid = [
        payment(
            f"p{number}-{place}",
            (part.day - day(0)).days,
            part.amount,
            currency=example.currency,
            allocations=[{"invoice": f"i{number}", "instalment": f"paid{place}", "amount": part.amount}],
        )
        for place, part in enumerate(example.settled)
    ]
    return [bill, *paid]
