"""What a customer may need next: counted, not modelled. Every suggestion states the counts that it rests on."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import zip_longest
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from rapport_scoring.domain.facts import AssetEvent, WalletStatement
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.indicators import wallets_in_force
from rapport_scoring.domain.needs.service_due import ServiceInterval, service_due
from rapport_scoring.domain.rates import Rates
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.touchpoints.fields import Code


class SuggestionPolicy(BaseModel):
    """When something is suggested.

    `lift`: peers bought it that many times as often as everybody, and at least `peers` of them did. `services`: the
    interval of each type of asset; one is suggested from `ahead_days` before it is due. `history_days`: how far
    apart readings of mileage must be to be extrapolated.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=20)] = 3
    lift: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=6, allow_inf_nan=False)] = Decimal(2)
    peers: Annotated[int, Field(ge=1, le=10**9)] = 30
    services: Annotated[Mapping[Code, ServiceInterval], Field(max_length=1000)] = Field(
        default_factory=lambda: {"vehicle": ServiceInterval(months=12, mileage=15_000)}
    )
    ahead_days: Annotated[int, Field(ge=0, le=3650)] = 30
    history_days: Annotated[int, Field(ge=1, le=3650)] = 30


class Need(StrEnum):
    """Why something is suggested."""

    SERVICE = "service"
    """An asset is due for service."""
    RIVAL = "rival"
    """A category of the customer's wallet is bought of a rival."""
    PEERS = "peers"
    """Peers of the customer's segment buy it, and the customer does not."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A need: an asset, category or SKU, the figures it rests on by name, and its events, newest first.

    `name` is what people call an asset: its model, or its type where no model was stated. A category or SKU is its own.
    """

    need: Need
    subject: str
    figures: tuple[tuple[str, int | str], ...]
    events: tuple[UUID, ...] = ()
    due_on: date | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class PeerBaskets:
    """How many customers bought each category or SKU: in a group of peers, and overall (the group included)."""

    customers: int
    bought: Mapping[str, int]
    customers_overall: int
    bought_overall: Mapping[str, int]


def suggestions(
    services: Iterable[Suggestion], rivals: Iterable[Suggestion], peers: Iterable[Suggestion], policy: SuggestionPolicy
) -> tuple[Suggestion, ...]:
    """The first of each kind, then the second of each, and so on, up to the policy's limit."""
    rounds = zip_longest(services, rivals, peers)
    return tuple(each for round_ in rounds for each in round_ if each is not None)[: policy.limit]


def service_suggestions(assets: Iterable[AssetEvent], on: date, policy: SuggestionPolicy) -> list[Suggestion]:
    """Assets that are due for service on a day or soon after, the earliest due first.

    `assets` are the events of those that the customer has; a type without an interval is never due.
    """
    by_asset: dict[str, list[AssetEvent]] = {}
    for event in assets:
        if event.day <= on:
            by_asset.setdefault(event.asset, []).append(event)
    found = []
    for asset, events in sorted(by_asset.items()):
        type_ = _newest(events, lambda event: event.type)
        interval = policy.services.get(type_ or "")
        due = service_due(asset, events, interval, policy.history_days) if interval else None
        if due is not None and due.due_on <= on + timedelta(days=policy.ahead_days):
            figures: list[tuple[str, int | str]] = [("by", due.by), ("days_since_service", (on - due.since).days)]
            figures += [("last_mileage", due.last_mileage)] if due.last_mileage is not None else []
            name = _newest(events, lambda event: event.model) or type_
            found.append(Suggestion(Need.SERVICE, asset, tuple(figures), due.events, due.due_on, name))
    return sorted(found, key=lambda each: (each.due_on or date.max, each.subject))


def rival_suggestions(wallets: Iterable[WalletStatement], rates: Rates, on: date) -> list[Suggestion]:
    """Categories of which rivals have something on a day, the most first; those without a rate come last, by name."""
    found: list[tuple[tuple[bool, Fraction, str], Suggestion]] = []
    for category, wallet in wallets_in_force(wallets, on).items():
        held = sum(amount for _, amount in wallet.rivals)
        if held > 0:
            worth = rates.exact([Amount(amount=held, currency=wallet.currency)], on)
            known = worth if isinstance(worth, Fraction) else None
            figures = (("rivals", held), ("wallet", wallet.amount), ("currency", wallet.currency))
            order = (known is None, -(known or Fraction(0)), category)
            found.append((order, Suggestion(Need.RIVAL, category, figures, (wallet.event_id,))))
    return [suggestion for _, suggestion in sorted(found, key=lambda each: each[0])]


def peer_suggestions(baskets: PeerBaskets, own: Collection[str], policy: SuggestionPolicy) -> list[Suggestion]:
    """What peers bought that the customer did not, the highest lift first, then the most bought, then by name."""
    found = []
    for subject, count in baskets.bought.items():
        times = lift(baskets, subject)
        if subject not in own and count >= policy.peers and times is not None and times >= Fraction(policy.lift):
            found.append((-times, -count, subject))
    return [
        Suggestion(Need.PEERS, subject, _counts(baskets, subject, -negative)) for negative, _, subject in sorted(found)
    ]


def lift(baskets: PeerBaskets, subject: str) -> Fraction | None:
    """The share of peers who bought it ÷ the share of all customers who did; None where a count is missing."""
    overall = baskets.bought_overall.get(subject, 0)
    if overall <= 0 or baskets.customers <= 0:
        return None
    return Fraction(baskets.bought.get(subject, 0) * baskets.customers_overall, baskets.customers * overall)


def _counts(baskets: PeerBaskets, subject: str, times: Fraction) -> tuple[tuple[str, int | str], ...]:
    return (
        ("lift", decimal_text(times)),
        ("peers_who_bought", baskets.bought[subject]),
        ("peers", baskets.customers),
        ("customers_who_bought", baskets.bought_overall[subject]),
        ("customers", baskets.customers_overall),
    )


def _newest(events: Iterable[AssetEvent], of: Callable[[AssetEvent], str | None]) -> str | None:
    """What the newest event that states it says of an asset."""
    stated = [(each.day, each.occurred_at, each.event_id, text) for each in events if (text := of(each)) is not None]
    return max(stated)[-1] if stated else None
