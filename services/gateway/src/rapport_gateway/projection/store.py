"""The SQL of a run of the view. Every statement works in the schema of its run, by the connection's search path."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from rapport_gateway.view.assets import holder
from rapport_gateway.view.facts import Fact, State
from rapport_gateway.view.sections import SECTIONS, Place
from rapport_shared.database import Connection, Row

_COLUMNS = ", ".join(SECTIONS)
_REPLACED = (*SECTIONS, "version", "seq", "as_of", "moved_to", "search_text", "units")


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


async def insert_facts(connection: Connection, facts: Sequence[Fact]) -> set[UUID]:
    """Keeps facts and answers which of them are new."""
    rows = await connection.fetch(
        "INSERT INTO fact (event_id, type, subject, profile_id, touchpoint_id, interaction_id, kind, channel, "
        "occurred_at, recorded_at, sequence, data) "
        "SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::text[], "
        "$8::text[], $9::timestamptz[], $10::timestamptz[], $11::bigint[], $12::text[]) "
        "ON CONFLICT (event_id) DO NOTHING RETURNING event_id",
        [fact.event_id for fact in facts],
        [fact.type for fact in facts],
        [fact.subject for fact in facts],
        [fact.profile_id for fact in facts],
        [fact.touchpoint_id for fact in facts],
        [fact.data.get("interaction_id") for fact in facts],
        [fact.data.get("kind") if fact.type == "interaction.recorded" else None for fact in facts],
        [fact.data.get("channel") if fact.type == "interaction.recorded" else None for fact in facts],
        [fact.occurred_at for fact in facts],
        [fact.recorded_at for fact in facts],
        [fact.sequence for fact in facts],
        [fact.text for fact in facts],
    )
    return {row["event_id"] for row in rows}


async def insert_retractions(connection: Connection, event_ids: Collection[UUID]) -> None:
    """Keeps which recordings no longer count."""
    await connection.execute(
        "INSERT INTO retraction SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING", sorted(event_ids)
    )


async def retracted(connection: Connection, event_ids: Collection[UUID]) -> set[UUID]:
    """Those of `event_ids` that no longer count."""
    rows = await connection.fetch("SELECT event_id FROM retraction WHERE event_id = ANY($1)", list(event_ids))
    return {row["event_id"] for row in rows}


async def mended_interactions(connection: Connection, interaction_ids: Collection[UUID]) -> set[UUID]:
    """Those of `interaction_ids` that had an entry which no longer counts."""
    rows = await connection.fetch(
        "SELECT DISTINCT interaction_id FROM fact WHERE interaction_id = ANY($1) AND type = 'interaction.retracted'",
        list(interaction_ids),
    )
    return {row["interaction_id"] for row in rows}


async def profiles_of_facts(connection: Connection, event_ids: Collection[UUID]) -> set[UUID]:
    """The profiles of facts that are kept."""
    rows = await connection.fetch(
        "SELECT DISTINCT profile_id FROM fact WHERE event_id = ANY($1) AND profile_id IS NOT NULL", list(event_ids)
    )
    return {row["profile_id"] for row in rows}


async def standing_recordings(connection: Connection, profile_id: UUID) -> list[Fact]:
    """A profile's recordings that count."""
    rows = await connection.fetch(
        "SELECT f.* FROM fact f LEFT JOIN retraction r USING (event_id) "
        "WHERE f.profile_id = $1 AND f.type = 'interaction.recorded' AND r.event_id IS NULL",
        profile_id,
    )
    return [as_fact(row) for row in rows]


