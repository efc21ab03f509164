"""What the customer service answers."""

import json
from uuid import UUID

from rapport_customer import store
from rapport_customer.schemas import CustomerRecord, Unit, UnitPage
from rapport_shared.database import Database
from rapport_shared.errors import not_found
from rapport_shared.web.commands import revision_etag
from rapport_shared.web.pages import decode_cursor, encode_cursor


async def customer_record(database: Database, profile_id: UUID) -> CustomerRecord:
    """A profile's record. Raises a 404 for a profile that is not known."""
    found = await store.read_profile(database, profile_id)
    if found is None:
        raise not_found("customer")
    state, sequence, customer_id = found
    return CustomerRecord(
        profile_id=profile_id,
        customer_id=customer_id,
        etag=revision_etag(sequence),
        record=json.loads(state.model_dump_json()),
    )


async def unit(database: Database, path: str) -> tuple[Unit, str]:
    """A unit and its ETag. Raises a 404 for a path that is not known."""
    found = await store.read_unit(database, path)
    if found is None:
        raise not_found("unit")
    state, sequence = found
    return Unit(**state.model_dump()), revision_etag(sequence)


async def unit_page(database: Database, cursor: str | None, limit: int) -> UnitPage:
    """Units in the order of their paths. Raises a 422 for a cursor that is not of this list."""
    after = str(decode_cursor(cursor, 1)[0]) if cursor else None
    states = await store.units(database, after, limit + 1)
    shown = [Unit(**state.model_dump()) for state in states[:limit]]
    return UnitPage(units=shown, next_cursor=encode_cursor(shown[-1].path) if len(states) > limit else None)
