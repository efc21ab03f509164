"""The routes of merges, of the review queue and of the match preview."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from rapport_customer import queries
from rapport_customer.api.answers import decision_answer, merge_answer, undo_answer
from rapport_customer.api.visibility import visible
from rapport_customer.commands.candidates import DecideCandidate, decide
from rapport_customer.commands.merges import MergeCustomers, merge, undo_merge
from rapport_customer.match_preview import MatchPreview
from rapport_customer.schemas.candidates import CandidateDecision, CandidatePage, Decided
from rapport_customer.schemas.match_preview import Matched, MatchRequest
from rapport_customer.schemas.merges import Merged, MergeList, MergeRequest, Unmerged
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Reader = Annotated[Caller, scoped("customers:read")]
Merger = Annotated[Caller, scoped("customers:merge")]


def merges(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Joining customers by hand, and undoing it."""
    routes = APIRouter(prefix="/v1", tags=["merges"])

    @routes.post("/merges", status_code=201, response_model=Merged)
    async def merge_customers(body: MergeRequest, request: Request, caller: Merger) -> Response:
        """Joins customers into a profile. With `dry_run`, only shows the record, the moves and the conflicts."""
        command = MergeCustomers(body.into, body.from_, body.dry_run)

        async def work(connection: Connection) -> Answer:
            return merge_answer(await merge(connection, command, caller, clock), dry_run=body.dry_run)

        return await runner.run(request, caller, work)

    @routes.post("/merges/{merge_id}/undo", response_model=Unmerged)
    async def undo(merge_id: UUID, request: Request, caller: Merger) -> Response:
        """Undoes a merge: both customers are as if the merge had never happened."""

        async def work(connection: Connection) -> Answer:
            return undo_answer(await undo_merge(connection, merge_id, caller, clock))

        return await runner.run(request, caller, work)

    @routes.get("/customers/{customer_id}/merges", dependencies=[visible(database)])
    async def merges_of(customer_id: UUID, caller: Reader) -> MergeList:
        """The joins that a customer's profiles are or were part of, the latest first."""
        return await queries.merges(database, customer_id)

    return routes


def matching(preview: MatchPreview) -> APIRouter:
    """The customers that records would match."""
    routes = APIRouter(prefix="/v1/matches", tags=["merges"])

    @routes.post("")
    async def find_matches(body: MatchRequest, caller: Reader) -> Matched:
        """Returns the customer that each record would match and the reasons; null for a record of a new customer."""
        return Matched(matches=await preview.find(body.profiles))

    return routes


def candidates(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """The review queue: customers that may be one."""
    routes = APIRouter(prefix="/v1/merge-candidates", tags=["merges"])

    @routes.get("")
    async def page(
        caller: Merger, customer_id: UUID | None = None, cursor: PageCursor = None, limit: Limit = 50
    ) -> CandidatePage:
        """Candidates that wait for a decision, the most probable first, both records side by side."""
        return await queries.candidate_page(database, clock(), customer_id, caller.unit, cursor, limit)

    @routes.post("/{candidate_id}/decision", response_model=Decided)
    async def decision(candidate_id: UUID, body: CandidateDecision, request: Request, caller: Merger) -> Response:
        """Merges the two customers, keeps them apart permanently, or postpones the decision."""
        command = DecideCandidate(body.decision, body.due_at)

        async def work(connection: Connection) -> Answer:
            decided = await decide(connection, candidate_id, command, caller, clock)
            return decision_answer(candidate_id, body.decision, decided)

        return await runner.run(request, caller, work)

    return routes
