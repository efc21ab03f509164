"""What the customer service's API takes and answers."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from rapport_shared.contracts.survivorship import Rule
from rapport_shared.contracts.touchpoints.currency import MINOR_DIGITS
from rapport_shared.contracts.touchpoints.envelope import Identifier
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.contracts.touchpoints.profile import Profile

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Request(BaseModel):
    """A request refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class IdentifierRequest(Identifier):
    """An identifier, as in a touchpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Attributes = Annotated[
    dict[str, Any],
    Field(
        max_length=200,
        description="The deployment's own fields, as the policy `fields` declares them.",
        json_schema_extra={"x-personal": True},
    ),
]


class NewCustomer(Profile):
    """A customer recorded by hand, in the shape of `profile.reported`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "example": {
                "kind": "person",
                "name": {"display": "王小明"},
                "identifiers": [{"type": "phone", "value": "138 0013 8000", "region": "CN"}],
                "unit": "cn/east/shanghai",
            }
        },
    )

    id: UUID | None = None
    identifiers: Annotated[tuple[IdentifierRequest, ...], Field(max_length=50)] = ()
    attributes: Attributes = Field(default_factory=dict)
    unit: UnitPath | None = None
    owner: Text | None = None


class RecordEdit(Profile):
    """Fields to state by hand; a field that is null is no longer stated by hand."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"example": {"name": {"display": "王晓明"}}}
    )

    attributes: Attributes = Field(default_factory=dict)


class NewAsset(Request):
    """An asset that the customer holds from an instant on."""

    serial: Text | None = None
    plate: Text | None = None
    type: Text | None = None
    model: Text | None = None
    from_at: AwareDatetime | None = None
    attributes: Attributes = Field(default_factory=dict)


class ConsentRequest(Request):
    """A consent given or withdrawn."""

    given: bool
    channel: Text | None = None
    wording: Text | None = None


class OwnerRequest(Request):
    """Who of the firm looks after the customer; null for nobody. With `hand_over`, open work goes there too."""

    owner: Text | None
    reason: Text | None = None
    hand_over: bool = False


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
    begun_at: AwareDatetime
    ended_at: AwareDatetime | None


class MergeRequest(Request):
    """Customers to join into a profile of another; with `dry_run` nothing is done but told."""

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


class UnitRequest(Request):
    """An organisation unit."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "Shanghai",
                "time_zone": "Asia/Shanghai",
                "currency": "CNY",
                "phone_region": "CN",
            }
        },
    )

    name: Text
    time_zone: Annotated[str, StringConstraints(max_length=64)]
    currency: Annotated[str, StringConstraints(max_length=3)]
    phone_region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    calendar: Text | None = None
    isolated: bool = False
    practice: bool = False

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError("not a time zone") from error
        return name

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, code: str) -> str:
        if code not in MINOR_DIGITS:
            raise ValueError("not a currency")
        return code


class CustomerRecord(BaseModel):
    """A profile's record: each field with what each source states; the customer it belongs to now."""

    profile_id: UUID
    customer_id: UUID
    etag: str
    record: dict[str, Any]


class Written(BaseModel):
    """The profile that a command wrote to, and the customer it belongs to now."""

    profile_id: UUID
    customer_id: UUID


class Party(BaseModel):
    """A profile and the customer that it belongs to."""

    customer_id: UUID
    profile_id: UUID


class FieldStatement(BaseModel):
    """What a source states of a field."""

    value: Any
    source: str
    occurred_at: AwareDatetime
    profile_id: UUID


class SurvivingField(FieldStatement):
    """The statement of a field that stands, the rule that decided, and the statements that do not."""

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
    """The record of the merged customer, what moves, and what contradicts; `merges` is missing of a dry run."""

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
    made_at: AwareDatetime
    undone: bool
    undone_by: str | None
    undone_at: AwareDatetime | None


class Merges(BaseModel):
    """The joins of a customer, the latest first."""

    merges: list[Merge]


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


class AssetHolder(BaseModel):
    """The profile that holds the asset now."""

    profile_id: UUID
    asset_id: UUID


class Unit(BaseModel):
    """An organisation unit."""

    path: str
    name: str
    time_zone: str
    currency: str
    phone_region: str
    calendar: str | None
    isolated: bool
    practice: bool


class UnitPage(BaseModel):
    """Units in the order of their paths."""

    units: list[Unit]
    next_cursor: str | None


class QualityOfSource(BaseModel):
    """The quality of a source's records, shares in percent, null where there was nothing to judge.

    `completeness`: fields filled of those that a good record has; `validity`: values that can be read; `agreement`:
    statements that stand in the record; `freshness`: records reported in the last 90 days; `duplication`: records
    that may be another's too.
    """

    system: str
    unit: str | None
    day: date | None = None
    profiles: int
    completeness: float | None
    validity: float | None
    agreement: float | None
    freshness: float | None
    duplication: float | None


class Quality(BaseModel):
    """The quality of each source in each unit, now."""

    sources: list[QualityOfSource]


class QualityTrend(BaseModel):
    """The quality of one source, day by day."""

    days: list[QualityOfSource]
