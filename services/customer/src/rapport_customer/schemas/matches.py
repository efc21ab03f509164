"""Whom records resemble, and what is decided on it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rapport_customer.schemas.merges import Party
from rapport_customer.schemas.records import IdentifierRequest
from rapport_customer.schemas.requests import Request, Text
from rapport_shared.contracts.touchpoints.profile import Profile


class DraftSource(Request):
    """Which record of which system a draft is."""

    system: Text
    record: Text | None = None


class Draft(Request):
    """A record that somebody thinks of reporting, in the shape of `profile.reported`."""

    source: DraftSource | None = None
    identifiers: Annotated[tuple[IdentifierRequest, ...], Field(max_length=50)] = ()
    data: Profile = Profile()


class MatchRequest(Request):
    """Records of which to know whom they would meet."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"profiles": [{"data": {"name": {"display": "王小明"}, "birth_date": "1985-03-01"}}]}
        },
    )

    profiles: Annotated[tuple[Draft, ...], Field(max_length=200)]


class CandidateDecision(Request):
    """What somebody decides on a merge candidate; one put off is shown again at `due_at`, by default in 30 days."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"decision": "never"}})

    decision: Literal["merge", "never", "later"]
    due_at: AwareDatetime | None = None


class MatchReason(BaseModel):
    """Why a record would meet a customer."""

    code: str
    text: str
    text_zh: str


class Match(Party):
    """The customer that a record would meet; `certain` is false where a person would decide."""

    certain: bool
    probability: float
    reasons: list[MatchReason]


class Matched(BaseModel):
    """Whom each record would meet, in the order of the request; null for one that would be new."""

    matches: list[Match | None]


class CandidateSide(Party):
    """One side of a merge candidate: the record of its profile."""

    record: dict[str, Any]


class Reason(BaseModel):
    """What one field says of the two, in words; `weight` is in bits, for a merge if positive."""

    field: str
    level: str
    weight: float | None
    text: str
    text_zh: str


class Candidate(BaseModel):
    """Two profiles that may be one party, side by side."""

    candidate_id: UUID
    state: str
    cause: str
    probability: float | None
    reasons: list[Reason]
    sides: list[CandidateSide]


class CandidatePage(BaseModel):
    """Candidates that wait for a decision, the most probable first."""

    candidates: list[Candidate]
    next_cursor: str | None


class Decided(BaseModel):
    """The decision that was taken; of a merge, the customer that stays and the id by which to undo it."""

    candidate_id: UUID
    decision: str
    customer_id: UUID | None = None
    merge_id: UUID | None = None
