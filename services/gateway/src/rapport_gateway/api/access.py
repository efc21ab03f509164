"""Who the caller is, API keys, and the pages that explain problems."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rapport_gateway.access.grants import KeyUnit, require_grantable
from rapport_gateway.access.store.keys import KeyGrant, create_key, find_key, list_keys, new_key, revoke_key
from rapport_gateway.api.schemas import ExplainedProblem, KeyList, MadeKey, Me, RevokedKey
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints import MAX_BATCH, MAX_BATCH_BYTES, MAX_TOUCHPOINT_BYTES
from rapport_shared.contracts.touchpoints.envelope import IdentifierName
from rapport_shared.database import Connection, Database
from rapport_shared.errors import FORBIDDEN, PROBLEM_TYPES, Problem, not_found
from rapport_shared.units import lies_in
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.routing import PUBLIC, KnownCaller, scoped

Keeper = Annotated[Caller, scoped("keys:write")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
KeyChannel = Annotated[str, Field(max_length=40, pattern=r"^(\*|[a-z][a-z0-9_\-]*)$")]


class NewKey(BaseModel):
    """A key for a channel application. `channel` is `*` for all channels, `unit` empty for the whole firm."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "call centre",
                "channel": "phone",
                "scopes": ["touchpoints:write", "customers:read"],
                "may_verify": ["phone"],
            }
        },
    )

    name: Name
    channel: KeyChannel
    scopes: Annotated[list[str], Field(min_length=1, max_length=50)]
    unit: KeyUnit = ""
    may_verify: Annotated[list[IdentifierName], Field(max_length=10)] = []


def router(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """`/v1/me`, `/v1/keys`, `/problems`."""
    routes = APIRouter()

    @routes.get("/v1/me", tags=["access"], response_model=Me)
    async def me(caller: KnownCaller) -> dict[str, Any]:
        """The caller's key: what it may do, and the limits."""
        key = await find_key(database, UUID(caller.principal))
        return {
            "key_id": caller.principal,
            "name": key["name"] if key else None,
            "channel": caller.channel,
            "scopes": sorted(caller.scopes),
            "unit": caller.unit,
            "may_verify": sorted(caller.may_verify),
            "limits": {
                "touchpoint_bytes": MAX_TOUCHPOINT_BYTES,
                "batch": MAX_BATCH,
                "batch_bytes": MAX_BATCH_BYTES,
            },
        }

    @routes.post("/v1/keys", status_code=201, tags=["access"], response_model=MadeKey)
    async def create(body: NewKey, request: Request, caller: Keeper) -> Response:
        """Makes a key. It is shown in this answer and never again, so the answer to a repeat lacks it."""
        _check(body, caller)
        key = new_key()

        async def work(connection: Connection) -> Answer:
            grant = KeyGrant(body.name, body.channel, body.scopes, body.unit, body.may_verify)
            key_id = await create_key(connection, key, grant, clock())
            return Answer(201, {"key_id": str(key_id), "key": key})

        return await runner.run(request, caller, work, replayed_without=("key",))

    @routes.get("/v1/keys", tags=["access"], response_model=KeyList)
    async def keys(caller: Keeper) -> dict[str, Any]:
        """The keys of the caller's unit, without their secrets."""
        return {"keys": await list_keys(database, caller.unit)}

    @routes.delete("/v1/keys/{key_id}", tags=["access"], response_model=RevokedKey)
    async def revoke(key_id: UUID, request: Request, caller: Keeper) -> Response:
        """Revokes a key, and with it its tokens: they stop working, and their streams end, within five seconds."""

        async def work(connection: Connection) -> Answer:
            if not await revoke_key(connection, key_id, clock(), caller.unit):
                raise not_found("key")
            return Answer(200, {"key_id": str(key_id), "revoked": True})

        return await runner.run(request, caller, work)

    @routes.get("/problems/{code}", dependencies=[PUBLIC], tags=["problems"], response_model=ExplainedProblem)
    async def problem(code: str) -> dict[str, Any]:
        """The meaning of a problem, and its remedy."""
        found = PROBLEM_TYPES.get(code)
        if found is None:
            raise not_found("problem")
        return {"code": found.code, "status": found.status, "title": found.title, "explanation": found.explanation}

    return routes


def _check(body: NewKey, caller: Caller) -> None:
    require_grantable(body.scopes, caller)
    if caller.channel not in ("*", body.channel):
        raise Problem(FORBIDDEN, "A key can only make keys of its own channel.", scope="keys:write")
    if "*" not in caller.scopes and not caller.may_verify.issuperset(body.may_verify):
        raise Problem(FORBIDDEN, "A key can only grant types in `may_verify` that it has itself.", scope="keys:write")
    if not lies_in(body.unit, caller.unit):
        raise Problem(FORBIDDEN, "A key can only make keys of its own unit or of a unit below it.", scope="keys:write")
