"""Records by hand: what the API takes and answers."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rapport_customer.schemas.texts import Text
from rapport_shared.contracts.touchpoints.envelope import Identifier
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.contracts.touchpoints.profile import Profile
from rapport_shared.web.requests import Attributes, Request


class IdentifierRequest(Identifier):
    """An identifier, as in a touchpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """The new owner of the customer; null for nobody. With `hand_over`, open work goes to the new owner too."""

    owner: Text | None
    reason: Text | None = None
    hand_over: bool = False


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


class AssetHolder(BaseModel):
    """The profile that holds the asset now."""

    profile_id: UUID
    asset_id: UUID
