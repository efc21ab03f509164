"""The lookups of imports in the view: the matches of rows, units, and the outcomes of touchpoints."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson

from rapport_gateway.projection.store import lookup, memberships, registers, touchpoints
from rapport_gateway.projection.store.runs import enter, live_run
from rapport_shared.contracts.customer import UnitState
from rapport_shared.database import Connection, Database

Found = TypeVar("Found")

_ATTEMPTS = 3
_TEXTS = {
    "source_record": "The source record is known: it becomes what the row says.",
    "routed": "Touchpoints with this identifier go to the customer.",
    "holds": "The customer holds this identifier.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A row: the profile of its source record, its identifiers as type and key (the deciding one first), its report.

    `report` is the `profile.reported` that the row becomes, as JSON; None for a row that is rejected.
    """

    source_profile: UUID | None
    keys: Sequence[tuple[str, str]]
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The customer that a row would match and the reasons; without a customer, why none is known."""

    customer_id: UUID | None
    reasons: Sequence[dict[str, Any]]


Matcher = Callable[[Sequence[Asked]], Awaitable[list[Match | None]]]
"""Returns the match of each row. Takes at most some hundred rows. May be repeated."""


def view_matcher(database: Database) -> Matcher:
    """Asks the registers of the live view: known source records, then routes, then who holds an identifier."""

    async def whom(rows: Sequence[Asked]) -> list[Match | None]:
        keys = [key for row in rows for _, key in row.keys]
        profiles = [row.source_profile for row in rows if row.source_profile is not None]
        records = await _of_live_run(database, lambda view: memberships.customers_of(view, profiles))
        routes = await _of_live_run(database, lambda view: lookup.routed_customers(view, keys))
        holders = await _of_live_run(database, lambda view: lookup.holding_customers(view, keys))
        return [_match(row, records, routes, holders) for row in rows]

    return whom


async def find_unit(database: Database, path: str) -> UnitState | None:
    """A unit, as the live view knows it."""
    return await _of_live_run(database, lambda view: registers.unit(view, path))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a touchpoint. `reason` says why it was quarantined."""

    state: str
    customer_id: UUID | None = None
    reason: str | None = None


async def outcomes(database: Database, touchpoint_ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    """What the live view knows of touchpoints; those that it has not seen are missing."""
    rows = await _of_live_run(database, lambda view: touchpoints.outcomes(view, touchpoint_ids))
    found: dict[UUID, Outcome] = {}
    for row in rows:
        if row["type"] == "interaction.quarantined":
            reason = orjson.loads(row["data"])["reason"]
            found.setdefault(row["id"], Outcome("quarantined", reason=reason))
        else:
            state = "anonymous" if row["profile_id"] is None else "recorded"
            found[row["id"]] = Outcome(state, row["customer_id"])
    return found


async def _of_live_run(database: Database, read: Callable[[Connection], Awaitable[Found]]) -> Found:
    """A read of the live run, wherever it is now: a run may be promoted, and the former one dropped, at any moment."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(asyncpg.UndefinedTableError):
            return await _read(database, read)
    return await _read(database, read)


async def _read(database: Database, read: Callable[[Connection], Awaitable[Found]]) -> Found:
    async with database.transaction() as connection:
        await enter(connection, await live_run(connection))
        return await read(connection)


def _match(row: Asked, records: dict[UUID, UUID], routes: dict[str, UUID], holders: dict[str, UUID]) -> Match | None:
    if row.source_profile in records:
        return Match(records[row.source_profile], [_reason("source_record")])
    for code, register in (("routed", routes), ("holds", holders)):
        for type_, key in row.keys:
            if key in register:
                return Match(register[key], [{**_reason(code), "identifier": type_}])
    return None


def _reason(code: str) -> dict[str, Any]:
    return {"code": code, "column": None, "message": _TEXTS[code]}
