"""What the API answers."""

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import (
    AlarmState,
    ContemporaryValue,
    ModelValue,
    PotentialValue,
    StageState,
    Suggestion,
    TierState,
    TriggerState,
)


class DocumentName(BaseModel):
    """What a document is known by."""

    system: str
    family: str
    number: str


class ValueLine(BaseModel):
    """A ledger line: a positive amount is earned, a negative one spent. `event_id` is the fact it rests on.

    `document` is what the fact states, null for a contact or work on an asset.
    """

    event_id: UUID
    profile_id: UUID
    document: DocumentName | None
    part: str
    item: str
    amount: int
    currency: str
    estimated: bool
    value_date: date


class WaitingDocument(BaseModel):
    """A document that names another which has not come; it counts when that does."""

    event_id: UUID
    document: DocumentName


class OpenInvoice(BaseModel):
    """What of an invoice is open, by the day it falls due, and what that costs; gross, in minor units."""

    event_id: UUID
    issued_on: date
    currency: str
    gross: int
    open: int
    due: list[tuple[date, int]]
    interest: int
    reserve: int
    loss: int


class OnAccountLine(BaseModel):
    """Money of the customer's that settles no invoice."""

    event_id: UUID
    amount: int
    currency: str


class ValueGap(BaseModel):
    """Documents that contradict each other: what could be counted was."""

    code: str
    event_id: UUID
    message: str


class IndicatorAnswer(BaseModel):
    """A figure of the customer, with the newest of the events that it rests on; without value there is a reason."""

    name: str
    subject: str | None
    kind: str
    value: str | None
    unit: str
    on: date
    events: list[UUID]
    event_count: int
    missing: str | None


class ValueAnswer(BaseModel):
    """A customer's values on a day, what they rest on, and a page of the ledger lines that add up to the first.

    `valued_on` is the day at whose end the customer is valued: the ninety days end with it.
    `known_at` is the moment of which the knowledge is, null for the present.
    """

    customer_id: UUID
    as_of: ShownInstant | None
    valued_on: date
    known_at: ShownInstant | None
    scored_at: ShownInstant | None
    sequence: int
    parameter_version: int
    policy_version: int
    profiles: list[UUID]
    contemporary: ContemporaryValue
    potential: PotentialValue
    model: ModelValue
    total: Amount | None
    tier: TierState
    stage: StageState | None
    indicators: list[IndicatorAnswer]
    alarms: list[AlarmState]
    triggers: list[TriggerState]
    suggestions: list[Suggestion]
    segments: list[str]
    receivables: list[OpenInvoice]
    receivable_count: int
    on_account: list[OnAccountLine]
    gaps: list[ValueGap]
    line_count: int
    lines: list[ValueLine]
    waiting: list[WaitingDocument]
    waiting_count: int
    next_cursor: str | None = Field(description="Of the lines.")


class Explanation(BaseModel):
    """Why a field is what it is: its value, the rule of a version of a policy, and the figures that the rule reads.

    `events` are the newest of `event_count` facts behind it, newest first; `lines` the newest of its ledger lines.
    """

    field: str
    value: Any
    rule: dict[str, Any]
    figures: dict[str, Any]
    events: list[UUID]
    event_count: int
    lines: list[ValueLine]
    valued_on: date
    as_of: ShownInstant | None


class PartitionPosition(BaseModel):
    """The next offset of a partition that scoring reads."""

    topic: str
    partition: int
    position: int


class PositionAnswer(BaseModel):
    """How far scoring has read, and the newest event that it had recorded of a customer by then; 0 where none.

    `deciding` says that decisions about facts of the past follow within seconds.
    """

    sequence: int
    deciding: bool = False
    positions: list[PartitionPosition]
