"""The routes of the customer service."""

from datetime import date
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from rapport_customer import queries
from rapport_customer.answers import decision_answer, merge_answer, profile_answer, undo_answer, unit_answer
from rapport_customer.commands.assets import AddAsset, add_asset
from rapport_customer.commands.candidates import DecideCandidate, decide
from rapport_customer.commands.merges import MergeCustomers, merge, undo_merge
from rapport_customer.commands.owners import GiveCustomer
from rapport_customer.commands.records import CreateCustomer, PutConsent, Records, StatedFields
from rapport_customer.commands.units import put_unit
from rapport_customer.domain.quality import RECENT
from rapport_customer.matches import Matches
from rapport_customer.schemas.matches import CandidateDecision, CandidatePage, Decided, Matched, MatchRequest
from rapport_customer.schemas.merges import Merged, MergeList, MergeRequest, Unmerged
from rapport_customer.schemas.quality import Quality, QualityTrend
from rapport_customer.schemas.records import (
    AssetHolder,
    ConsentRequest,
    CustomerRecord,
    IdentifierRequest,
    NewAsset,
    NewCustomer,
    OwnerRequest,
    RecordEdit,
    Written,
)
from rapport_customer.schemas.units import Unit, UnitPage, UnitRequest
from rapport_customer.visibility import visible
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import UnitState
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.contracts.touchpoints.profile import Profile
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner, check_precondition
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import GUARDED, scoped

Reader = Annotated[Caller, scoped("customers:read")]
Writer = Annotated[Caller, scoped("customers:write")]
QualityReader = Annotated[Caller, scoped("quality:read")]
Merger = Annotated[Caller, scoped("customers:merge")]
Key = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The identifier's key, as the record shows it.")]
WaitMs = Annotated[
    int, Query(ge=0, le=30_000, description="How long to wait for a profile at which something was just recorded.")
]
Purpose = Annotated[str, Path(min_length=1, max_length=200)]


def customers(database: Database, runner: CommandRunner, records: Records, clock: Clock) -> APIRouter:
    """Records of customers by hand."""
    routes = APIRouter(prefix="/v1/customers", tags=["customers"], dependencies=[visible(database)])

    @routes.get("/{customer_id}/record")
    async def record(customer_id: UUID, caller: Reader, response: Response, wait_ms: WaitMs = 0) -> CustomerRecord:
        """A profile's record, each field with what each source states."""
        found = await queries.customer_record(database, customer_id, wait_ms)
        response.headers["ETag"] = found.etag
        return found

    @routes.patch("/{customer_id}/record", response_model=Written, dependencies=[GUARDED])
    async def edit(customer_id: UUID, body: RecordEdit, request: Request, caller: Writer) -> Response:
        """States fields by hand; a null field is no longer stated by hand."""
        seen = partial(check_precondition, request)
        stated = _stated(body)
        work = profile_answer(lambda c: records.edit(c, customer_id, stated, seen))
        return await runner.run(request, caller, work)

    @routes.post("/{customer_id}/identifiers", status_code=201, response_model=Written, dependencies=[GUARDED])
    async def add_identifier(customer_id: UUID, body: IdentifierRequest, request: Request, caller: Writer) -> Response:
        """Adds an identifier: touches by it go to this profile from now on."""
        seen = partial(check_precondition, request)
        work = profile_answer(lambda c: records.add_identifier(c, customer_id, body, caller, seen), 201)
        return await runner.run(request, caller, work)

    @routes.delete("/{customer_id}/identifiers/{key}", response_model=Written, dependencies=[GUARDED])
    async def remove_identifier(customer_id: UUID, key: Key, request: Request, caller: Writer) -> Response:
        """Removes an identifier; a touch does not bring it back."""
        seen = partial(check_precondition, request)
        work = profile_answer(lambda c: records.remove_identifier(c, customer_id, key, seen))
        return await runner.run(request, caller, work)

    @routes.post("/{customer_id}/assets", status_code=201, response_model=AssetHolder)
    async def asset(customer_id: UUID, body: NewAsset, request: Request, caller: Writer) -> Response:
        """Records an asset that the customer holds."""
        command = AddAsset(**dict(body))

        async def work(connection: Connection) -> Answer:
            added = await add_asset(connection, records.secret, customer_id, command, clock)
            return Answer(201, {"profile_id": str(customer_id), "asset_id": str(added.asset_id)}, added.events)

        return await runner.run(request, caller, work)

    @routes.put("/{customer_id}/consents/{purpose}", response_model=Written, dependencies=[GUARDED])
    async def consent(
        customer_id: UUID, purpose: Purpose, body: ConsentRequest, request: Request, caller: Writer
    ) -> Response:
        """Records a consent given or withdrawn."""
        seen = partial(check_precondition, request)
        command = PutConsent(purpose, body.given, body.channel, body.wording)
        work = profile_answer(lambda c: records.put_consent(c, customer_id, command, seen))
        return await runner.run(request, caller, work)

    @routes.put("/{customer_id}/owner", response_model=Written, dependencies=[GUARDED])
    async def owner(customer_id: UUID, body: OwnerRequest, request: Request, caller: Writer) -> Response:
        """Says who of the firm looks after the customer."""
        seen = partial(check_precondition, request)
        command = GiveCustomer(body.owner, body.reason, body.hand_over)
        work = profile_answer(lambda c: records.put_owner(c, customer_id, command, caller, seen))
        return await runner.run(request, caller, work)

    return routes


