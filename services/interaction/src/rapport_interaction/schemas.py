"""What the interaction service's API takes and answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rapport_shared.contracts.interaction import QuarantineReason


class RetractionRequest(BaseModel):
    """Why a recording no longer counts."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "reported_in_error"}})

    reason: Literal["wrong_attribution", "reported_in_error"]


class Retracted(BaseModel):
    """A touchpoint that no longer counts."""

    touchpoint_id: UUID
    state: Literal["retracted"]


class QuarantinedTouchpoint(BaseModel):
    """A touchpoint in quarantine; its body is not shown, for it may be anything."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    reason: str
    errors: list[QuarantineReason]
    conflict_of: UUID | None
    received_at: datetime


class QuarantinePage(BaseModel):
    """A page of the quarantine, the latest first."""

    quarantined: list[QuarantinedTouchpoint]
    next_cursor: str | None
