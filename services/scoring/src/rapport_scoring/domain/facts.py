"""What is known of a customer besides commerce documents: contacts, answers, cases, wallets, assets, attributes.

Each is a fact of one event at one profile; a customer has those of its profiles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from uuid import UUID

from rapport_shared.contracts.touchpoints.fields import Money

Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Contact:
    """A conversation with the customer, as the event that ended it tells. `day` is that of its unit.

    `seconds` is what it kept the firm's people busy: talk, hold and wrap. `cost` stands where the channel stated it.
    """

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    day: date
    kind: str
    channel: str
    direction: Direction | None
    seconds: int
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a survey. What `score` means is the survey's."""

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    survey: str
    score: int


@dataclass(frozen=True, slots=True)
class Case:
    """A ticket as the highest of its events tells."""

    ticket_id: UUID
    event_id: UUID
    profile_id: UUID
    kind: str
    state: str
    open: bool
    opened_at: datetime
    responded_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class WalletStatement:
    """What the customer spends on a category each month, with whomever, from a day on, until a day (inclusive).

    `rivals` are competitors and what they have of it each month, in the wallet's currency.
    """

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    category: str
    from_day: date
    until: date | None
    amount: int
    currency: str
    basis: Literal["declared", "observed", "estimated"]
    single_source: bool
    rivals: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """An asset was delivered to, serviced for, or handed to the customer. `cost_to_us` is service that we bore."""

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    asset: str
    happened: Literal["delivered", "serviced", "transferred"]
    type: str | None
    model: str | None
    mileage: int | None
    day: date
    cost_to_us: Money | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the customer as it stands, and the event that stated it."""

    value: str
    occurred_at: datetime
    event_id: UUID


Attributes = Mapping[str, Attribute]
"""By name: those of `ATTRIBUTES`; what nobody stated is missing."""

ATTRIBUTES: Final = ("kind", "industry", "size", "region", "language")
