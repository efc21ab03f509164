"""The routes of records of customers by hand."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from rapport_customer import queries
from rapport_customer.api.answers import profile_answer
from rapport_customer.api.visibility import visible
from rapport_customer.commands.assets import AddAsset, add_asset
from rapport_customer.commands.owners import GiveCustomer
from rapport_customer.commands.records import CreateCustomer, PutConsent, Records, StatedFields
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
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints.profile import Profile
from rapport_shared.database import Connection, Database
from rapport_shared.web.commands import Answer, CommandRunner, check_precondition
from rapport_shared.web.routing import GUARDED, scoped

Reader = Annotated[Caller, scoped("customers:read")]
Writer = Annotated[Caller, scoped("customers:write")]
Key = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The identifier's key, as the record shows it.")]
WaitMs = Annotated[int, Query(ge=0, le=30_000, description="How long to wait for a profile that was written just now.")]
Purpose = Annotated[str, Path(min_length=1, max_length=200)]


def customers(database: Database, runner: CommandRunner, records: Records, clock: Clock) -> APIRouter:
    """Records of customers by hand."""
    routes = APIRouter(prefix="/v1/customers", tags=["customers"], dependencies=[visible(database)])

    @routes.get("/{customer_id}/record")
    async def record(customer_id: UUID, caller: Reader, response: Response, wait_ms: WaitMs = 0) -> CustomerRecord:
        """A profile's record: each field with the statement of each source."""
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
        """Adds an identifier. From now on, touchpoints with this identifier go to this profile."""
        seen = partial(check_precondition, request)
        work = profile_answer(lambda c: records.add_identifier(c, customer_id, body, caller, seen), 201)
        return await runner.run(request, caller, work)

    @routes.delete("/{customer_id}/identifiers/{key}", response_model=Written, dependencies=[GUARDED])
    async def remove_identifier(customer_id: UUID, key: Key, request: Request, caller: Writer) -> Response:
        """Removes an identifier. A later touchpoint does not add the identifier again."""
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

    _add_statements(routes, runner, records)
    return routes


def _add_statements(routes: APIRouter, runner: CommandRunner, records: Records) -> None:
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
        """Sets the owner of the customer."""
        seen = partial(check_precondition, request)
        command = GiveCustomer(body.owner, body.reason, body.hand_over)
        work = profile_answer(lambda c: records.put_owner(c, customer_id, command, caller, seen))
        return await runner.run(request, caller, work)


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


def _stated(body: Profile) -> StatedFields:
    return StatedFields(body.model_dump(mode="json", exclude_unset=True))
