"""The routes of assets: one by its id, and those that a serial number or a plate finds."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from rapport_gateway.access.audience import Audience
from rapport_gateway.api.lookup import AssetLookup
from rapport_gateway.projection.store.assets import Register
from rapport_gateway.reads import assets
from rapport_gateway.reads.customers import Views
from rapport_shared.callers import Caller
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.errors import VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.normalisation import identifier_key, normalise_asset_key
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Reader = Annotated[Caller, scoped("customers:read")]
FOUND_SERVICES = 10
"""Services that a looked-up asset is shown with."""


class ShownKey(BaseModel):
    """A present or former key of an asset; a plate that moved has the time of the move."""

    type: str
    value: Any
    from_at: ShownInstant | None = None
    until: ShownInstant | None = None


class Holder(BaseModel):
    """A holding of the asset: the period, and the present customer of the holding profile."""

    profile_id: UUID
    customer_id: UUID
    from_at: ShownInstant
    until: ShownInstant | None


class Service(BaseModel):
    """A work order as it was reported last."""

    work_order: str
    occurred_at: ShownInstant
    event_id: UUID
    mileage: int | None
    work: list[str] | None
    parts: list[str] | None
    cost: dict[str, Any] | None
    borne_by: str | None


class ShownAsset(BaseModel):
    """An asset with its holders over time and a page of its services, newest first."""

    asset_id: UUID
    type: str | None
    model: str | None
    attributes: dict[str, Any]
    keys: list[ShownKey]
    former_keys: list[ShownKey]
    holders: list[Holder]
    services_total: int
    services: list[Service]
    next_cursor: str | None


class AssetsFound(BaseModel):
    """The assets that a key finds."""

    assets: list[ShownAsset]


def router(views: Views, audience: Audience, secret: bytes) -> APIRouter:
    """Reads of assets."""
    routes = APIRouter(prefix="/v1/assets", tags=["assets"])

    async def shown(register: Register, caller: Caller, cursor: str | None, limit: int) -> dict[str, Any] | None:
        """The asset, without holders that the caller may not know of; None where it may know of none of them."""
        customers = await assets.customers_of(views, assets.profiles_of(register))
        seen = await audience.seen(list(set(customers.values())), caller)
        if customers and not seen:
            return None
        asset = await assets.shown(views, register, customers, cursor, limit)
        asset["holders"] = [holder for holder in asset["holders"] if UUID(holder["customer_id"]) in seen]
        return asset

    @routes.get("/{asset_id}", response_model=ShownAsset)
    async def one(asset_id: UUID, caller: Reader, cursor: PageCursor = None, limit: Limit = 50) -> dict[str, Any]:
        """An asset: its keys, its holders over time, its services in pages, newest first."""
        register = await assets.by_id(views, asset_id)
        asset = await shown(register, caller, cursor, limit) if register else None
        if asset is None:
            raise not_found("asset")
        return asset

    @routes.post("/lookup", response_model=AssetsFound)
    async def lookup(body: AssetLookup, caller: Reader) -> dict[str, Any]:
        """The assets that a serial number or a plate finds; neither is ever part of an address."""
        named = (("serial", body.serial), ("plate", body.plate))
        keys = [identifier_key(secret, type_, normalise_asset_key(type_, text).normal) for type_, text in named if text]
        if not keys:
            place = FieldProblem("/serial", "missing", "A serial number or a plate is required.")
            raise Problem(VALIDATION, "There is nothing to look up.", errors=[place])
        registers = await assets.by_keys(views, keys)
        found = [await shown(register, caller, None, FOUND_SERVICES) for register in registers]
        return {"assets": [asset for asset in found if asset is not None]}

    return routes
