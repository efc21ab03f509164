"""Organisation units."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from rapport_customer.schemas.texts import Text
from rapport_shared.contracts.touchpoints.currency import MINOR_DIGITS
from rapport_shared.web.requests import Request


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
