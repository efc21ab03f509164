"""Merges: requests, previews and results."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.survivorship import Rule
from rapport_shared.web.requests import Request


class MergeRequest(Request):
    """Customers to join into a profile of another customer. With `dry_run`, the merge is only previewed."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "into": "0199c2f0-0000-7000-8000-000000000001",
                "from": ["0199c2f0-0000-7000-8000-000000000002"],
                "dry_run": True,
            }
        },
    )

    into: UUID
    from_: Annotated[tuple[UUID, ...], Field(alias="from", min_length=1, max_length=50)]
    dry_run: bool = False

    @field_validator("from_")
    @classmethod
    def _once(cls, customers: tuple[UUID, ...]) -> tuple[UUID, ...]:
        if len(set(customers)) != len(customers):
            raise ValueError("names a customer twice")
        return customers


class Party(BaseModel):
    """A profile and the customer that it belongs to."""

    customer_id: UUID
    profile_id: UUID


class FieldStatement(BaseModel):
    """What a source states of a field."""

    value: Any
    source: str
    occurred_at: ShownInstant
    profile_id: UUID


class SurvivingField(FieldStatement):
    """The winning statement of a field, the rule that decided, and the other statements."""

    field: str
    rule: Rule
    losers: list[FieldStatement]


class PartMoved(BaseModel):
    """What a customer brings into the merged one."""

    customer_id: UUID
    profiles: int
    identifiers: int
    consents: int
    relations: int


class MergeConflict(BaseModel):
    """A place in which the records contradict each other."""

    field: str
    code: str
    channel: str | None = None
    values: list[Any]


class MergeMade(BaseModel):
    """One join of a merge, by whose id it is undone; a view that holds `event_id` shows it."""

    merge_id: UUID
    event_id: UUID
    from_: Annotated[UUID, Field(alias="from")]
    profiles: list[UUID]


class Merged(BaseModel):
    """The record of the merged customer, the moves and the conflicts; a dry run has no `merges`."""

    into: Party
    dry_run: bool
    fields: list[SurvivingField]
    moves: list[PartMoved]
    conflicts: list[MergeConflict]
    merges: list[MergeMade] | None = None


class Unmerged(BaseModel):
    """The merge that was undone: `from` is a customer of its own again in a view that holds `event_id`."""

    merge_id: UUID
    event_id: UUID
    from_: Annotated[UUID, Field(alias="from")]
    into: Party
    undone: bool


class Merge(BaseModel):
    """A join that a customer's profiles are or were part of. `event_id` is the last event of it."""

    merge_id: UUID
    event_id: UUID
    from_: Annotated[UUID, Field(alias="from")]
    into_profile: UUID
    reason: str
    decided_by: str | None
    made_at: ShownInstant
    undone: bool
    undone_by: str | None
    undone_at: ShownInstant | None


class MergeList(BaseModel):
    """The joins of a customer, the latest first."""

    merges: list[Merge]
