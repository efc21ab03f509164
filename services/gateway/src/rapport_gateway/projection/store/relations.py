"""Tables of a run for relations, and for the customers that a change of a related customer makes stale."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.view import identity
from rapport_gateway.view.relations import SHOWN, Incoming, Outgoing, Related, Relation
from rapport_shared.database import Connection, Row
from rapport_shared.pages import Keyset

AT_ONCE: Final = 200
"""The number of stale customers that one transaction renders again."""

Link = tuple[UUID, str, UUID]
"""Profile, type and target."""
Links = dict[Link, tuple[str, bool, Any]]
"""By link: the record named, whether by hand, and when it was stated."""


async def links(connection: Connection, profile_ids: Collection[UUID]) -> Links:
    """The relations that profiles state."""
    rows = await connection.fetch(
        "SELECT profile_id, type, to_profile, record, manual, stated_at FROM relation WHERE profile_id = ANY($1)",
        sorted(profile_ids),
    )
    return {tuple(row)[:3]: tuple(row)[3:] for row in rows}


async def end(connection: Connection, ended: Sequence[Link]) -> None:
    """Removes relations."""
    await connection.execute(
        "DELETE FROM relation WHERE (profile_id, type, to_profile) IN "
        "(SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[]))",
        *(list(column) for column in zip(*ended, strict=True)),
    )


async def save(connection: Connection, rows: Collection[tuple[Any, ...]]) -> None:
    """Keeps relations: profile, type, target, the record named, whether by hand, and when it was stated."""
    await connection.executemany(
        "INSERT INTO relation (profile_id, type, to_profile, record, manual, stated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (profile_id, type, to_profile) DO UPDATE "
        "SET record = excluded.record, manual = excluded.manual, stated_at = excluded.stated_at",
        rows,
    )


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


async def related(connection: Connection, own: Collection[tuple[UUID, UUID]]) -> dict[UUID, Related]:
    """The customers that these are related to; `own` are pairs of a customer and one of its profiles."""
    found: defaultdict[UUID, Related] = defaultdict(Related)
    rows = await connection.fetch(
        _RELATED, [customer_id for customer_id, _ in own], [profile_id for _, profile_id in own], SHOWN
    )
    for row in rows:
        one = found[row["own_customer"]]
        if row["total"] is not None:
            one.incoming.append(Incoming(row["type"], row["customer_id"], row["stated_at"], row["total"]))
            continue
        record = orjson.loads(row["record"])
        relation = Relation(row["type"], row["to_profile"], record, row["manual"], row["stated_at"])
        one.outgoing.append(Outgoing(relation, row["customer_id"], row["mutual"]))
    return found


async def names(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, Any]:
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
    """Takes the stale customers for one transaction."""
    rows = await connection.fetch(
        "DELETE FROM stale_customer WHERE customer_id IN "
        "(SELECT customer_id FROM stale_customer ORDER BY customer_id LIMIT $1) RETURNING customer_id",
        AT_ONCE,
    )
    return [row["customer_id"] for row in rows]


BY_LINE: Final[Keyset[tuple[str, str, UUID]]] = Keyset(str, str, UUID)
"""The order of a customer's relations: by direction, type and the other customer."""
_PAGE = f"""
WITH outgoing AS (
    SELECT r.type, coalesce(m.customer_id, r.to_profile) AS customer_id, max(r.stated_at) AS stated_at,
           bool_or(r.manual) AS manual
    FROM membership own JOIN relation r USING (profile_id) LEFT JOIN membership m ON m.profile_id = r.to_profile
    WHERE own.customer_id = $1 GROUP BY 1, 2
), incoming AS (
    SELECT r.type, m.customer_id, max(r.stated_at) AS stated_at, bool_or(r.manual) AS manual
    FROM membership own JOIN relation r ON r.to_profile = own.profile_id
    JOIN membership m ON m.profile_id = r.profile_id
    WHERE own.customer_id = $1 GROUP BY 1, 2
), lines AS (
    SELECT 'outgoing' AS direction, * FROM outgoing
    UNION ALL SELECT 'incoming', * FROM incoming WHERE customer_id <> $1
)
SELECT l.*, v.identity, EXISTS (SELECT FROM outgoing o JOIN incoming i USING (type, customer_id)
                                WHERE o.type = l.type AND o.customer_id = l.customer_id) AS mutual
FROM lines l LEFT JOIN customer_view v ON v.customer_id = l.customer_id
WHERE ($2::text IS NULL OR l.type = $2) AND ($3::text IS NULL OR direction = $3)
AND {BY_LINE.behind("direction, l.type, l.customer_id", 4, ">")}
ORDER BY direction, l.type, l.customer_id LIMIT $7
"""


async def page(
    connection: Connection,
    customer_id: UUID,
    type_: str | None,
    direction: str | None,
    after: tuple[str, str, UUID] | None,
    limit: int,
) -> list[Row]:
    """Relations of a customer in both directions, in the order of direction, type and customer."""
    return await connection.fetch(_PAGE, customer_id, type_, direction, *BY_LINE.parameters(after), limit)
