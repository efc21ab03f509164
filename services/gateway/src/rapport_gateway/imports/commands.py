"""What callers do with imports. Each is one transaction."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.imports import mapping_store, row_store, store
from rapport_gateway.imports.mapping import SheetMapping
from rapport_gateway.imports.results import OWN_COLUMNS, result_row
from rapport_gateway.intake.touchpoints import OwnRulesFinder, nothing_declared
from rapport_shared.callers import Caller
from rapport_shared.clock import Clock
from rapport_shared.contracts.touchpoints.reading import AHEAD_AT_MOST
from rapport_shared.database import Connection, Database, Row
from rapport_shared.errors import CONFLICT, FORBIDDEN, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.pages import Page
from rapport_shared.units import lies_in
from rapport_shared.waiting import look_until

LOOKED_SECONDS = 0.1
RESULT_ROWS = 500
DEFAULT_CHANNEL = "erp"
SETTLED = frozenset({"undecided", "checked", "done", "failed", "cancelled"})
"""States that nobody but a caller ends."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an upload says beside its file."""

    name: str
    system: str
    channel: str | None
    unit: str | None
    historical: bool
    as_of: datetime | None
    mapping: str | None


@dataclass(frozen=True, slots=True)
class Imports:
    """Imports, for the API. A caller of a unit sees and makes those of its unit and what is below it."""

    database: Database
    unit_known: Callable[[str], Awaitable[Any]]
    clock: Clock
    own: OwnRulesFinder = nothing_declared

    async def plan(self, wanted: Wanted, caller: Caller) -> store.NewImport:
        """An import that the caller may make, its file still to come. Raises a 403, a 404 or a 422."""
        channel = wanted.channel or (DEFAULT_CHANNEL if caller.channel == "*" else caller.channel)
        if caller.channel not in ("*", channel):
            raise _refused(
                FORBIDDEN, "channel", "forbidden", f"The key reports for the channel {caller.channel} alone."
            )
        unit = wanted.unit or caller.unit
        if not lies_in(unit, caller.unit):
            raise _refused(FORBIDDEN, "unit", "forbidden", "The unit lies outside the key's.")
        if unit and await self.unit_known(unit) is None:
            raise _refused(VALIDATION, "unit", "unknown_unit", "The unit does not exist.")
        if wanted.as_of is not None and (wanted.as_of.tzinfo is None or wanted.as_of > self.clock() + AHEAD_AT_MOST):
            raise _refused(VALIDATION, "as_of", "time", "It is no instant with offset, or lies ahead.")
        mapping = await self._saved(wanted.mapping, caller) if wanted.mapping else None
        return store.NewImport(
            import_id=UUID(int=0),
            name=wanted.name,
            principal=UUID(caller.principal),
            may_verify=sorted(caller.may_verify),
            channel=channel,
            system=wanted.system,
            unit=unit,
            historical=wanted.historical,
            as_of=wanted.as_of,
            mapping=mapping.canonical() if mapping else None,
        )

    async def known(self, import_id: UUID, caller: Caller, wait_ms: int = 0) -> Row:
        """An import, at once or as soon as it waits for its caller or has ended. Raises a 404."""

        async def look() -> Row:
            async with self.database.connection() as connection:
                return _there(await store.find(connection, caller.unit, import_id))

        return await look_until(look, lambda row: row["state"] in SETTLED, wait_ms / 1000, LOOKED_SECONDS)

    async def map(self, import_id: UUID, name: str | None, mapping: SheetMapping | None, caller: Caller) -> Row:
        """Judges the rows again under a mapping, given itself or by the name under which it is kept.

        Raises a 404, a 409 once the import was run, a 422.
        """
        if (name is None) == (mapping is None):
            raise _refused(VALIDATION, None, "conflict", "Either the name of a kept mapping, or a mapping.")
        mapping = mapping or await self._saved(str(name), caller)

        async def change(connection: Connection, row: Row) -> None:
            if row["state"] not in ("waiting", "undecided", "checked"):
                raise _not_now(row, "Its mapping cannot be changed any more.")
            await store.map_anew(connection, import_id, mapping.canonical(), self.clock())

        return await self._change(import_id, caller, change)

    async def run(self, import_id: UUID, caller: Caller) -> Row:
        """Lets a checked import be sent; harmless for one that runs or is done. Raises a 404 or a 409."""

        async def change(connection: Connection, row: Row) -> None:
            if row["state"] == "checked":
                await store.start(connection, import_id, self.clock())
            elif row["state"] not in ("running", "done"):
                raise _not_now(row, "It can be run once its rows are checked and nothing is left to decide.")

        return await self._change(import_id, caller, change)

    async def cancel(self, import_id: UUID, caller: Caller) -> Row:
        """Ends an import; what was sent stays. Harmless for one that is cancelled. Raises a 404 or a 409."""

        async def change(connection: Connection, row: Row) -> None:
            if row["state"] in ("done", "failed"):
                raise _not_now(row, "It has ended.")
            if row["state"] != "cancelled":
                await store.cancel(connection, import_id, self.clock())

        return await self._change(import_id, caller, change)

    async def rows(
        self, import_id: UUID, caller: Caller, verdict: str | None, cursor: str | None, limit: int
    ) -> Page[Row]:
        """A page of the rows of an import. Raises a 404, or a 422 for a cursor that is not of this list."""
        async with self.database.connection() as connection:
            _there(await store.find(connection, caller.unit, import_id))
            fetch = partial(row_store.rows_page, connection, import_id, verdict)
            return await row_store.BY_NUMBER.page(cursor, limit, fetch, lambda row: (row["number"],))

    async def result(self, row: Row) -> AsyncIterator[list[list[str]]]:
        """The rows of the result sheet, its header first."""
        columns = _headers(row) if row["report"] else []
        yield [[*OWN_COLUMNS, *columns]]
        after: tuple[int] | None = None
        while True:
            async with self.database.connection() as connection:
                found = await row_store.rows_page(connection, row["import_id"], None, after, RESULT_ROWS)
            if not found:
                return
            yield [result_row(each) for each in found]
            after = (found[-1]["number"],)

    async def keep_mapping(self, name: str, mapping: SheetMapping, caller: Caller) -> Row:
        """Keeps a mapping by name, for the caller's unit or the whole firm."""
        async with self.database.transaction() as connection:
            await mapping_store.put_mapping(connection, caller.unit, name, mapping.canonical(), self.clock())
            row = await mapping_store.find_mapping(connection, caller.unit, name)
        assert row is not None
        return row

    async def find_mapping(self, name: str, caller: Caller) -> Row:
        """A kept mapping. Raises a 404."""
        async with self.database.connection() as connection:
            row = await mapping_store.find_mapping(connection, caller.unit, name)
        if row is None:
            raise not_found("mapping")
        return row

    async def _saved(self, name: str, caller: Caller) -> SheetMapping:
        return SheetMapping.model_validate_json((await self.find_mapping(name, caller))["mapping"])

    async def _change(
        self, import_id: UUID, caller: Caller, change: Callable[[Connection, Row], Awaitable[None]]
    ) -> Row:
        async with self.database.transaction() as connection:
            await change(connection, _there(await store.find(connection, caller.unit, import_id, lock=True)))
            return _there(await store.find(connection, caller.unit, import_id))


def _headers(row: Row) -> list[str]:
    return [column["header"] for column in orjson.loads(row["report"])["columns"]]


def _there(row: Row | None) -> Row:
    if row is None:
        raise not_found("import")
    return row


def _not_now(row: Row, detail: str) -> Problem:
    return Problem(CONFLICT, detail, state=row["state"])


def _refused(kind: Any, parameter: str | None, code: str, message: str) -> Problem:
    pointer = f"/query/{parameter}" if parameter else ""
    return Problem(kind, "The import is not valid.", errors=[FieldProblem(pointer, code, message)])
