"""The policies of the customer service and the effects of an activation."""

from collections.abc import Sequence
from typing import Final

import orjson

from rapport_customer import store
from rapport_customer.commands.routes import put_route
from rapport_customer.domain.policy import MatchingPolicy
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import CUSTOMER_POLICY_ACTIVATED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection, Reading
from rapport_shared.normalisation import identifier_key
from rapport_shared.own_fields import FieldsPolicy, OwnRules, read_fields
from rapport_shared.policies import PolicyKind, active_version
from rapport_shared.policy_registers import FIELDS_PLACE, MATCHING_PLACE

MATCHING: Final = PolicyKind("matching", MatchingPolicy, CUSTOMER_POLICY_ACTIVATED)
FIELDS: Final = PolicyKind("fields", FieldsPolicy, CUSTOMER_POLICY_ACTIVATED)


async def own_rules(connection: Reading) -> OwnRules:
    """The declared own fields. Cheap: a document is parsed once."""
    return read_fields(orjson.dumps((await active_version(connection, FIELDS_PLACE)).document))


def matching_kind(secret: bytes) -> PolicyKind[MatchingPolicy]:
    """The `matching` policy. Its activation blocks the routes of blocked values and unblocks those of all others."""

    async def activated(
        connection: Connection, before: MatchingPolicy, after: MatchingPolicy, clock: Clock
    ) -> Sequence[Event[Contract]]:
        return await block(connection, secret, before, after, clock)

    return PolicyKind("matching", MatchingPolicy, CUSTOMER_POLICY_ACTIVATED, activated)


async def block(
    connection: Connection, secret: bytes, before: MatchingPolicy, after: MatchingPolicy, clock: Clock
) -> list[Event[Contract]]:
    """Blocks the routes that only `after` blocks, and frees those that only `before` blocked. Returns the events."""
    blocked, freed = after.blocked_values(), before.blocked_values() - after.blocked_values()
    types = {identifier_key(secret, type_, normal): type_ for type_, normal in blocked | freed}
    free = {identifier_key(secret, type_, normal) for type_, normal in freed}
    routes = await store.lock_routes(connection, types)
    events = []
    for key, locked in routes.items():
        target = RouteTarget.NOBODY if key in free else RouteTarget.BLOCKED
        if locked.route.target is not target and not (key in free and locked.route.target is RouteTarget.PROFILE):
            events.append(await put_route(connection, locked, target, None, clock))
    return events


__all__ = ["FIELDS", "MATCHING", "MATCHING_PLACE", "block", "matching_kind", "own_rules"]
