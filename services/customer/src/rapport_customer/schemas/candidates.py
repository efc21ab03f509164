"""Merge candidates and decisions on them."""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from rapport_customer.schemas.merges import Party
from rapport_shared.web.requests import Request


class CandidateDecision(Request):
    """A decision on a merge candidate. A postponed one is shown again at `due_at`, by default in 30 days."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"decision": "never"}})

    decision: Literal["merge", "never", "later"]
    due_at: AwareDatetime | None = None


class CandidateSide(Party):
    """One side of a merge candidate: the record of its profile."""

    record: dict[str, Any]


class Reason(BaseModel):
    """The evidence of one field, in words. `weight` is in bits; a positive weight speaks for a merge."""

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
    """The decision; after a merge also the surviving customer and the id that undoes the merge."""

    candidate_id: UUID
    decision: str
    customer_id: UUID | None = None
    merge_id: UUID | None = None
