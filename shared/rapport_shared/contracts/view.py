"""The sections of the unified view: what the gateway answers of a customer, and publishes as its present state.

A section is missing where it was not asked for, or where the caller may not read it.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import CommerceFigures, StageState, TierState
from rapport_shared.contracts.ticket import TicketOrigin
from rapport_shared.contracts.view_identity import IdentitySection


class ViewService(Contract):
    """The last work order at an asset."""

    work_order: str
    occurred_at: datetime
    mileage: int | None


class ViewAsset(Contract):
    """An asset that the customer holds."""

    asset_id: UUID
    type: str | None
    model: str | None
    serial: str | None
    plate: str | None
    held_since: datetime
    services: int
    last_service_at: datetime | None
    last_service: ViewService | None
    attributes: dict[str, Any]


class ViewContact(Contract):
    """The latest entry of an interaction. What was not reported is missing."""

    interaction_id: UUID
    event_id: UUID
    occurred_at: datetime
    channel: str
    kind: str
    agent: str | None = None
    direction: str | None = None
    outcome: str | None = None
    subject: str | None = None
    text: str | None = None


class InteractionsSection(Contract):
    """Contacts: how many, by which channel, the first and the last instant, the latest five."""

    count: int
    by_channel: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None
    last: list[ViewContact]


class ViewPromise(Contract):
    """A promise that was made to the customer."""

    id: UUID
    text: str
    due_at: datetime
    made_at: datetime
    state: Literal["open", "kept", "broken", "withdrawn"]


class PromisesSection(Contract):
    """How many promises there are, and the ten that are due first."""

    total: int
    next: list[ViewPromise]


class CommerceSection(CommerceFigures):
    """Orders and money, as scoring states them. `settling` while a merge or an undo is newer than the figures."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    settling: bool


class ViewTicket(Contract):
    """An open ticket; `origin` says why it was opened by itself."""

    ticket_id: UUID
    number: str
    kind: str
    state: str
    open: bool
    subject: str | None
    priority: str
    owner: str | None
    opened_at: datetime
    resolved_at: datetime | None
    attributes: dict[str, Any]
    origin: TicketOrigin | None = None


class TicketsSection(Contract):
    """The ten open tickets that were opened last, and the numbers."""

    open: list[ViewTicket]
    open_total: int
    total: int
    by_kind: dict[str, int]
    complaints_open: int


class ViewContemporary(Contract):
    """Contemporary value per currency, in all and by part; `…_estimated` is the share that a policy estimates."""

    lifetime: list[Amount]
    lifetime_estimated: list[Amount]
    last_90_days: list[Amount]
    last_90_days_estimated: list[Amount]
    lifetime_parts: dict[str, list[Amount]]


class ViewPotential(Contract):
    """What the expected orders of the horizon contribute; null with a `reason`."""

    value: Amount | None
    reason: str | None
    group: str | None
    alive: str | None
    expected_orders: str | None
    order_value: Amount | None
    horizon_months: int | None


class ViewModelValue(Contract):
    """What could be won of the customer's wallet; null with a `reason`."""

    value: Amount | None
    reason: str | None
    wallet_basis: str | None
    share_of_wallet: str | None
    win_rate: str | None


class ViewAlarm(Contract):
    """An alarm that rings, or will at `due_at`."""

    alarm_id: UUID
    kind: str
    state: str
    episode: date
    due_at: datetime


class ViewTrigger(Contract):
    """A reason to act, in force since an instant."""

    name: str
    since: datetime
    effective: bool
    inputs: dict[str, str]


class ViewSuggestion(Contract):
    """Something the customer may need next, with the counts that say so."""

    kind: str
    what: str
    counts: dict[str, str]


class ValueSection(Contract):
    """The customer's value as scoring stated it last. `settling` while a merge or an undo is newer than the value.

    A score that was stated before a figure existed has null in its place.
    """

    settling: bool
    total: Amount | None
    tier: TierState | None
    stage: StageState | None
    valued_on: date | None
    as_of: datetime | None
    lines: int | None
    waiting: int | None
    policy_version: int | None
    tier_policy_version: int | None
    trigger_policy_version: int | None
    parameter_version: int | None
    contemporary: ViewContemporary
    potential: ViewPotential | None
    model: ViewModelValue | None
    alarms: list[ViewAlarm]
    alarms_total: int
    triggers: list[ViewTrigger]
    triggers_total: int
    suggestions: list[ViewSuggestion]
    suggestions_total: int


class QualityCompleteness(Contract):
    """How much of what a record should state is there, and what is missing."""

    score: int
    missing: list[str]


class DoubtfulValue(Contract):
    """A value that no rule reads: an identifier by its key, a field by its source. Never the value."""

    field: str
    code: str
    source: str | None = None
    key: str | None = None


class QualityValidity(Contract):
    """How many of the values can be read, and those that cannot."""

    score: int
    doubtful: list[DoubtfulValue]


class QualityConflict(Contract):
    """How many fields are stated alike, and those that sources contradict each other in."""

    score: int
    fields: list[str]


class QualityDuplication(Contract):
    """How likely the customer is alone, and how many open merge candidates there are."""

    score: int
    candidates: int


class QualityFreshness(Contract):
    """When a source reported last."""

    last_reported_at: datetime | None


class QualityContributor(Contract):
    """A source: how many fields it states, and of how many its statement is shown."""

    source: str
    states: int
    stands: int


class QualitySection(Contract):
    """How far the record can be trusted: a score, what is missing, and the parts of the score."""

    score: int
    gaps: list[str]
    completeness: QualityCompleteness
    validity: QualityValidity
    conflict: QualityConflict
    duplication: QualityDuplication
    freshness: QualityFreshness
    contributors: list[QualityContributor]


SectionName = Literal[
    "identity", "assets", "interactions", "promises", "commerce", "tickets", "value", "segments", "quality"
]


class CustomerSections(Contract):
    """A customer, section by section. `value` is null for a customer without a score that waits for none."""

    identity: IdentitySection | None = None
    assets: list[ViewAsset] | None = None
    interactions: InteractionsSection | None = None
    promises: PromisesSection | None = None
    commerce: CommerceSection | None = None
    tickets: TicketsSection | None = None
    value: ValueSection | None = None
    segments: list[str] | None = Field(default=None, description="The names of the segments that the customer is in.")
    quality: QualitySection | None = None


class CustomerView(CustomerSections):
    """The unified view of a customer.

    `version` grows with every change. `lag_ms` says how long ago the view had read everything. `withheld` names
    sections that the caller may not read; `pending` names sections that do not show the events of `after` yet.
    """

    customer_id: UUID
    version: int
    as_of: datetime
    lag_ms: int | None
    withheld: Annotated[list[SectionName], Field(min_length=1)] | None = None
    pending: Annotated[list[SectionName], Field(min_length=1)] | None = None
