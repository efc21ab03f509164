"""The route of own fields: what the deployment declared, with labels, for whoever makes forms and reports."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from rapport_gateway.intake.own_fields import KnownFields
from rapport_shared.callers import Caller
from rapport_shared.own_fields import FieldsPolicy
from rapport_shared.web.routing import scoped

MAX_WAIT_MS = 30_000


class DeclaredFields(BaseModel):
    """The version of the `fields` policy that is applied here, and what it declares; version 0 declares nothing."""

    version: int
    fields: FieldsPolicy


def router(known: KnownFields) -> APIRouter:
    """What is declared."""
    routes = APIRouter(prefix="/v1/fields", tags=["policies"])

    @routes.get("")
    async def declared(
        caller: Annotated[Caller, scoped("customers:read")],
        version: Annotated[int | None, Query(ge=0, description="The version to wait for.")] = None,
        wait_ms: Annotated[int, Query(ge=0, le=MAX_WAIT_MS, description="How long to wait for it.")] = 0,
    ) -> DeclaredFields:
        """The deployment's own fields and touchpoint kinds, as reports are checked by them now."""
        found = await known.of_version(version, wait_ms)
        return DeclaredFields(version=found.version, fields=found.rules.policy)

    return routes
