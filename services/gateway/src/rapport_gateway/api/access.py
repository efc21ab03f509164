"""Who the caller is, API keys and tokens, and the pages that explain problems."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rapport_gateway.access.keys import KeyGrant, create_key, find_key, list_keys, new_key, revoke_key
from rapport_gateway.access.tokens import LONGEST, OF_ONE_CUSTOMER, TokenGrant, new_token, revoke_token
from rapport_gateway.access.tokens import create_token as store_token
from rapport_shared.callers import SCOPES, Caller, unknown_scopes
from rapport_shared.clock import Clock
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.contracts.touchpoints import MAX_BATCH, MAX_BATCH_BYTES, MAX_TOUCHPOINT_BYTES
from rapport_shared.contracts.touchpoints.envelope import IdentifierName
from rapport_shared.database import Connection, Database
from rapport_shared.errors import FORBIDDEN, PROBLEM_TYPES, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.units import lies_in
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.nearest import unknown_name
from rapport_shared.web.routing import PUBLIC, KnownCaller, scoped

Keeper = Annotated[Caller, scoped("keys:write")]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
KeyChannel = Annotated[str, Field(max_length=40, pattern=r"^(\*|[a-z][a-z0-9_\-]*)$")]
KeyUnit = Annotated[str, Field(max_length=200, pattern=r"^([^/\s\x00]+(/[^/\s\x00]+)*)?$")]


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


class NewToken(BaseModel):
    """A token of the caller's key: some of its scopes, a unit that lies in its own, or one customer, for some minutes.

    A token of one customer may have the scopes `customers:read`, `values:read` and `segments:read`.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"scopes": ["customers:read"], "minutes": 15}}
    )

    scopes: Annotated[list[str], Field(min_length=1, max_length=50)]
    unit: KeyUnit | None = Field(default=None, description="The unit of the key where it is missing.")
    customer_id: UUID | None = None
    minutes: Annotated[int, Field(ge=1, le=int(LONGEST.total_seconds() // 60))] = 15


class MadeToken(BaseModel):
    """A token. It is shown in this answer and never again."""

    token_id: UUID
    token: str
    expires_at: AwareDatetime


def router(database: Database, runner: CommandRunner, clock: Clock) -> APIRouter:
    """`/v1/me`, `/v1/keys`, `/problems`."""
    routes = APIRouter()

    @routes.get("/v1/me", tags=["access"])
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

    @routes.post("/v1/keys", status_code=201, tags=["access"])
    async def create(body: NewKey, request: Request, caller: Keeper) -> Response:
        """Makes a key. It is shown in this answer and never again, so the answer to a repeat lacks it."""
        _check(body, caller)
        key = new_key()

        async def work(connection: Connection) -> Answer:
            grant = KeyGrant(body.name, body.channel, body.scopes, body.unit, body.may_verify)
            key_id = await create_key(connection, key, grant, clock())
            return Answer(201, {"key_id": str(key_id), "key": key})

        return await runner.run(request, caller, work, replayed_without=("key",))

    @routes.get("/v1/keys", tags=["access"])
    async def keys(caller: Keeper) -> dict[str, Any]:
        """The keys of the caller's unit, without their secrets."""
        return {"keys": await list_keys(database, caller.unit)}

    @routes.delete("/v1/keys/{key_id}", tags=["access"])
    async def revoke(key_id: UUID, request: Request, caller: Keeper) -> Response:
        """Revokes a key, and with it its tokens: they stop working, and their streams end, within five seconds."""

        async def work(connection: Connection) -> Answer:
            if not await revoke_key(connection, key_id, clock(), caller.unit):
                raise not_found("key")
            return Answer(200, {"key_id": str(key_id), "revoked": True})

        return await runner.run(request, caller, work)

    @routes.post("/v1/tokens", status_code=201, tags=["access"], response_model=MadeToken)
    async def create_token(body: NewToken, request: Request, caller: KnownCaller) -> Response:
        """Makes a token for a browser or an application that is to hold less than the key.

        It ends with its time, with its key, or when it is revoked.
        """
        _check_token(body, caller)
        token = new_token()
        unit = caller.unit if body.unit is None else body.unit
        grant = TokenGrant(body.scopes, unit, timedelta(minutes=body.minutes), body.customer_id)

        async def work(connection: Connection) -> Answer:
            token_id, expires_at = await store_token(connection, token, UUID(caller.principal), grant, clock())
            made = {"token_id": str(token_id), "token": token, "expires_at": instant_text(expires_at)}
            return Answer(201, made)

        return await runner.run(request, caller, work, replayed_without=("token",))

    @routes.delete("/v1/tokens/{token_id}", tags=["access"])
    async def revoke_one_token(token_id: UUID, request: Request, caller: KnownCaller) -> Response:
        """Revokes a token of the caller's key; its streams end within five seconds."""

        async def work(connection: Connection) -> Answer:
            if not await revoke_token(connection, token_id, UUID(caller.principal), clock()):
                raise not_found("token")
            return Answer(200, {"token_id": str(token_id), "revoked": True})

        return await runner.run(request, caller, work)

    @routes.get("/problems/{code}", dependencies=[PUBLIC], tags=["problems"])
    async def problem(code: str) -> dict[str, Any]:
        """What a problem means and what to do about it."""
        found = PROBLEM_TYPES.get(code)
        if found is None:
            raise not_found("problem")
        return {"code": found.code, "status": found.status, "title": found.title, "explanation": found.explanation}

    return routes


def _check_scopes(scopes: Sequence[str], caller: Caller) -> None:
    """Raises a 422 for a scope that does not exist, a 403 for one that the caller lacks."""
    for scope in unknown_scopes(scopes):
        place = FieldProblem("/scopes", "not_allowed", unknown_name("scope", scope, SCOPES))
        raise Problem(VALIDATION, "There is no such scope.", errors=[place])
    for scope in scopes:
        if scope not in caller.scopes and not caller.may(scope):
            raise Problem(FORBIDDEN, "A key cannot grant what it lacks.", scope=scope)


def _check_token(body: NewToken, caller: Caller) -> None:
    if caller.expires_at is not None:
        raise Problem(FORBIDDEN, "Tokens are made by keys.")
    _check_scopes(body.scopes, caller)
    if Caller("", scopes=frozenset(body.scopes)).may("keys:write"):
        place = FieldProblem("/scopes", "not_allowed", "A token may not have `keys:write`: a key would outlive it.")
        raise Problem(VALIDATION, "The token is not valid.", errors=[place])
    if body.unit is not None and not lies_in(body.unit, caller.unit):
        raise Problem(FORBIDDEN, "A token cannot grant what lies outside the unit of its key.")
    if body.customer_id is not None and not OF_ONE_CUSTOMER.issuperset(body.scopes):
        expected = ", ".join(sorted(OF_ONE_CUSTOMER))
        place = FieldProblem("/scopes", "not_allowed", f"A token of one customer may have {expected}.")
        raise Problem(VALIDATION, "The token is not valid.", errors=[place])


def _check(body: NewKey, caller: Caller) -> None:
    _check_scopes(body.scopes, caller)
    if caller.channel not in ("*", body.channel):
        raise Problem(FORBIDDEN, "A key cannot grant a channel that is not its own.", scope="keys:write")
    if "*" not in caller.scopes and not caller.may_verify.issuperset(body.may_verify):
        raise Problem(FORBIDDEN, "A key cannot grant to verify what it may not verify.", scope="keys:write")
    if not lies_in(body.unit, caller.unit):
        raise Problem(FORBIDDEN, "A key cannot grant what lies outside its unit.", scope="keys:write")
