"""What the API answers."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from rapport_shared.contracts.scoring import ContemporaryValue


class DocumentName(BaseModel):
    """What a document is known by."""

    system: str
    family: str
    number: str


class ValueLine(BaseModel):
    """A ledger line: a positive amount is earned, a negative one spent. `event_id` is the fact it rests on."""

    event_id: UUID
    profile_id: UUID
    document: DocumentName
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


class ValueAnswer(BaseModel):
    """A customer's contemporary value, and a page of the lines whose sum it is."""

    customer_id: UUID
    as_of: datetime | None
    scored_at: datetime | None
    sequence: int
    parameter_version: int
    policy_version: int
    profiles: list[UUID]
    contemporary: ContemporaryValue
    line_count: int
    lines: list[ValueLine]
    waiting: list[WaitingDocument]
    waiting_count: int
    next_cursor: str | None
