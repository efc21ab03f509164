"""The routes of hand-overs: what one would carry, beginning it at its owner, and what those of a customer carried."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rapport_gateway.access.audience import Audience, carried_of
from rapport_gateway.owners.client import Owners
from rapport_gateway.reads import hand_overs
from rapport_gateway.reads.customers import Views
from rapport_shared.callers import Caller
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.units import lies_in
from rapport_shared.web.answers import MOVED, Responses
from rapport_shared.web.application import json_response, moved_response
from rapport_shared.web.routing import scoped

Reader = Annotated[Caller, scoped("customers:read")]
Writer = Annotated[Caller, scoped("customers:write")]
Person = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$", description="The owner who leaves.")]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


_BEGUN: Responses = {
    202: {
        "description": "The hand-over has begun: its progress is at `GET /v1/hand-overs/{hand_over_id}`.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/HandOverProgress"}}},
    }
}


class HandOverAsked(BaseModel):
    """Transfers an owner's customers, optionally limited to one unit. With `dry_run`, only counts the profiles."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": "agent-18", "dry_run": True}})

    to: Word
    unit: UnitPath | None = None
    reason: Word | None = None
    dry_run: bool = False


class Carried(BaseModel):
    """The transferred work: the former owner's tickets, promises to the customers, and the customers' value."""

    open_tickets: int
    open_promises: int
    value: list[Amount] | None


class WouldCarry(Carried):
    """What a hand-over would transfer, according to the view."""

    owner: str
    to: str
    dry_run: bool = True
    customers: int


class HandedOver(BaseModel):
    """A change of the owner, and what there was of the customer then; `handed_over` where open work went along."""

    hand_over_id: UUID
    former_owner: str | None
    owner: str | None
    handed_over: bool
    reason: str | None
    decided_by: str | None
    at: ShownInstant
    carried: Carried


class HandOverList(BaseModel):
    """The changes of a customer's owner, the latest first."""

    hand_overs: list[HandedOver]


def router(views: Views, audience: Audience, owners: Owners) -> APIRouter:
    """Hand-overs."""
    routes = APIRouter(prefix="/v1", tags=["owners"])

    @routes.post("/owners/{owner}/hand-over", response_model=WouldCarry, responses=_BEGUN)
    async def hand_over(owner: Person, body: HandOverAsked, request: Request, caller: Writer) -> Response:
        """Hands over all that a person looks after, in batches (202 and the progress), or says how much it would be."""
        if not body.dry_run:
            return await owners.pass_on("customer", request, caller)
        unit = body.unit or caller.unit or ""
        if not lies_in(unit, caller.unit):
            place = FieldProblem(
                "/unit", "unknown_unit", "The unit does not exist, or the caller does not belong to it."
            )
            raise Problem(VALIDATION, "The unit is not known.", errors=[place])
        carried = await hand_overs.of_owner(views, owner, unit)
        return json_response({"owner": owner, "to": body.to, "dry_run": True, **carried_of(caller, carried)})

    @routes.get("/customers/{customer_id}/hand-overs", response_model=HandOverList, responses=MOVED)
    async def of_customer(customer_id: UUID, request: Request, caller: Reader) -> Response:
        """The changes of a customer's owner, with time and transferred work; 307 for a merged customer."""
        view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, view.moved_to, "/hand-overs")
        lines = await hand_overs.of_customer(views, customer_id)
        shown = [{**line, "carried": carried_of(caller, line["carried"])} for line in lines]
        return json_response({"hand_overs": shown})

    return routes
