"""Commerce documents: what single events state, and which statements stand."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from operator import attrgetter
from uuid import UUID

from rapport_shared.contracts.touchpoints.commerce import Document, Payment, PaymentAllocation
from rapport_shared.contracts.touchpoints.documents import DocumentKey


@dataclass(frozen=True, slots=True)
class Statement:
    """A commerce document as one recorded event states it. `data` is typed by `kind`; `day` is its value date."""

    event_id: UUID
    profile_id: UUID
    key: DocumentKey
    kind: str
    revision: int
    occurred_at: datetime
    unit: str | None
    data: Document
    day: date

    @property
    def rank(self) -> tuple[int, datetime, UUID]:
        """Of several statements of one document the highest rank replaces the others whole."""
        return self.revision, self.occurred_at, self.event_id

    @property
    def moment(self) -> tuple[datetime, UUID]:
        """The order in which documents take effect on each other; total, and the same whatever arrived first."""
        return self.occurred_at, self.event_id


MOMENT = attrgetter("occurred_at", "event_id")
"""`Statement.moment`, as a key to sort by."""


def value_day(data: Document, occurred_at: datetime, zone: tzinfo) -> date:
    """The day a document counts on: the stated value date, else the day of `occurred_at` in its unit's `zone`."""
    return data.value_date or occurred_at.astimezone(zone).date()


def standing(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """The statements that stand, by moment: of each document and kind the highest.

    Kinds stand apart because a payment's amount and its allocations are stated by two of them.
    """
    highest: dict[tuple[DocumentKey, str], Statement] = {}
    for statement in statements:
        name = (statement.key, statement.kind)
        known = highest.get(name)
        if known is None or statement.rank > known.rank:
            highest[name] = statement
    return tuple(sorted(highest.values(), key=MOMENT))


def counting(stand: Iterable[Statement], valued_on: date | None) -> tuple[Statement, ...]:
    """Those of standing statements that count up to a day. What allocates a payment counts on the payment's day."""
    return tuple(one for one in dated(stand) if valued_on is None or one.day <= valued_on)


def dated(stand: Iterable[Statement]) -> tuple[Statement, ...]:
    """Standing statements, each with the day on which it counts: of what allocates a payment that is the payment's."""
    found = tuple(stand)
    if not any(type(statement.data) is PaymentAllocation for statement in found):
        return found
    paid_on = {statement.key: statement.day for statement in found if type(statement.data) is Payment}
    return tuple(
        replace(statement, day=paid_on.get(statement.key, statement.day))
        if type(statement.data) is PaymentAllocation
        else statement
        for statement in found
    )


def begun(stand: Iterable[Statement], ahead: Set[UUID]) -> tuple[Statement, ...]:
    """Those of standing statements that count already; `ahead` are the events of those whose day has not come.

    What allocates a payment counts as soon as the payment does.
    """
    found = dated(stand)
    coming = {statement.key for statement in found if statement.event_id in ahead and type(statement.data) is Payment}
    return tuple(
        statement
        for statement in found
        if not (statement.key in coming if type(statement.data) is PaymentAllocation else statement.event_id in ahead)
    )
