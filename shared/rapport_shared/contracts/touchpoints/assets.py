"""Assets: what the customer has of the firm, and what was done to it."""

from typing import Annotated, Literal

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii
from rapport_shared.contracts.touchpoints.envelope import TouchpointEnvelope
from rapport_shared.contracts.touchpoints.fields import Code, Line, Money, Number


class Asset(Contract):
    """An asset by its serial number (a vehicle's VIN) or plate; one of them is required."""

    serial: Pii[Code] | None = None
    plate: Pii[Code] | None = None
    type: Code | None = None
    model: Code | None = None


class ServicedAsset(Asset):
    """An asset and the work order that was carried out; `borne_by` is who pays for it."""

    work_order: Number
    mileage: Annotated[int, Field(strict=True, ge=0, le=100_000_000)] | None = None
    work: Annotated[tuple[Line, ...], Field(max_length=200)] = ()
    parts: Annotated[tuple[Line, ...], Field(max_length=500)] = ()
    cost: Money | None = None
    borne_by: Literal["us", "customer", "third"] | None = None


class AssetDelivered(TouchpointEnvelope):
    """The customer holds the asset from now on."""

    kind: Literal["asset.delivered"]
    data: Asset


class AssetServiced(TouchpointEnvelope):
    """A work order at the asset was carried out."""

    kind: Literal["asset.serviced"]
    data: ServicedAsset


class AssetTransferred(TouchpointEnvelope):
    """The asset changed hands: the touchpoint's customer holds it from now on."""

    kind: Literal["asset.transferred"]
    data: Asset
