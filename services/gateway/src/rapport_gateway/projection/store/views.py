"""The rendered rows of customers, and the changes that streams and the state topic follow."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_gateway.view.sections import SECTIONS
from rapport_shared.database import Connection, Row

COLUMNS = ", ".join(SECTIONS)


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


async def prune_changes(connection: Connection, before: datetime) -> None:
    """Forgets old changes."""
    await connection.execute("DELETE FROM change WHERE at < $1", before)
