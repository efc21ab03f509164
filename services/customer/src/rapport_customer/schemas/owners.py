"""Hand-overs from one owner to another."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from rapport_customer.schemas.texts import Text
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.web.requests import Request


class HandOverRequest(Request):
    """To whom all that a person looks after goes, or what of a unit; with `dry_run` it is only told how much it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": "agent-18", "dry_run": True}})

    to: Text
    unit: UnitPath | None = None
    reason: Text | None = None
    dry_run: bool = False


class HandOverProgress(BaseModel):
    """How far a hand-over is: profiles that went to their new owner, and those that are still to go."""

    hand_over_id: UUID
    owner: str
    to: str
    unit: str | None
    state: Literal["running", "done"]
    handed: int
    remaining: int
    begun_at: ShownInstant
    ended_at: ShownInstant | None