def registration(runner: CommandRunner, records: Records) -> APIRouter:
    """Registering customers by hand."""
    routes = APIRouter(prefix="/v1/customers", tags=["customers"])

    @routes.post("", status_code=201, response_model=Written)
    async def create(body: NewCustomer, request: Request, caller: Writer) -> Response:
        """Registers a customer by hand."""
        command = CreateCustomer(_stated(body), body.id, body.identifiers, body.unit, body.owner)
        work = profile_answer(lambda c: records.create(c, command, caller), 201, location=True)
        return await runner.run(request, caller, work)

    return routes


def merges(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Joining customers by hand, and undoing it."""
    routes = APIRouter(prefix="/v1", tags=["merges"])

    @routes.post("/merges", status_code=201, response_model=Merged)
    async def merge_customers(body: MergeRequest, request: Request, caller: Merger) -> Response:
        """Joins customers into a profile; with `dry_run` says what would stand, move and contradict."""
        command = MergeCustomers(body.into, body.from_, body.dry_run)

        async def work(connection: Connection) -> Answer:
            return merge_answer(await merge(connection, command, caller, clock), dry_run=body.dry_run)

        return await runner.run(request, caller, work)

    @routes.post("/merges/{merge_id}/undo", response_model=Unmerged)
    async def undo(merge_id: UUID, request: Request, caller: Merger) -> Response:
        """Undoes a merge: both customers are as if it had never been."""

        async def work(connection: Connection) -> Answer:
            return undo_answer(await undo_merge(connection, merge_id, caller, clock))

        return await runner.run(request, caller, work)

    @routes.get("/customers/{customer_id}/merges", dependencies=[visible(database)])
    async def merges_of(customer_id: UUID, caller: Reader) -> MergeList:
        """The joins that a customer's profiles are or were part of, the latest first."""
        return await queries.merges(database, customer_id)

    return routes


def matching(matches: Matches) -> APIRouter:
    """Whom records would meet."""
    routes = APIRouter(prefix="/v1/matches", tags=["merges"])

    @routes.post("")
    async def whom(body: MatchRequest, caller: Reader) -> Matched:
        """Says for each record which customer it would meet and why; null for one that would be new."""
        return Matched(matches=await matches.whom(body.profiles))

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
        """Merges the two, keeps them apart for good, or puts the decision off."""
        command = DecideCandidate(body.decision, body.due_at)

        async def work(connection: Connection) -> Answer:
            decided = await decide(connection, candidate_id, command, caller, clock)
            return decision_answer(candidate_id, body.decision, decided)

        return await runner.run(request, caller, work)

    return routes


def quality(database: Database, clock: Clock) -> APIRouter:
    """How good the records of each source are."""
    routes = APIRouter(prefix="/v1/quality", tags=["quality"])

    @routes.get("")
    async def now(caller: QualityReader, unit: UnitPath | None = None) -> Quality:
        """The quality of each source in each unit at or below one, as it is now."""
        return await queries.quality(database, caller.unit or unit, clock())

    @routes.get("/trend")
    async def trend(
        caller: QualityReader,
        system: Annotated[str, Query(min_length=1, max_length=200)],
        unit: UnitPath | None = None,
        since: Annotated[date | None, Query(description="The first day; 90 days ago by default.")] = None,
    ) -> QualityTrend:
        """The quality of one source in one unit, day by day."""
        first = since or (clock() - RECENT).date()
        return await queries.quality_trend(database, system, caller.unit or unit, first)

    return routes


def units(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """Organisation units."""
    routes = APIRouter(prefix="/v1/units", tags=["units"])

    @routes.get("")
    async def page(
        caller: Annotated[Caller, scoped("units:read")], cursor: PageCursor = None, limit: Limit = 50
    ) -> UnitPage:
        """Units in the order of their paths."""
        return await queries.unit_page(database, cursor, limit)

    @routes.get("/{path:path}")
    async def unit(path: str, caller: Annotated[Caller, scoped("units:read")], response: Response) -> Unit:
        """A unit."""
        found, etag = await queries.unit(database, path)
        response.headers["ETag"] = etag
        return found

    @routes.put("/{path:path}", response_model=Unit, dependencies=[GUARDED])
    async def put(
        path: UnitPath, body: UnitRequest, request: Request, caller: Annotated[Caller, scoped("units:write")]
    ) -> Response:
        """Creates or replaces a unit."""
        state = UnitState(path=path, **body.model_dump())
        seen = partial(check_precondition, request)

        async def work(connection: Connection) -> Answer:
            return unit_answer(await put_unit(connection, state, clock, seen))

        return await runner.run(request, caller, work)

    return routes


def _stated(body: Profile) -> StatedFields:
    return StatedFields(body.model_dump(mode="json", exclude_unset=True))
