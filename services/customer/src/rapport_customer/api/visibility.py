"""The records that a caller may see: all except those of isolated units to which the caller does not belong."""

from typing import Any
from uuid import UUID

from fastapi import Depends, Request

from rapport_customer import store
from rapport_shared.callers import Caller
from rapport_shared.database import Database
from rapport_shared.errors import not_found
from rapport_shared.web.routing import KnownCaller


def visible(database: Database) -> Any:
    """A dependency of routes with a `customer_id`. Raises a 404 for a record that the caller may not see."""

    async def check(customer_id: UUID, request: Request, caller: KnownCaller) -> None:
        if caller.unit and not await may_know(database, customer_id, caller):
            raise not_found("customer")

    return Depends(check)


async def may_know(database: Database, profile_id: UUID, caller: Caller) -> bool:
    """Whether the caller may see the customer that a profile belongs to. True for an unknown profile."""
    customers = await store.customers_of_profiles(database, [profile_id])
    customer_id = customers.get(profile_id, profile_id)
    own = await store.franchise_of_unit(database, caller.unit)
    theirs = (await store.franchises(database, [customer_id])).get(customer_id)
    return own in theirs if theirs else own is None
