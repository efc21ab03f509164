"""The SQL of the matcher: its queue, and the features and blocks of profiles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_customer.domain.matching import CAP
from rapport_shared.contracts.customer import ProfileState
from rapport_shared.database import Connection, Database, Reading

SIMILAR_LIMIT = 20
SIMILARITY = 0.6
"""Of trigrams, from which on two names and addresses are compared although they share no block."""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """What a profile is compared by and found by. `features` is JSON text."""

    profile_id: UUID
    version: int
    features: str
    trigrams: str
    blocks: Sequence[str]


async def queue_match(connection: Connection, profile_ids: Collection[UUID]) -> None:
    """Queues profiles for matching. A profile that waits already moves to the end of the queue."""
    await connection.execute(
        "INSERT INTO match_queue (profile_id) SELECT unnest($1::uuid[]) ON CONFLICT (profile_id) "
        "DO UPDATE SET place = DEFAULT",
        sorted(profile_ids),
    )


async def waiting_to_match(connection: Connection, limit: int) -> list[tuple[UUID, int, ProfileState]]:
    """The profiles that waited longest, with their place in the queue and their register."""
    rows = await connection.fetch(
        "SELECT q.profile_id, q.place, p.state FROM match_queue q JOIN profile p USING (profile_id) "
        "WHERE p.state IS NOT NULL ORDER BY q.place LIMIT $1",
        limit,
    )
    return [(row["profile_id"], row["place"], ProfileState.model_validate_json(row["state"])) for row in rows]


async def dequeue(connection: Connection, places: Mapping[UUID, int]) -> None:
    """Takes profiles off the queue, unless they have changed since they were read.

    Skips locked rows: their transaction may wait for the lock of joins, so waiting for them could deadlock.
    """
    await connection.execute(
        "DELETE FROM match_queue WHERE profile_id IN ("
        "  SELECT q.profile_id FROM match_queue q JOIN unnest($1::uuid[], $2::bigint[]) AS done (profile_id, place) "
        "  USING (profile_id, place) FOR UPDATE OF q SKIP LOCKED)",
        list(places),
        list(places.values()),
    )


async def save_match_rows(connection: Connection, rows: Sequence[MatchRow]) -> None:
    """Keeps what profiles are compared by, and replaces their blocks."""
    ids = [row.profile_id for row in rows]
    pairs = sorted({(block, row.profile_id) for row in rows for block in row.blocks})
    blocks, profiles = [block for block, _ in pairs], [profile_id for _, profile_id in pairs]
    await connection.execute(
        "DELETE FROM match_block b USING ("
        "  SELECT unnest(blocks) AS block, profile_id FROM match_features WHERE profile_id = ANY($1)"
        "  EXCEPT SELECT * FROM unnest($2::text[], $3::uuid[])"
        ") AS former WHERE b.block = former.block AND b.profile_id = former.profile_id",
        ids,
        blocks,
        profiles,
    )
    await connection.execute(
        "INSERT INTO match_block (block, profile_id) SELECT * FROM unnest($1::text[], $2::uuid[]) "
        "ON CONFLICT DO NOTHING",
        blocks,
        profiles,
    )
    await connection.execute(
        "INSERT INTO match_features (profile_id, version, features, trigrams, blocks) "
        "SELECT id, version, features, trigrams, string_to_array(blocks, E'\\x1f') "
        "FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[]) "
        "  AS t (id, version, features, trigrams, blocks) "
        "ON CONFLICT (profile_id) DO UPDATE SET version = excluded.version, features = excluded.features, "
        "trigrams = excluded.trigrams, blocks = excluded.blocks",
        ids,
        [row.version for row in rows],
        [row.features for row in rows],
        [row.trigrams for row in rows],
        ["\x1f".join(row.blocks) for row in rows],
    )


async def profiles_in_blocks(connection: Reading, blocks: Collection[str]) -> dict[str, list[UUID]]:
    """The profiles of each block; none of one that more than `CAP` share."""
    rows = await connection.fetch(
        "SELECT b.block, array_agg(found.profile_id) AS profiles FROM unnest($1::text[]) AS b (block), "
        "LATERAL (SELECT profile_id FROM match_block m WHERE m.block = b.block LIMIT $2) AS found GROUP BY b.block",
        sorted(blocks),
        CAP + 1,
    )
    return {row["block"]: row["profiles"] for row in rows if len(row["profiles"]) <= CAP}


async def similar_profiles(connection: Connection, trigrams: str) -> list[UUID]:
    """The profiles whose name and address are spelt most alike."""
    rows = await connection.fetch(
        "SELECT profile_id FROM match_features WHERE trigrams % $1 ORDER BY similarity(trigrams, $1) DESC LIMIT $2",
        trigrams,
        SIMILAR_LIMIT,
    )
    return [row["profile_id"] for row in rows]


async def be_strict_on_similarity(connection: Connection) -> None:
    """Until the transaction ends, `%` means a similarity of `SIMILARITY`."""
    await connection.execute(f"SET LOCAL pg_trgm.similarity_threshold = {SIMILARITY}")


async def features_of_profiles(connection: Reading, ids: Collection[UUID]) -> dict[UUID, str]:
    """What profiles are compared by, as JSON text; profiles that were never matched are missing."""
    rows = await connection.fetch(
        "SELECT profile_id, features FROM match_features WHERE profile_id = ANY($1)", sorted(ids)
    )
    return {row["profile_id"]: row["features"] for row in rows}


async def features_of_customers(connection: Connection, ids: Collection[UUID]) -> dict[UUID, dict[UUID, str]]:
    """What the profiles of each customer are compared by."""
    rows = await connection.fetch(
        "SELECT m.customer_id, profile_id, f.features FROM membership m JOIN match_features f USING (profile_id) "
        "WHERE m.customer_id = ANY($1)",
        sorted(ids),
    )
    found: dict[UUID, dict[UUID, str]] = {customer_id: {} for customer_id in ids}
    for row in rows:
        found[row["customer_id"]][row["profile_id"]] = row["features"]
    return found


async def pairs_in_blocks(database: Database, cap: int, limit: int) -> list[tuple[UUID, UUID]]:
    """Pairs of profiles that share a block which no more than `cap` share, in order, each once."""
    rows = await database.fetch(
        "WITH small AS (SELECT block FROM match_block GROUP BY block HAVING count(*) BETWEEN 2 AND $1) "
        "SELECT DISTINCT a.profile_id AS one, b.profile_id AS other FROM small "
        "JOIN match_block a USING (block) JOIN match_block b USING (block) "
        "WHERE a.profile_id < b.profile_id ORDER BY one, other LIMIT $2",
        cap,
        limit,
    )
    return [(row["one"], row["other"]) for row in rows]


async def customers_of_profiles(database: Database, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile that is known."""
    rows = await database.fetch("SELECT profile_id, customer_id FROM membership WHERE profile_id = ANY($1)", list(ids))
    return {row["profile_id"]: row["customer_id"] for row in rows}


