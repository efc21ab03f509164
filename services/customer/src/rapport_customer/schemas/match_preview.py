"""The customers that records would match."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rapport_customer.schemas.merges import Party
from rapport_customer.schemas.records import IdentifierRequest
from rapport_customer.schemas.texts import Text
from rapport_shared.contracts.touchpoints.profile import Profile
from rapport_shared.web.requests import Request


class DraftSource(Request):
    """Which record of which system a draft is."""

    system: Text
    record: Text | None = None


class Draft(Request):
    """A record that is not reported yet, in the shape of `profile.reported`."""

    source: DraftSource | None = None
    identifiers: Annotated[tuple[IdentifierRequest, ...], Field(max_length=50)] = ()
    data: Profile = Profile()


class MatchRequest(Request):
    """Records to match against existing customers, without storing them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"profiles": [{"data": {"name": {"display": "王小明"}, "birth_date": "1985-03-01"}}]}
        },
    )

    profiles: Annotated[tuple[Draft, ...], Field(max_length=200)]


class MatchReason(BaseModel):
    """Why a record would match a customer."""

    code: str
    text: str
    text_zh: str


class Match(Party):
    """The customer that a record would match; `certain` is false if a person would decide."""

    certain: bool
    probability: float
    reasons: list[MatchReason]


class Matched(BaseModel):
    """The match of each record, in the order of the request; null for a record of a new customer."""

    matches: list[Match | None]
