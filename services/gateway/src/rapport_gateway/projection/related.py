"""The relations of a run of the view: who states one to whom, and whom a change elsewhere makes stale.

A customer shows the names of those that it is related to. Where such a name changes, or a profile moves, the others
are noted as stale in the transaction that changed it, and rendered at most `AT_ONCE` in one transaction: as a rule in
the same one, the rest with the next batches and while nothing is left to read.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.view import identity, relations
from rapport_gateway.view.relations import SHOWN, Incoming, Outgoing, Related, Relation
from rapport_gateway.view.sections import canonical
from rapport_shared.database import Connection

AT_ONCE: Final = 200
"""Customers rendered anew in one transaction because of a change elsewhere."""

Links = dict[tuple[UUID, str, UUID], tuple[str, bool, Any]]
"""By profile, type and target: the record named, whether by hand, and when it was stated."""


async def note(connection: Connection, registers: Mapping[UUID, Mapping[str, Any]]) -> set[UUID]:
    """Keeps the relations in profiles' registers; answers the profiles that one led to before or leads to now."""
    rows = await connection.fetch(
        "SELECT profile_id, type, to_profile, record, manual, stated_at FROM relation WHERE profile_id = ANY($1)",
        sorted(registers),
    )
    before: Links = {tuple(row)[:3]: tuple(row)[3:] for row in rows}
    after: Links = {
        (profile_id, one.type, one.to_profile): (orjson.dumps(one.record).decode(), one.manual, one.stated_at)
        for profile_id, register in registers.items()
        for one in relations.relations_of(register)
    }
    ended = sorted(before.keys() - after.keys())
    stated = sorted((link, after[link]) for link in after if before.get(link) != after[link])
    if ended:
        await connection.execute(
            "DELETE FROM relation WHERE (profile_id, type, to_profile) IN "
            "(SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[]))",
            *(list(column) for column in zip(*ended, strict=True)),
        )
    if stated:
        await _save(connection, [(*link, *said) for link, said in stated])
    return {to for _, _, to in ended} | {to for (_, _, to), _ in stated}


async def _save(connection: Connection, rows: Collection[tuple[Any, ...]]) -> None:
    await connection.executemany(
        "INSERT INTO relation (profile_id, type, to_profile, record, manual, stated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (profile_id, type, to_profile) DO UPDATE "
        "SET record = excluded.record, manual = excluded.manual, stated_at = excluded.stated_at",
        rows,
    )


async def complete(
    connection: Connection, identities: Mapping[UUID, str], members: Mapping[UUID, Collection[UUID]]
) -> dict[UUID, str]:
    """The identity sections of customers, with what relates them to others."""
    own = [(customer_id, profile_id) for customer_id in identities for profile_id in members[customer_id]]
    found = await _related(connection, own)
    names = await _names(connection, relations.named(found.values()))
    completed = dict(identities)
    for customer_id, related in found.items():
        section = orjson.loads(identities[customer_id]) | relations.shown(customer_id, related, names)
        completed[customer_id] = canonical(section)
    return completed


_RELATED = """
WITH own AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS own (customer_id, profile_id)
), incoming AS (
    SELECT own.customer_id AS own_customer, r.type, m.customer_id, max(r.stated_at) AS stated_at,
           count(*) OVER (PARTITION BY own.customer_id, r.type) AS total,
           row_number() OVER (PARTITION BY own.customer_id, r.type
                              ORDER BY max(r.stated_at) DESC NULLS LAST, m.customer_id DESC) AS place
    FROM own JOIN relation r ON r.to_profile = own.profile_id
    JOIN membership m ON m.profile_id = r.profile_id
    WHERE m.customer_id <> own.customer_id
    GROUP BY own.customer_id, r.type, m.customer_id
)
SELECT own.customer_id AS own_customer, r.type, coalesce(m.customer_id, r.to_profile) AS customer_id, r.stated_at,
       NULL::bigint AS total, r.to_profile, r.record, r.manual,
       EXISTS (SELECT FROM membership theirs JOIN relation back USING (profile_id)
               JOIN membership ours ON ours.profile_id = back.to_profile
               WHERE theirs.customer_id = m.customer_id AND back.type = r.type
               AND ours.customer_id = own.customer_id) AS mutual
FROM own JOIN relation r USING (profile_id) LEFT JOIN membership m ON m.profile_id = r.to_profile
UNION ALL
SELECT own_customer, type, customer_id, stated_at, total, NULL, NULL, NULL, NULL FROM incoming WHERE place <= $3
"""


async def _related(connection: Connection, own: Collection[tuple[UUID, UUID]]) -> dict[UUID, Related]:
    found: defaultdict[UUID, Related] = defaultdict(Related)
    rows = await connection.fetch(
        _RELATED, [customer_id for customer_id, _ in own], [profile_id for _, profile_id in own], SHOWN
    )
    for row in rows:
        related = found[row["own_customer"]]
        if row["total"] is not None:
            related.incoming.append(Incoming(row["type"], row["customer_id"], row["stated_at"], row["total"]))
            continue
        record = orjson.loads(row["record"])
        relation = Relation(row["type"], row["to_profile"], record, row["manual"], row["stated_at"])
        related.outgoing.append(Outgoing(relation, row["customer_id"], row["mutual"]))
    return found


async def _names(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, Any]:
    """What each customer is called; nothing for one that is not known."""
    if not customer_ids:
        return {}
    rows = await connection.fetch(
        "SELECT m.customer_id, p.state FROM membership m JOIN partial p USING (profile_id) "
        "WHERE m.customer_id = ANY($1) AND p.section = $2",
        sorted(customer_ids),
        identity.NAME,
    )
    registers: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        registers[row["customer_id"]].append(orjson.loads(row["state"])["profile"])
    return {customer_id: identity.name_of(records) for customer_id, records in registers.items()}


async def mark_stale(
    connection: Connection, targets: Collection[UUID], changed: Collection[UUID], rendered: Collection[UUID]
) -> None:
    """Notes the customers of the profiles `targets`, and all that are related to the profiles `changed`.

    Those of `rendered` are up to date already.
    """
    await connection.execute(
        "INSERT INTO stale_customer SELECT DISTINCT v.customer_id FROM ("
        "  SELECT unnest($1::uuid[]) AS profile_id"
        "  UNION SELECT profile_id FROM relation WHERE to_profile = ANY($2)"
        "  UNION SELECT to_profile FROM relation WHERE profile_id = ANY($2)"
        ") AS others JOIN membership USING (profile_id) JOIN customer_view v USING (customer_id) "
        "WHERE v.moved_to IS NULL AND v.customer_id <> ALL($3) ORDER BY v.customer_id ON CONFLICT DO NOTHING",
        list(targets),
        list(changed),
        list(rendered),
    )


async def take_stale(connection: Connection) -> list[UUID]:
    """Takes as many stale customers as are rendered at once."""
    rows = await connection.fetch(
        "DELETE FROM stale_customer WHERE customer_id IN "
        "(SELECT customer_id FROM stale_customer ORDER BY customer_id LIMIT $1) RETURNING customer_id",
        AT_ONCE,
    )
    return [row["customer_id"] for row in rows]