async def customers_of_routes(database: Database, keys: Collection[str]) -> dict[str, tuple[UUID, UUID]]:
    """Customer and profile that touches by each identifier go to; those that go nowhere are missing."""
    rows = await database.fetch(
        "SELECT identifier_key, customer_id, profile_id FROM route JOIN membership USING (profile_id) "
        "WHERE identifier_key = ANY($1)",
        list(keys),
    )
    return {row["identifier_key"]: (row["customer_id"], row["profile_id"]) for row in rows}


async def outdated_features(connection: Connection, profile_ids: Collection[UUID], version: int) -> list[UUID]:
    """Those of registered profiles that are compared by features of another version, or by none yet."""
    rows = await connection.fetch(
        "SELECT p.profile_id FROM profile p LEFT JOIN match_features f USING (profile_id) "
        "WHERE p.profile_id = ANY($1) AND p.registered AND f.version IS DISTINCT FROM $2",
        list(profile_ids),
        version,
    )
    return [row["profile_id"] for row in rows]


async def sample_of_features(database: Database, size: int) -> list[str]:
    """What some profiles are compared by, as JSON text: the same ones for the same base, spread over all of it."""
    rows = await database.fetch("SELECT features FROM match_features ORDER BY md5(profile_id::text) LIMIT $1", size)
    return [row["features"] for row in rows]
