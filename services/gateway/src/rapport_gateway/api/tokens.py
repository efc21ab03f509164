"""The routes of tokens: short-lived, and narrower than the key that makes them."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rapport_gateway.access.grants import KeyUnit, require_grantable
from rapport_gateway.access.store.tokens import LONGEST, OF_ONE_CUSTOMER, TokenGrant, new_token, revoke_token
from rapport_gateway.access.store.tokens import create_token as store_token
from rapport_gateway.api.schemas import RevokedToken
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.envelope import ShownInstant, instant_text
from rapport_shared.database import Connection
from rapport_shared.errors import FORBIDDEN, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.units import lies_in
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.routing import KnownCaller


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
    expires_at: ShownInstant


def router(runner: CommandRunner, clock: Clock) -> APIRouter:
    """`/v1/tokens`."""
    routes = APIRouter(prefix="/v1/tokens", tags=["access"])

    @routes.post("", status_code=201, response_model=MadeToken)
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

    @routes.delete("/{token_id}", response_model=RevokedToken)
    async def revoke(token_id: UUID, request: Request, caller: KnownCaller) -> Response:
        """Revokes a token of the caller's key; its streams end within five seconds."""

        async def work(connection: Connection) -> Answer:
            if not await revoke_token(connection, token_id, UUID(caller.principal), clock()):
                raise not_found("token")
            return Answer(200, {"token_id": str(token_id), "revoked": True})

        return await runner.run(request, caller, work)

    return routes


def _check_token(body: NewToken, caller: Caller) -> None:
    if caller.expires_at is not None:
        raise Problem(FORBIDDEN, "A token cannot make tokens. Use an API key.")
    require_grantable(body.scopes, caller)
    if Caller("", scopes=frozenset(body.scopes)).may("keys:write"):
        place = FieldProblem("/scopes", "not_allowed", "A token may not have `keys:write`: a key would outlive it.")
        raise Problem(VALIDATION, "The token is not valid.", errors=[place])
    if body.unit is not None and not lies_in(body.unit, caller.unit):
        raise Problem(FORBIDDEN, "The unit of a token must be the unit of its key or a unit below it.")
    if body.customer_id is not None and not OF_ONE_CUSTOMER.issuperset(body.scopes):
        expected = ", ".join(sorted(OF_ONE_CUSTOMER))
        place = FieldProblem("/scopes", "not_allowed", f"A token of one customer may have {expected}.")
        raise Problem(VALIDATION, "The token is not valid.", errors=[place])
