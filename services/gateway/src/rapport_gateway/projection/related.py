"""Relations between the customers of a run, and the customers that a change of a related customer makes stale.

A customer shows the names of those that it is related to. Where such a name changes, or a profile moves, the others
are noted as stale in the transaction that changed it, and rendered at most `AT_ONCE` in one transaction: as a rule in
the same one, the rest with the next batches and while nothing is left to read.
"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.store import relations as store
from rapport_gateway.projection.store.relations import Links
from rapport_gateway.view import relations
from rapport_gateway.view.sections import canonical
from rapport_shared.database import Connection


async def note(connection: Connection, registers: Mapping[UUID, Mapping[str, Any]]) -> set[UUID]:
    """Keeps the relations in profiles' registers; answers the profiles that one led to before or leads to now."""
    before = await store.links(connection, registers.keys())
    after: Links = {
        (profile_id, one.type, one.to_profile): (orjson.dumps(one.record).decode(), one.manual, one.stated_at)
        for profile_id, register in registers.items()
        for one in relations.relations_of(register)
    }
    ended = sorted(before.keys() - after.keys())
    stated = sorted((link, after[link]) for link in after if before.get(link) != after[link])
    if ended:
        await store.end(connection, ended)
    if stated:
        await store.save(connection, [(*link, *said) for link, said in stated])
    return {to for _, _, to in ended} | {to for (_, _, to), _ in stated}


async def complete(
    connection: Connection, identities: Mapping[UUID, str], members: Mapping[UUID, Collection[UUID]]
) -> dict[UUID, str]:
    """The identity sections of customers, with what relates them to others."""
    own = [(customer_id, profile_id) for customer_id in identities for profile_id in members[customer_id]]
    found = await store.related(connection, own)
    names = await store.names(connection, relations.named(found.values()))
    completed = dict(identities)
    for customer_id, related in found.items():
        section = orjson.loads(identities[customer_id]) | relations.shown(customer_id, related, names)
        completed[customer_id] = canonical(section)
    return completed
