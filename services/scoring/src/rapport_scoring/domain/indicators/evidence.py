"""The events that an indicator rests on, for whoever explains it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.indicators.attribute import LABELS, SHARE_WINDOW, wallets_in_force
from rapport_scoring.domain.indicators.contact import ContactPolicy, last_answers, last_asked
from rapport_scoring.domain.indicators.indicator import NO_EVIDENCE, Evidence, Indicator, newest_first
from rapport_scoring.domain.indicators.transaction import TREND_WINDOW
from rapport_scoring.domain.ledger.purchases import Purchase
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_shared.contracts.ticket import TicketKind


@dataclass(frozen=True, slots=True)
class Ground:
    """The facts of a customer at the end of the day `on`, with its purchases and invoices."""

    facts: CustomerFacts
    purchases: Sequence[Purchase]
    invoices: Sequence[Receivable]
    on: date
    at: datetime
    policy: ContactPolicy


def with_evidence(indicators: Iterable[Indicator], ground: Ground) -> list[Indicator]:
    """The indicators with the newest events that each rests on, and how many there are."""
    found = []
    for one in indicators:
        evidence = _EVIDENCE[one.name](ground, one.subject or "")
        found.append(one._replace(events=evidence.events, event_count=evidence.count))
    return found


def _made(ground: Ground, chosen: Callable[[Purchase], bool]) -> Evidence:
    return newest_first((one.day, one.event_id) for one in ground.purchases if chosen(one))


def _owed(ground: Ground, currency: str, chosen: Callable[[Receivable], bool]) -> Evidence:
    named = (one for one in ground.invoices if one.currency == currency and chosen(one))
    return newest_first((one.issued_on, one.event_id) for one in named)


def _recent(ground: Ground, currency: str) -> Evidence:
    since = ground.on - 2 * TREND_WINDOW
    return _made(ground, lambda one: one.currency == currency and one.day > since)


def _contacts(ground: Ground, channel: str) -> Evidence:
    named = (one for one in ground.facts.contacts if one.channel == channel and one.day <= ground.on)
    return newest_first((one.occurred_at, one.event_id) for one in named)


def _complaints(ground: Ground, *, still: bool) -> Evidence:
    cases = (case for case in ground.facts.cases if case.kind == TicketKind.COMPLAINT and (case.open or not still))
    return newest_first((case.opened_at, case.event_id) for case in cases)


def _served(ground: Ground, field: str) -> Evidence:
    asked = last_asked(ground.facts.cases, ground.at)
    return newest_first((case.opened_at, case.event_id) for case in asked if getattr(case, field) is not None)


def _satisfaction(ground: Ground, survey: str) -> Evidence:
    given = [answer for answer in ground.facts.answers if answer.occurred_at <= ground.at]
    return newest_first((one.occurred_at, one.event_id) for one in last_answers(given, survey, ground.policy.answers))


def _tenure(ground: Ground) -> Evidence:
    known: list[tuple[date, UUID]] = [(one.day, one.event_id) for one in ground.purchases]
    known += [(one.day, one.event_id) for one in ground.facts.contacts if one.day <= ground.on]
    return Evidence((min(known)[1],), 1) if known else NO_EVIDENCE


def _label(ground: Ground, name: str) -> Evidence:
    stated = ground.facts.attributes.get(name)
    return NO_EVIDENCE if stated is None else Evidence((stated.event_id,), 1)


def _wallets(ground: Ground, *, sales: bool) -> Evidence:
    wallets = wallets_in_force(ground.facts.wallets, ground.on)
    stated: list[tuple[Any, UUID]] = [(one.from_day, one.event_id) for one in wallets.values()]
    if sales:
        since = ground.on - SHARE_WINDOW
        sold = (one for one in ground.purchases if one.day > since and not one.categories.isdisjoint(wallets))
        stated += [(one.day, one.event_id) for one in sold]
    return newest_first(stated)


_EVIDENCE: Final[Mapping[str, Callable[[Ground, str], Evidence]]] = {
    **dict.fromkeys(
        ("orders", "recency_days", "interval_mean_days", "interval_variation"),
        lambda ground, _: _made(ground, lambda one: True),
    ),
    "average_order_value": lambda ground, currency: _made(ground, lambda one: one.currency == currency),
    "trend": _recent,
    "discount_depth": lambda ground, currency: _made(
        ground, lambda one: one.currency == currency and bool(one.list_price)
    ),
    **dict.fromkeys(
        ("days_sales_outstanding", "late_ratio", "credit_cost"),
        lambda ground, currency: _owed(ground, currency, lambda one: True),
    ),
    "days_to_pay": lambda ground, currency: _owed(ground, currency, lambda one: bool(one.settled)),
    **dict.fromkeys(
        ("overdue_ratio", "exposure"), lambda ground, currency: _owed(ground, currency, lambda one: one.open > 0)
    ),
    "decayed_contacts": _contacts,
    "complaints": lambda ground, _: _complaints(ground, still=False),
    "complaints_open": lambda ground, _: _complaints(ground, still=True),
    "response_seconds": lambda ground, _: _served(ground, "responded_at"),
    "resolution_seconds": lambda ground, _: _served(ground, "resolved_at"),
    "satisfaction": _satisfaction,
    "tenure_days": lambda ground, _: _tenure(ground),
    **{name: lambda ground, _, name=name: _label(ground, name) for name in LABELS},  # type: ignore[misc]
    "share_of_wallet": lambda ground, _: _wallets(ground, sales=True),
    "single_sourced": lambda ground, _: _wallets(ground, sales=False),
}
"""By the name of an indicator."""
