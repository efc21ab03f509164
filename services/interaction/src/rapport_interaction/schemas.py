"""What the interaction service's API takes and answers."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from rapport_interaction.domain.attribution import MAX_ENTRIES
from rapport_interaction.domain.patches import MAX_OPERATIONS
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.interaction import DismissalReason, QuarantineReason

QuarantineState = Literal["open", "mended", "dismissed"]
Name = Annotated[str, Field(max_length=100)]
JsonPatch = Annotated[
    list[dict[str, Any]],
    Field(
        max_length=MAX_OPERATIONS,
        description="A JSON Patch (RFC 6902) of the touchpoint. It may not change the touchpoint's `id`.",
        json_schema_extra={"example": [{"op": "replace", "path": "/unit", "value": "cn/east/shanghai"}]},
    ),
]
DryRun = Annotated[bool, Field(description="Only say what would come of it.")]


class RetractionRequest(BaseModel):
    """Why a recording no longer counts."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "reported_in_error"}})

    reason: Literal["wrong_attribution", "reported_in_error"]


class Retracted(BaseModel):
    """A touchpoint that no longer counts."""

    touchpoint_id: UUID
    state: Literal["retracted"]


class QuarantinedTouchpoint(BaseModel):
    """A touchpoint in quarantine. Kind, channel and source are as it says, where that can be read."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    reason: str
    errors: list[QuarantineReason]
    conflict_of: UUID | None
    kind: str | None
    channel: str | None
    source: str | None
    received_at: ShownInstant
    state: QuarantineState
    settled_at: ShownInstant | None
    dismissal: DismissalReason | None


class QuarantinePage(BaseModel):
    """A page of the quarantine, the latest first."""

    quarantined: list[QuarantinedTouchpoint]
    next_cursor: str | None


class QuarantineEntry(QuarantinedTouchpoint):
    """A touchpoint in quarantine, with its body for those who may see bodies, as long as that is kept."""

    body_kept: bool = Field(description="Whether the body is kept still: for thirty days.")
    body: Any = Field(default=None, description="The body, if it is JSON; only with the scope `quarantine:bodies`.")
    body_text: str | None = Field(default=None, description="The body that is no JSON; with the same scope.")


class ReplayRequest(BaseModel):
    """Records a quarantined touchpoint as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"dry_run": True}})

    dry_run: DryRun = False


class FixRequest(BaseModel):
    """Records a quarantined touchpoint after a patch."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"patch": [{"op": "replace", "path": "/unit", "value": "cn/east/shanghai"}], "dry_run": True}
        },
    )

    patch: Annotated[JsonPatch, Field(min_length=1)]
    dry_run: DryRun = False


class Mending(BaseModel):
    """What came of mending one. A dry run leaves `state`, and says in `would_record` whether nothing is wrong."""

    quarantine_id: UUID
    touchpoint_id: UUID = Field(description="The id that it is recorded under.")
    state: QuarantineState
    would_record: bool | None = Field(default=None, description="Of a dry run.")
    errors: list[QuarantineReason] = Field(default=[], description="What is still wrong, by pointers into it.")
    interaction_id: UUID | None = None
    profile_id: UUID | None = Field(default=None, description="Whose it is; null for an anonymous one.")


class ReplayManyRequest(BaseModel):
    """Records all open quarantined touchpoints of a rule, a batch at a time, each as it is or after one patch."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"reason": "unknown_unit", "source": "erp-east", "from": "2026-03-01T00:00:00Z", "dry_run": True}
        },
    )

    reason: Name | None = None
    kind: Name | None = None
    channel: Name | None = None
    source: Name | None = Field(default=None, description="`source.system` of the touchpoint.")
    from_: AwareDatetime | None = Field(default=None, alias="from", description="Received then, or later.")
    to: AwareDatetime | None = Field(default=None, description="Received before.")
    patch: JsonPatch = []
    dry_run: DryRun = False
    cursor: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="`next_cursor` of the batch before."
    )
    limit: Annotated[int, Field(ge=1, le=200, description="Touchpoints of a batch.")] = 100


class StillWrong(BaseModel):
    """A touchpoint that a replay could not record, and why."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    errors: list[QuarantineReason]


class Replayed(BaseModel):
    """What came of one batch. Go on with `next_cursor` until it is null; a repeated batch records nothing twice."""

    matching: int = Field(description="Open touchpoints of the rule from the cursor on, before this batch.")
    examined: int
    recorded: int = Field(description="How many were recorded; in a dry run, how many would be.")
    wrong: list[StillWrong]
    next_cursor: str | None


class DismissalRequest(BaseModel):
    """Why a quarantined touchpoint will not be recorded."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "duplicate"}})

    reason: DismissalReason


class Dismissed(BaseModel):
    """A quarantined touchpoint that will not be recorded."""

    quarantine_id: UUID
    state: Literal["dismissed"]


class AnonymousEntry(BaseModel):
    """A touchpoint that nobody is known to be behind."""

    interaction_id: UUID
    touchpoint_id: UUID
    kind: str
    channel: str
    unit: str | None
    occurred_at: ShownInstant
    touchpoint: dict[str, Any] | None = Field(
        default=None, description="What it says; only with the scope `interactions:bodies`."
    )


class AnonymousPage(BaseModel):
    """A page of anonymous interactions, the latest first."""

    interactions: list[AnonymousEntry]
    next_cursor: str | None


class AttributionRequest(BaseModel):
    """Whose an interaction is: a customer or one of its profiles; all entries, or those named."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"customer_id": "0198f3a2-0000-7000-8000-000000000001"}}
    )

    customer_id: UUID | None = None
    profile_id: UUID | None = None
    touchpoint_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_ENTRIES)] | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.customer_id is None) == (self.profile_id is None):
            raise ValueError("one of customer_id and profile_id is required")
        return self

    @property
    def holder(self) -> UUID:
        """The profile that is meant: what is addressed to a customer goes to the profile of the same id."""
        holder = self.profile_id or self.customer_id
        assert holder is not None
        return holder


class AttributedInteraction(BaseModel):
    """Where the entries are recorded now."""

    profile_id: UUID
    interaction_ids: list[UUID]
    touchpoint_ids: list[UUID]
    changed: bool
