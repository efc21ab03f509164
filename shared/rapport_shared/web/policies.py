"""The routes of a kind of policy: read, put, try, activate, roll back."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.touchpoints.fields import UnitPath
from rapport_shared.database import Connection, Database
from rapport_shared.messaging import outbox
from rapport_shared.policies import (
    BY_VERSION,
    PolicyKind,
    PolicyPlace,
    PolicyVersion,
    activate,
    active_version,
    add_version,
    parse_document,
    place_of,
    read_document,
    read_version,
    version_before,
    versions,
)
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Model = TypeVar("Model", bound=BaseModel)
Simulate = Callable[[Any], Awaitable[dict[str, Any]]]
"""Says what a document would do, given it as its model; changes nothing."""

Name = Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,62}$", description="The policy's name; mostly `default`.")]
UnitQuery = Annotated[UnitPath | None, Query(description="The unit that it is for; the whole firm without one.")]
Note = Annotated[str | None, Query(max_length=500, description="Why this version was made.")]
Reader = Annotated[Caller, scoped("policies:read")]
Writer = Annotated[Caller, scoped("policies:write")]


class Policy(BaseModel):
    """One version of a policy; version 0 is what is shipped, and its document is empty."""

    version: int
    active: bool
    document: dict[str, Any]
    note: str | None = None
    made_by: str | None = None
    made_at: ShownInstant | None = None


class PolicyPage(BaseModel):
    """Versions of a policy, the newest first."""

    versions: list[Policy]
    next_cursor: str | None


class PolicyWritten(BaseModel):
    """The version that was made, or put in force."""

    version: int
    active: bool


class Valid(BaseModel):
    """The document is a policy of its kind."""

    valid: bool


class ChosenVersion(BaseModel):
    """The version that is meant; 0 is what is shipped."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"version": 1}})

    version: Annotated[int, Field(ge=0)]


class PolicyRoutes(Generic[Model]):
    """Carries out what the routes of one kind of policy ask."""

    def __init__(self, kind: PolicyKind[Model], database: Database, clock: Clock) -> None:
        self.kind, self.database, self.clock = kind, database, clock

    def place(self, name: str, unit: str | None) -> PolicyPlace:
        """The policy that a path names. Raises a 422 for one that nobody would act on."""
        return place_of(self.kind, name, unit)

    async def put(
        self, connection: Connection, place: PolicyPlace, request: Request, caller: Caller, note: str | None
    ) -> Answer:
        """Keeps the body as a new version. Raises a 422 for a body that is no such policy."""
        document = parse_document(self.kind, await self.body(request))
        version = await add_version(connection, place, document, note, caller.principal, self.clock())
        return Answer(201, {"version": version, "active": False})

    async def activate(self, connection: Connection, place: PolicyPlace, version: int, caller: Caller) -> Answer:
        """Puts a version in force."""
        events = await activate(connection, self.kind, place, version, caller.principal, self.clock)
        await outbox.append(connection, events)
        return Answer(200, {"version": version, "active": True}, tuple(event.envelope.id for event in events))

    async def roll_back(self, connection: Connection, place: PolicyPlace, caller: Caller) -> Answer:
        """Puts the version in force that was before the present one."""
        return await self.activate(connection, place, await version_before(connection, place), caller)

    async def body(self, request: Request) -> Any:
        """The document in a request's body."""
        return read_document(await request.body(), request.headers.get("content-type", ""))


def policies(
    kind: PolicyKind[Model],
    database: Database,
    runner: CommandRunner,
    clock: Clock,
    simulate: Simulate,
    trial: type[BaseModel],
) -> APIRouter:
    """The routes of one kind of policy. `trial` is the model of what `simulate` answers."""
    routes = APIRouter(prefix=f"/v1/policies/{kind.kind}", tags=["policies"])
    work = PolicyRoutes(kind, database, clock)
    body_schema = {"requestBody": {"required": True, "content": _contents(kind)}}

    @routes.get("/{name}")
    async def policy(name: Name, caller: Reader, unit: UnitQuery = None) -> Policy:
        """The version that is in force."""
        return _policy(await active_version(database, work.place(name, unit)), active=True)

    @routes.get("/{name}/versions")
    async def page(
        name: Name, caller: Reader, unit: UnitQuery = None, cursor: PageCursor = None, limit: Limit = 50
    ) -> PolicyPage:
        """Versions of a policy, the newest first."""
        place = work.place(name, unit)
        found = await BY_VERSION.page(cursor, limit, partial(versions, database, place), lambda one: (one.version,))
        in_force = (await active_version(database, place)).version
        shown = [_policy(one, active=one.version == in_force) for one in found.items]
        return PolicyPage(versions=shown, next_cursor=found.next_cursor)

    @routes.put("/{name}", status_code=201, response_model=PolicyWritten, openapi_extra=body_schema)
    async def put(name: Name, request: Request, caller: Writer, unit: UnitQuery = None, note: Note = None) -> Response:
        """Adds a version, in JSON or YAML; it is not in force until it is activated."""
        return await runner.run(request, caller, lambda c: work.put(c, work.place(name, unit), request, caller, note))

    @routes.post("/{name}/validate", openapi_extra=body_schema)
    async def validate(name: Name, request: Request, caller: Reader) -> Valid:
        """Says whether a document is a policy of this kind: a 422 names each wrong place."""
        parse_document(kind, await work.body(request))
        return Valid(valid=True)

    @routes.post("/{name}/simulate", response_model=trial, response_model_exclude_unset=True)
    async def try_out(name: Name, body: ChosenVersion, caller: Writer, unit: UnitQuery = None) -> dict[str, Any]:
        """Says what a version would do to what is there; nothing is changed."""
        version = await read_version(database, work.place(name, unit), body.version)
        return await simulate(parse_document(kind, version.document))

    @routes.post("/{name}/activate", response_model=PolicyWritten)
    async def put_in_force(
        name: Name, body: ChosenVersion, request: Request, caller: Writer, unit: UnitQuery = None
    ) -> Response:
        """Puts a version in force."""
        return await runner.run(
            request, caller, lambda c: work.activate(c, work.place(name, unit), body.version, caller)
        )

    @routes.post("/{name}/rollback", response_model=PolicyWritten)
    async def roll_back(name: Name, request: Request, caller: Writer, unit: UnitQuery = None) -> Response:
        """Puts the version in force that was before the present one."""
        return await runner.run(request, caller, lambda c: work.roll_back(c, work.place(name, unit), caller))

    return routes


def _contents(kind: PolicyKind[Any]) -> dict[str, Any]:
    schema = {"type": "object", "description": f"A {kind.kind} policy."}
    return {"application/json": {"schema": schema}, "application/yaml": {"schema": schema}}


def _policy(version: PolicyVersion, *, active: bool) -> Policy:
    return Policy(
        version=version.version,
        active=active,
        document=version.document,
        note=version.note,
        made_by=version.made_by,
        made_at=version.made_at,
    )
