"""What the customer service's API takes and answers."""

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

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
    unit: UnitPath | None = None
    owner: Text | None = None


class RecordEdit(Profile):
    """Fields to state by hand; a field that is null is no longer stated by hand."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"example": {"name": {"display": "王晓明"}}}
    )


class NewAsset(Request):
    """An asset that the customer holds from an instant on."""

    serial: Text | None = None
    plate: Text | None = None
    type: Text | None = None
    model: Text | None = None
    from_at: AwareDatetime | None = None


class ConsentRequest(Request):
    """A consent given or withdrawn."""

    given: bool
    channel: Text | None = None
    wording: Text | None = None


class OwnerRequest(Request):
    """Who of the firm looks after the customer; null for nobody."""

    owner: Text | None


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


class AssetHolder(BaseModel):
    """The profile that holds the asset now."""

    profile_id: UUID


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
