"""Registers of other services, as they were last stated: units, attributes of profiles, cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_scoring.domain.facts import Case
from rapport_scoring.store.recordings import Fields
from rapport_shared.database import Connection, Reading, Row

UNSTATED_ZONE: Final = "UTC"
"""By which days are counted in a unit that nobody has stated yet."""

_PUT_UNITS = """
INSERT INTO unit (path, time_zone, sequence) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
ON CONFLICT (path) DO UPDATE SET time_zone = excluded.time_zone, sequence = excluded.sequence
WHERE unit.sequence < excluded.sequence
RETURNING path, time_zone
"""
_ZONES = "SELECT path, time_zone FROM unit WHERE path = ANY($1::text[]) ORDER BY path FOR UPDATE"
_PLACE_UNITS = f"""
INSERT INTO unit (path, time_zone, sequence) SELECT path, '{UNSTATED_ZONE}', 0 FROM unnest($1::text[]) AS named (path)
ON CONFLICT DO NOTHING
"""
_PUT_PROFILES = """
INSERT INTO profile_register (profile_id, sequence, unit, registered_at, reported_at, attributes, registered,
                              created_at)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                     $7::boolean[], $8::timestamptz[])
ON CONFLICT (profile_id) DO UPDATE SET sequence = excluded.sequence, unit = excluded.unit,
    registered_at = excluded.registered_at, reported_at = excluded.reported_at, attributes = excluded.attributes,
    registered = excluded.registered, created_at = excluded.created_at
WHERE profile_register.sequence < excluded.sequence
    OR (profile_register.sequence = excluded.sequence AND profile_register.created_at IS NULL)
RETURNING profile_id
"""
_PROFILES = """
SELECT r.profile_id, r.unit, r.registered_at, r.reported_at, r.attributes, r.registered, r.created_at, u.time_zone
FROM profile_register r LEFT JOIN unit u ON u.path = r.unit WHERE r.profile_id = ANY($1::uuid[])
"""
_PUT_CASES = """
INSERT INTO ticket_case (ticket_id, sequence, event_id, profile_id, kind, state, open, opened_at, changed_at,
                         responded_at, resolved_at)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::boolean[],
                     $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[])
ON CONFLICT (ticket_id) DO UPDATE SET sequence = excluded.sequence, event_id = excluded.event_id,
    profile_id = excluded.profile_id, kind = excluded.kind, state = excluded.state, open = excluded.open,
    opened_at = excluded.opened_at, changed_at = excluded.changed_at, responded_at = excluded.responded_at,
    resolved_at = excluded.resolved_at
WHERE ticket_case.sequence < excluded.sequence
RETURNING ticket_id
"""
_LOCK_CASES = """
SELECT ticket_id, event_id, profile_id, kind, state, open, opened_at, changed_at, responded_at, resolved_at
FROM ticket_case WHERE ticket_id = ANY($1::uuid[]) ORDER BY ticket_id FOR UPDATE
"""
_CASES = """
SELECT ticket_id, event_id, profile_id, kind, state, open, opened_at, changed_at, responded_at, resolved_at
FROM ticket_case WHERE profile_id = ANY($1::uuid[])
"""


@dataclass(frozen=True, slots=True)
class ProfileRegister:
    """A profile as an event states it: its unit, and the candidates of its attributes by name, as JSON.

    `registered_at` is when the customer service registered it, `reported_at` when what it was told of happened: who
    was a customer long before may be registered today. `registered` and `created_at` are its place among the profiles
    of a customer.
    """

    profile_id: UUID
    sequence: int
    unit: str | None
    registered: bool
    created_at: datetime
    registered_at: datetime | None
    reported_at: datetime | None
    attributes: str


@dataclass(frozen=True, slots=True)
class CaseRegister:
    """A ticket as an event states it; the highest sequence stands."""

    sequence: int
    case: Case
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A ticket as it was kept, None for one that is new, as it is now, and when it changed."""

    before: Case | None
    after: Case
    changed_at: datetime


async def name_units(connection: Connection, paths: Sequence[str]) -> None:
    """Takes note of units (sorted) that facts name, for some may not have been stated yet."""
    await connection.execute(_PLACE_UNITS, paths)


async def put_units(connection: Connection, units: Sequence[tuple[str, str, int]]) -> list[str]:
    """Keeps the zone of units (path, zone, sequence; each path once, sorted); the highest sequence stays.

    Answers the units that facts may name whose days were counted in another zone until now.
    """
    paths, zones, sequences = (list(column) for column in zip(*units, strict=True))
    before = {row["path"]: row["time_zone"] for row in await connection.fetch(_ZONES, paths)}
    after = await connection.fetch(_PUT_UNITS, paths, zones, sequences)
    return sorted(row["path"] for row in after if before.get(row["path"], row["time_zone"]) != row["time_zone"])


async def put_profiles(connection: Connection, registers: Sequence[ProfileRegister]) -> set[UUID]:
    """Keeps registers of profiles (each once, sorted by id); the highest sequence stays. Answers those that changed."""
    rows = await connection.fetch(
        _PUT_PROFILES,
        [register.profile_id for register in registers],
        [register.sequence for register in registers],
        [register.unit for register in registers],
        [register.registered_at for register in registers],
        [register.reported_at for register in registers],
        [register.attributes for register in registers],
        [register.registered for register in registers],
        [register.created_at for register in registers],
    )
    return {row["profile_id"] for row in rows}


async def profile_registers(connection: Reading, profiles: Sequence[UUID]) -> list[Row]:
    """Unit and attributes of each profile that was stated."""
    return await connection.fetch(_PROFILES, profiles)


async def put_cases(connection: Connection, registers: Sequence[CaseRegister]) -> list[ChangedCase]:
    """Keeps cases (each once, sorted by id); the highest sequence stays. Answers those that changed."""
    cases = [register.case for register in registers]
    known = await connection.fetch(_LOCK_CASES, [case.ticket_id for case in cases])
    before = {row["ticket_id"]: case_of(row) for row in known}
    rows = await connection.fetch(
        _PUT_CASES,
        [case.ticket_id for case in cases],
        [register.sequence for register in registers],
        [case.event_id for case in cases],
        [case.profile_id for case in cases],
        [case.kind for case in cases],
        [case.state for case in cases],
        [case.open for case in cases],
        [case.opened_at for case in cases],
        [register.changed_at for register in registers],
        [case.responded_at for case in cases],
        [case.resolved_at for case in cases],
    )
    changed = {row["ticket_id"] for row in rows}
    return [
        ChangedCase(before.get(register.case.ticket_id), register.case, register.changed_at)
        for register in registers
        if register.case.ticket_id in changed
    ]


async def cases_of(connection: Reading, profiles: Sequence[UUID]) -> list[Row]:
    """The cases of profiles, each with when it last changed."""
    return await connection.fetch(_CASES, profiles)


def case_of(row: Fields) -> Case:
    """A case as it is kept."""
    return Case(
        ticket_id=row["ticket_id"],
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        kind=row["kind"],
        state=row["state"],
        open=row["open"],
        opened_at=row["opened_at"],
        responded_at=row["responded_at"],
        resolved_at=row["resolved_at"],
    )


async def time_zones(database: Reading) -> list[str]:
    """The time zones of the firm's units."""
    rows = await database.fetch("SELECT DISTINCT time_zone FROM unit")
    return [row["time_zone"] for row in rows]
