"""The routes of relations between customers and of hand-overs between owners."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from rapport_customer import queries
from rapport_customer.api.answers import profile_answer
from rapport_customer.api.visibility import visible
from rapport_customer.commands.hand_overs import BeginHandOver, begin
from rapport_customer.commands.relations import Relate
from rapport_customer.schemas.owners import HandOverProgress, HandOverRequest
from rapport_customer.schemas.records import Written
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner, check_precondition
from rapport_shared.web.routing import GUARDED, scoped

Writer = Annotated[Caller, scoped("customers:write")]
RelationType = Annotated[
    str,
    Path(max_length=100, pattern="^[a-z][a-z0-9_]*$", description="`employee_of`, `member_of`, `referred_by`, …"),
]
OwnerName = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Target = Annotated[UUID, Path(description="The profile that the relation leads to.")]


def relations(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Relations between customers by hand."""
    prefix = "/v1/customers/{customer_id}/relations"
    routes = APIRouter(prefix=prefix, tags=["relations"], dependencies=[visible(database)])

    @routes.put("/{type}/{to}", response_model=Written, dependencies=[GUARDED])
    async def state(customer_id: UUID, type: RelationType, to: Target, request: Request, caller: Writer) -> Response:
        """States that the customer is related to another. A relation that was ended is in force again."""
        relate = Relate(customer_id, type, to, clock, partial(check_precondition, request))
        return await runner.run(request, caller, profile_answer(relate.state))

    @routes.delete("/{type}/{to}", response_model=Written, dependencies=[GUARDED])
    async def end(customer_id: UUID, type: RelationType, to: Target, request: Request, caller: Writer) -> Response:
        """Ends the relation, whichever source states it."""
        relate = Relate(customer_id, type, to, clock, partial(check_precondition, request))
        return await runner.run(request, caller, profile_answer(relate.end))

    return routes


def hand_overs(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Transferring all customers of an owner to another owner."""
    routes = APIRouter(prefix="/v1", tags=["owners"])

    @routes.post("/owners/{owner}/hand-over", status_code=202, response_model=HandOverProgress)
    async def hand_over(owner: OwnerName, body: HandOverRequest, request: Request, caller: Writer) -> Response:
        """Begins to hand over all customers of an owner. A hand-over that is under way continues."""
        command = BeginHandOver(owner, body.to, body.unit, body.reason, body.dry_run)

        async def work(connection: Connection) -> Answer:
            begun = await begin(connection, command, caller, clock)
            shown = queries.progress(begun.hand_over, begun.remaining).model_dump(mode="json")
            headers = {} if begun.hand_over.ended_at else {"Location": f"/v1/hand-overs/{begun.hand_over.hand_over_id}"}
            return Answer(202, shown | {"remaining": begun.remaining}, headers=headers)

        return await runner.run(request, caller, work)

    @routes.get("/hand-overs/{hand_over_id}")
    async def progress(hand_over_id: UUID, caller: Writer) -> HandOverProgress:
        """The progress of a hand-over."""
        return await queries.hand_over(database, hand_over_id)

    return routes
