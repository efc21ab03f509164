"""What an indicator is: a figure of one customer, on a day; who explains it adds the events that it rests on."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from heapq import nlargest
from typing import Any, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

SHOWN_EVENTS: Final = 20
NUMBERS: Final = frozenset(
    {
        *("orders", "recency_days", "interval_mean_days", "interval_variation", "average_order_value", "trend"),
        *("days_sales_outstanding", "days_to_pay", "overdue_ratio", "late_ratio", "exposure", "credit_cost"),
        *("discount_depth", "decayed_contacts", "complaints", "complaints_open", "response_seconds"),
        *("resolution_seconds", "satisfaction", "tenure_days", "share_of_wallet", "single_sourced"),
    }
)
"""The names of the indicators that are numbers; all others are labels."""


class IndicatorClass(StrEnum):
    """The four classes of indicators."""

    TRANSACTION = "transaction"
    FINANCE = "finance"
    CONTACT = "contact"
    ATTRIBUTE = "attribute"


class Missing(StrEnum):
    """Why an indicator has no value."""

    NO_PURCHASE = "no_purchase"
    TOO_FEW_PURCHASES = "too_few_purchases"
    NOTHING_BEFORE = "nothing_before"
    NO_LIST_PRICE = "no_list_price"
    NO_INVOICE = "no_invoice"
    NOTHING_INVOICED = "nothing_invoiced"
    NOTHING_SETTLED = "nothing_settled"
    NO_CASE = "no_case"
    NO_ANSWER = "no_answer"
    NOTHING_KNOWN = "nothing_known"
    NOT_STATED = "not_stated"
    NO_WALLET = "no_wallet"
    NO_RATE = "no_rate"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The newest events of a figure, newest first, at most 20 of them, and how many there are in all."""

    events: tuple[UUID, ...] = ()
    count: int = 0


NO_EVIDENCE: Final = Evidence()


class Indicator(NamedTuple):
    """A figure on a day. `value` is a count or amount, or a decimal or label as text; None has a reason in `missing`.

    `unit` is what it counts in: a currency (minor units), `days`, `seconds`, `orders`, `ratio`, `label` and the like.
    `subject` tells apart several of one name: a currency, a channel, a survey.
    """

    name: str
    kind: IndicatorClass
    value: int | str | None
    unit: str
    on: date
    events: tuple[UUID, ...] = ()
    event_count: int = 0
    subject: str | None = None
    missing: Missing | None = None

    @property
    def key(self) -> str:
        """What it is known by among the indicators of one customer: its name, and its subject where it has one."""
        return self.name if self.subject is None else f"{self.name}:{self.subject}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where indicators of one class and day are written."""

    kind: IndicatorClass
    on: date

    def write(self, name: str, value: int | str | Missing, unit: str, subject: str | None = None) -> Indicator:
        """An indicator of this class and day; a `Missing` for value is the reason that there is none."""
        missing = value if isinstance(value, Missing) else None
        known = None if isinstance(value, Missing) else value
        return Indicator(name, self.kind, known, unit, self.on, subject=subject, missing=missing)


class _Stated(Protocol):
    @property
    def event_id(self) -> UUID: ...


Fact = TypeVar("Fact", bound=_Stated)


def newest_first(facts: Iterable[tuple[Any, UUID]]) -> Evidence:
    """The evidence of `(day or instant, event)` pairs: each event once, whatever their order."""
    newest: dict[UUID, Any] = {}
    for moment, event in facts:
        known = newest.get(event)
        if known is None or known < moment:
            newest[event] = moment
    if not newest:
        return NO_EVIDENCE
    pairs = ((moment, event) for event, moment in newest.items())
    few = len(newest) <= SHOWN_EVENTS
    shown = sorted(pairs, reverse=True) if few else nlargest(SHOWN_EVENTS, pairs)
    return Evidence(tuple([event for _, event in shown]), len(newest))


def distinct(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact once by its event, in no certain order."""
    return list({fact.event_id: fact for fact in facts}.values())
