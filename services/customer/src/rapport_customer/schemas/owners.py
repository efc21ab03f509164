"""Hand-overs from one owner to another."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rapport_customer.schemas.texts import Text
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.web.requests import Request


class HandOverRequest(Request):
    """Transfers an owner's customers, optionally limited to one unit. With `dry_run`, only counts the profiles."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": "agent-18", "dry_run": True}})

    to: Text
    unit: UnitPath | None = None
    reason: Text | None = None
    dry_run: bool = False


class HandOverProgress(BaseModel):
    """The progress of a hand-over: profiles that were transferred, and profiles that remain."""

    hand_over_id: UUID
    owner: str
    to: str
    unit: str | None
    state: Literal["running", "done"]
    handed: int
    remaining: int
    begun_at: ShownInstant
    ended_at: ShownInstant | None
