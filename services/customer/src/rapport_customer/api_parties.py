"""The routes by which people of the firm say who belongs to whom."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from rapport_customer.commands.relations import Relate
from rapport_customer.schemas import Written
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.web.commands import CommandRunner, check_precondition
from rapport_shared.web.routing import scoped

Writer = Annotated[Caller, scoped("customers:write")]
RelationType = Annotated[
    str,
    Path(max_length=100, pattern="^[a-z][a-z0-9_]*$", description="`employee_of`, `member_of`, `referred_by`, …"),
]
Target = Annotated[UUID, Path(description="The profile that the relation leads to.")]


def relations(runner: CommandRunner, clock: Clock) -> APIRouter:
    """Relations between customers by hand."""
    routes = APIRouter(prefix="/v1/customers/{customer_id}/relations", tags=["relations"])

    @routes.put("/{type}/{to}", response_model=Written)
    async def state(customer_id: UUID, type: RelationType, to: Target, request: Request, caller: Writer) -> Response:
        """States that the customer is related to another; one that was ended stands again."""
        relate = Relate(customer_id, type, to, clock, partial(check_precondition, request))
        return await runner.run(request, caller, relate.state)

    @routes.delete("/{type}/{to}", response_model=Written)
    async def end(customer_id: UUID, type: RelationType, to: Target, request: Request, caller: Writer) -> Response:
        """Says that there is no such relation, whoever states it."""
        relate = Relate(customer_id, type, to, clock, partial(check_precondition, request))
        return await runner.run(request, caller, relate.end)

    return routes
