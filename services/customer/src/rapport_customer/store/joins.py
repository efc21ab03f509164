"""Joins, and the customers that they make of profiles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_customer.domain.joins import Founding, Membership
from rapport_customer.domain.routing import RoutedProfile
from rapport_shared.contracts.customer import CustomerMerged, ProfileMove, ProfileState
from rapport_shared.database import Connection, Database

_JOIN_LOCK = 0x6A6F_696E


@dataclass(frozen=True, slots=True)
class StoredJoin:
    """A join as it is kept."""

    merge_id: UUID
    from_customer: UUID
    into_profile: UUID
    reason: str
    decided_by: str | None
    made_at: datetime
    undone: bool
    undone_by: str | None
    last_recorded_at: datetime
    event_id: UUID


async def lock_joins(connection: Connection) -> None:
    """Serialises everything that makes or ends a join, until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _JOIN_LOCK)


async def routed_profiles(connection: Connection, ids: Collection[UUID]) -> dict[UUID, RoutedProfile]:
    """Returns the customer of each profile, and whether any profile of the customer is registered."""
    rows = await connection.fetch(
        "WITH asked AS (SELECT a.id AS profile_id, coalesce(m.customer_id, a.id) AS customer_id "
        "  FROM unnest($1::uuid[]) AS a (id) LEFT JOIN membership m ON m.profile_id = a.id) "
        "SELECT asked.profile_id, asked.customer_id, "
        "  EXISTS (SELECT 1 FROM membership m JOIN profile p USING (profile_id) "
        "    WHERE p.registered AND m.customer_id = asked.customer_id) AS registered FROM asked",
        list(ids),
    )
    return {row["profile_id"]: RoutedProfile(row["profile_id"], row["customer_id"], row["registered"]) for row in rows}


async def memberships(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Membership]:
    """The membership of each profile; an unknown one is its own customer."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id, mapping_seq FROM membership WHERE profile_id = ANY($1)", list(ids)
    )
    found = {row["profile_id"]: Membership(row["profile_id"], row["customer_id"], row["mapping_seq"]) for row in rows}
    return {profile_id: found.get(profile_id, Membership(profile_id, profile_id, 0)) for profile_id in ids}


async def members(connection: Connection, customer_id: UUID) -> list[Membership]:
    """The profiles of a customer, in order."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id, mapping_seq FROM membership WHERE customer_id = $1 ORDER BY profile_id",
        customer_id,
    )
    return [Membership(row["profile_id"], row["customer_id"], row["mapping_seq"]) for row in rows]


async def count_members(connection: Connection, customer_id: UUID) -> int:
    """How many profiles a customer has."""
    count: int = await connection.fetchval("SELECT count(*) FROM membership WHERE customer_id = $1", customer_id)
    return count


async def branch(connection: Connection, root: UUID) -> list[Membership]:
    """Returns the founding profile `root` and every profile below it by joins in force."""
    rows = await connection.fetch(
        "WITH RECURSIVE below (profile_id) AS ("
        "  SELECT $1::uuid UNION SELECT j.from_customer FROM below b "
        "  JOIN customer_join j ON j.into_profile = b.profile_id AND NOT j.undone"
        ") SELECT m.profile_id, m.customer_id, m.mapping_seq FROM below JOIN membership m USING (profile_id)",
        root,
    )
    return [Membership(row["profile_id"], row["customer_id"], row["mapping_seq"]) for row in rows]


async def records_of_customers(connection: Connection, customer_ids: Sequence[UUID]) -> dict[UUID, list[ProfileState]]:
    """The registers of the profiles of each customer, in the order given and then by profile."""
    rows = await connection.fetch(
        "SELECT m.customer_id, p.state FROM membership m JOIN profile p USING (profile_id) "
        "WHERE m.customer_id = ANY($1) AND p.sequence > 0 ORDER BY p.profile_id",
        list(customer_ids),
    )
    found: dict[UUID, list[ProfileState]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        found[row["customer_id"]].append(ProfileState.model_validate_json(row["state"]))
    return found


async def founding(connection: Connection, customer_id: UUID) -> Founding:
    """What a survivor is chosen by. The customer is known."""
    state = await connection.fetchval("SELECT state FROM profile WHERE profile_id = $1", customer_id)
    standing = (await routed_profiles(connection, [customer_id]))[customer_id]
    created_at = ProfileState.model_validate_json(state).created_at
    return Founding(customer_id, standing.registered, created_at)


async def begin_membership(connection: Connection, profile_id: UUID) -> None:
    """A new profile is its own customer."""
    await connection.execute(
        "INSERT INTO membership (profile_id, customer_id) VALUES ($1, $1) ON CONFLICT DO NOTHING", profile_id
    )


async def save_moves(connection: Connection, moves: Sequence[ProfileMove]) -> None:
    """Keeps the customers that profiles moved to."""
    await connection.execute(
        "INSERT INTO membership (profile_id, customer_id, mapping_seq) "
        "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) "
        "ON CONFLICT (profile_id) DO UPDATE "
        "SET customer_id = excluded.customer_id, mapping_seq = excluded.mapping_seq",
        [move.profile_id for move in moves],
        [move.customer_id for move in moves],
        [move.mapping_seq for move in moves],
    )


async def save_join(connection: Connection, merged: CustomerMerged, recorded_at: datetime) -> None:
    """Keeps a join."""
    await connection.execute(
        "INSERT INTO customer_join (merge_id, from_customer, into_profile, reason, decided_by, made_at, "
        "last_recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
        merged.merge_id,
        merged.from_customer,
        merged.into_profile,
        merged.reason,
        merged.decided_by,
        recorded_at,
    )


async def end_join(connection: Connection, merge_id: UUID, undone_by: str | None, recorded_at: datetime) -> None:
    """Keeps that a join was undone."""
    await connection.execute(
        "UPDATE customer_join SET undone = true, undone_by = $2, last_recorded_at = $3 WHERE merge_id = $1",
        merge_id,
        undone_by,
        recorded_at,
    )


async def read_join(connection: Connection, merge_id: UUID) -> StoredJoin | None:
    """A join; None for an id that is not known."""
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM customer_join WHERE merge_id = $1", merge_id)
    return None if row is None else StoredJoin(*row)


async def joins_of_customer(database: Database, customer_id: UUID) -> list[StoredJoin]:
    """The joins that a customer's profiles were ever part of, the latest first."""
    rows = await database.fetch(
        f"SELECT {_COLUMNS} FROM customer_join WHERE from_customer IN "
        "(SELECT profile_id FROM membership WHERE customer_id = $1) OR into_profile IN "
        "(SELECT profile_id FROM membership WHERE customer_id = $1) ORDER BY made_at DESC, merge_id DESC LIMIT 1000",
        customer_id,
    )
    return [StoredJoin(*row) for row in rows]


_COLUMNS = (
    "merge_id, from_customer, into_profile, reason, decided_by, made_at, undone, undone_by, last_recorded_at, "
    "(SELECT event_id FROM event_log WHERE aggregate = 'merge:' || merge_id ORDER BY sequence DESC LIMIT 1)"
)
