"""The rendered rows of customers, and the changes that streams and the state topic follow."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_gateway.view.sections import SECTIONS
from rapport_shared.database import Connection, Reading, Row

COLUMNS = ", ".join(SECTIONS)
_CHANGED = """
SELECT customer_id, max(seq) AS seq FROM (SELECT customer_id, seq FROM change WHERE seq > $1 ORDER BY seq LIMIT $2) news
GROUP BY customer_id ORDER BY max(seq)
"""


@dataclass(frozen=True, slots=True)
class StoredView:
    """A customer's row: its sections as JSON text."""

    customer_id: UUID
    version: int
    seq: int
    as_of: datetime
    moved_to: UUID | None
    sections: Mapping[str, str]
    units: tuple[str, ...] = ()


async def load(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, StoredView]:
    """The rows of customers that have one."""
    rows = await connection.fetch(
        f"SELECT customer_id, version, seq, as_of, moved_to, units, {COLUMNS} FROM customer_view "
        "WHERE customer_id = ANY($1)",
        list(customer_ids),
    )
    return {row["customer_id"]: as_view(row) for row in rows}


def as_view(row: Row) -> StoredView:
    """A row of the view."""
    sections = {name: row[name] for name in SECTIONS if row[name] is not None}
    units = tuple(row["units"])
    return StoredView(row["customer_id"], row["version"], row["seq"], row["as_of"], row["moved_to"], sections, units)


async def units_of(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, tuple[str, ...]]:
    """The units of customers' profiles, of those that have a row."""
    rows = await connection.fetch(
        "SELECT customer_id, units FROM customer_view WHERE customer_id = ANY($1)", list(customer_ids)
    )
    return {row["customer_id"]: tuple(row["units"]) for row in rows}


async def names_of(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, str]:
    """What customers are called, of those that have a name; one that was merged is called as what it is part of now."""
    rows = await connection.fetch(
        "SELECT v.customer_id, coalesce(now.identity, v.identity)::jsonb ->> 'display_name' AS name "
        "FROM customer_view v LEFT JOIN customer_view now ON now.customer_id = v.moved_to "
        "WHERE v.customer_id = ANY($1)",
        list(customer_ids),
    )
    return {row["customer_id"]: row["name"] for row in rows if row["name"] is not None}


async def changes(connection: Connection, schema: str, after: int, until: int) -> list[tuple[UUID, frozenset[str]]]:
    """The changes of a run's schema after one number and up to another: customers with the sections that changed."""
    rows = await connection.fetch(
        f"SELECT customer_id, sections FROM {schema}.change WHERE seq > $1 AND seq <= $2", after, until
    )
    return [(row["customer_id"], frozenset(row["sections"])) for row in rows]


async def changed_sections(connection: Connection, customer_id: UUID, after: int) -> set[str]:
    """The sections of a customer that changed after a change of the run."""
    rows = await connection.fetch("SELECT sections FROM change WHERE customer_id = $1 AND seq > $2", customer_id, after)
    return {name for row in rows for name in row["sections"]}


async def oldest_change(connection: Connection) -> int | None:
    """The number of the oldest change that is kept."""
    oldest: int | None = await connection.fetchval("SELECT min(seq) FROM change")
    return oldest


async def changed_customers(view: Reading, after: int, limit: int) -> list[Row]:
    """Customers of the next `limit` changes after one of the run, each with its last change, in the order of these."""
    return await view.fetch(_CHANGED, after, limit)


async def first_change_since(view: Reading, instant: datetime) -> int | None:
    """The number of the first change after an instant."""
    rows = await view.fetch("SELECT min(seq) FROM change WHERE at > $1", instant)
    first: int | None = rows[0][0]
    return first


async def prune_changes(connection: Connection, before: datetime) -> None:
    """Forgets old changes."""
    await connection.execute("DELETE FROM change WHERE at < $1", before)