def as_fact(row: Row) -> Fact:
    """A kept fact."""
    return Fact(
        event_id=row["event_id"],
        type=row["type"],
        subject=row["subject"],
        profile_id=row["profile_id"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        sequence=row["sequence"],
        data=orjson.loads(row["data"]),
        text=row["data"],
        touchpoint_id=row["touchpoint_id"],
    )


async def begin_memberships(connection: Connection, profile_ids: Collection[UUID]) -> None:
    """An unknown profile maps to itself."""
    await connection.execute(
        "INSERT INTO membership (profile_id, customer_id) SELECT id, id FROM unnest($1::uuid[]) AS t (id) "
        "ON CONFLICT DO NOTHING",
        sorted(profile_ids),
    )


async def lock_customers(connection: Connection, profile_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile, held still while facts are folded."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id FROM membership WHERE profile_id = ANY($1) ORDER BY profile_id FOR SHARE",
        list(profile_ids),
    )
    return {row["profile_id"]: row["customer_id"] for row in rows}


async def move_profile(connection: Connection, profile_id: UUID, customer_id: UUID, mapping_seq: int) -> UUID | None:
    """Moves a profile to a customer, unless a later move is known; answers the customer it came from."""
    former: UUID | None = await connection.fetchval(
        "WITH before AS (SELECT customer_id FROM membership WHERE profile_id = $1 FOR UPDATE) "
        "UPDATE membership m SET customer_id = $2, mapping_seq = $3 FROM before "
        "WHERE m.profile_id = $1 AND m.mapping_seq < $3 RETURNING before.customer_id",
        profile_id,
        customer_id,
        mapping_seq,
    )
    return former


async def members(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The profiles of each customer, in order; none for one that was merged away."""
    rows = await connection.fetch(
        "SELECT customer_id, profile_id FROM membership WHERE customer_id = ANY($1) ORDER BY customer_id, profile_id",
        list(customer_ids),
    )
    found: dict[UUID, list[UUID]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        found[row["customer_id"]].append(row["profile_id"])
    return found


async def customers_of(connection: Connection, profile_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The customer of each profile that is known."""
    rows = await connection.fetch(
        "SELECT profile_id, customer_id FROM membership WHERE profile_id = ANY($1)", list(profile_ids)
    )
    return {row["profile_id"]: row["customer_id"] for row in rows}


async def load_partials(connection: Connection, places: Collection[Place]) -> dict[Place, State]:
    """The partials at `places` that exist."""
    ordered = list(places)
    rows = await connection.fetch(
        "SELECT p.profile_id, p.section, p.item, p.state FROM partial p "
        "JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS t (profile_id, section, item) "
        "USING (profile_id, section, item)",
        [place.profile_id for place in ordered],
        [place.section for place in ordered],
        [place.item for place in ordered],
    )
    return {as_place(row): orjson.loads(row["state"]) for row in rows}


async def save_partials(connection: Connection, partials: Mapping[Place, State]) -> None:
    """Keeps partials."""
    ordered = sorted(partials, key=lambda place: (place.profile_id, place.section, place.item))
    await connection.execute(
        "INSERT INTO partial (profile_id, section, item, state) "
        "SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) "
        "ON CONFLICT (profile_id, section, item) DO UPDATE SET state = excluded.state",
        [place.profile_id for place in ordered],
        [place.section for place in ordered],
        [place.item for place in ordered],
        [orjson.dumps(partials[place]).decode() for place in ordered],
    )


async def forget_partials(connection: Connection, profile_id: UUID, sections: Sequence[str]) -> None:
    """Removes a profile's partials of some sections."""
    await connection.execute(
        "DELETE FROM partial WHERE profile_id = $1 AND section = ANY($2)", profile_id, list(sections)
    )


async def partials_of(connection: Connection, places: Collection[tuple[UUID, str]]) -> list[tuple[Place, State]]:
    """All partials of the sections of profiles that are asked for."""
    rows = await connection.fetch(
        "SELECT profile_id, section, item, state FROM partial "
        "JOIN unnest($1::uuid[], $2::text[]) AS t (profile_id, section) USING (profile_id, section)",
        [profile_id for profile_id, _ in places],
        [section for _, section in places],
    )
    return [(as_place(row), orjson.loads(row["state"])) for row in rows]


def as_place(row: Row) -> Place:
    """Where a partial stands."""
    return Place(row["profile_id"], row["section"], row["item"])


async def load_views(connection: Connection, customer_ids: Collection[UUID]) -> dict[UUID, StoredView]:
    """The rows of customers that have one."""
    rows = await connection.fetch(
        f"SELECT customer_id, version, seq, as_of, moved_to, units, {_COLUMNS} FROM customer_view "
        "WHERE customer_id = ANY($1)",
        list(customer_ids),
    )
    return {row["customer_id"]: as_view(row) for row in rows}


def as_view(row: Row) -> StoredView:
    """A row of the view."""
    sections = {name: row[name] for name in SECTIONS if row[name] is not None}
    units = tuple(row["units"])
    return StoredView(row["customer_id"], row["version"], row["seq"], row["as_of"], row["moved_to"], sections, units)


async def next_seqs(connection: Connection, run: int, count: int) -> int:
    """Takes `count` numbers of the run's changes and answers the first."""
    last: int = await connection.fetchval("UPDATE view_run SET seq = seq + $2 WHERE run = $1 RETURNING seq", run, count)
    return last - count + 1


async def save_views(connection: Connection, views: Sequence[StoredView], searches: Mapping[UUID, str]) -> None:
    """Keeps rows, each with the text that it is searched by."""
    section_arrays = ", ".join(f"${index + 8}::text[]" for index in range(len(SECTIONS)))
    replaced = ", ".join(f"{name} = excluded.{name}" for name in _REPLACED)
    await connection.execute(
        f"INSERT INTO customer_view (customer_id, version, seq, as_of, moved_to, search_text, units, {_COLUMNS}) "
        "SELECT customer_id, version, seq, as_of, moved_to, search_text, "
        f"coalesce(string_to_array(nullif(units, ''), E'\\n'), '{{}}'), {_COLUMNS} "
        f"FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::uuid[], $6::text[], "
        f"$7::text[], {section_arrays}) "
        f"AS t (customer_id, version, seq, as_of, moved_to, search_text, units, {_COLUMNS}) "
        f"ON CONFLICT (customer_id) DO UPDATE SET {replaced}",
        [view.customer_id for view in views],
        [view.version for view in views],
        [view.seq for view in views],
        [view.as_of for view in views],
        [view.moved_to for view in views],
        [searches[view.customer_id] for view in views],
        ["\n".join(view.units) for view in views],
        *([view.sections.get(name) for view in views] for name in SECTIONS),
    )


async def save_changes(
    connection: Connection, changes: Sequence[tuple[int, UUID, int, list[str]]], at: datetime
) -> None:
    """Keeps what changed, for streams and for the state topic."""
    await connection.execute(
        "INSERT INTO change (seq, customer_id, version, sections, at) "
        "SELECT seq, customer_id, version, string_to_array(sections, ','), $5 "
        "FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::text[]) AS t (seq, customer_id, version, sections)",
        [seq for seq, *_ in changes],
        [customer_id for _, customer_id, *_ in changes],
        [version for _, _, version, _ in changes],
        [",".join(sections) for *_, sections in changes],
        at,
    )


async def prune_changes(connection: Connection, before: datetime) -> None:
    """Forgets old changes."""
    await connection.execute("DELETE FROM change WHERE at < $1", before)


async def put_routes(connection: Connection, facts: Sequence[Fact]) -> None:
    """Takes over routes; a later one stays."""
    await connection.executemany(
        "INSERT INTO route (identifier_key, target, profile_id, route_seq) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (identifier_key) DO UPDATE SET target = excluded.target, profile_id = excluded.profile_id, "
        "route_seq = excluded.route_seq WHERE route.route_seq < excluded.route_seq",
        [
            (
                fact.data["identifier_key"],
                fact.data["target"],
                fact.data.get("profile_id"),
                fact.data["route_seq"],
            )
            for fact in facts
        ],
    )


async def put_held_identifiers(connection: Connection, held: Mapping[UUID, Collection[str]]) -> None:
    """Replaces the identifiers that profiles hold."""
    pairs = sorted((profile_id, key) for profile_id, keys in held.items() for key in keys)
    profiles, keys = [profile_id for profile_id, _ in pairs], [key for _, key in pairs]
    await connection.execute(
        "DELETE FROM held_identifier h WHERE h.profile_id = ANY($1) AND NOT EXISTS ("
        "  SELECT FROM unnest($2::uuid[], $3::text[]) AS t (profile_id, identifier_key)"
        "  WHERE t.profile_id = h.profile_id AND t.identifier_key = h.identifier_key)",
        sorted(held),
        profiles,
        keys,
    )
    await connection.execute(
        "INSERT INTO held_identifier SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING",
        profiles,
        keys,
    )


async def put_asset(connection: Connection, fact: Fact) -> None:
    """Takes over an asset's register, what finds it, and its holder; a later register stays."""
    asset = fact.data["asset"]
    newer = await connection.fetchval(
        "INSERT INTO asset (asset_id, register, sequence) VALUES ($1, $2, $3) ON CONFLICT (asset_id) DO UPDATE "
        "SET register = excluded.register, sequence = excluded.sequence WHERE asset.sequence < excluded.sequence "
        "RETURNING true",
        UUID(asset["asset_id"]),
        orjson.dumps(asset).decode(),
        fact.sequence,
    )
    if not newer:
        return
    await connection.execute("DELETE FROM asset_key WHERE asset_id = $1", UUID(asset["asset_id"]))
    await connection.executemany(
        "INSERT INTO asset_key (asset_key, asset_id, holder, sequence) VALUES ($1, $2, $3, $4)",
        [(key["key"], asset["asset_id"], holder(asset), fact.sequence) for key in asset.get("keys") or ()],
    )


async def put_unit(connection: Connection, fact: Fact) -> None:
    """Takes over a unit; a later register stays."""
    await connection.execute(
        "INSERT INTO unit (path, state, sequence) VALUES ($1, $2, $3) ON CONFLICT (path) DO UPDATE "
        "SET state = excluded.state, sequence = excluded.sequence WHERE unit.sequence < excluded.sequence",
        fact.data["unit"]["path"],
        orjson.dumps(fact.data["unit"]).decode(),
        fact.sequence,
    )
