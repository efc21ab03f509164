"""What becomes of a sheet before anything is sent: a report of it, and each row judged as the API judges touchpoints.

This runs in a process of its own (`reading_process`): it may use up its memory or its time, and nothing else suffers.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from rapport_gateway.imports.columns import Table
from rapport_gateway.imports.findings import MESSAGES, Reason
from rapport_gateway.imports.rows import Draft, Terms, draft
from rapport_gateway.imports.sheets import Sheet, without_trailing_blanks
from rapport_gateway.intake.touchpoints import Checked, TouchpointRules
from rapport_shared.callers import Caller
from rapport_shared.contracts.codec import Message
from rapport_shared.errors import Problem


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row with its verdict so far: `rejected`, or `new` until a matching customer is found.

    `keys` are type and identifier key, the deciding one first; `same_as` is an earlier row with one of them.
    """

    number: int
    cells: list[str]
    reasons: list[dict[str, Any]] = field(default_factory=list)
    rejected: bool = False
    messages: list[Message] = field(default_factory=list)
    ids: list[UUID] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    source_profile: UUID | None = None
    same_as: int | None = None


def report(sheet: Sheet, table: Table) -> dict[str, Any]:
    """What was found out of the sheet, as the API shows it."""
    fields = {bound.index: bound.column.field for bound in table.bound}
    return {
        "format": sheet.format,
        "encoding": asdict(sheet.encoding) if sheet.encoding else None,
        "delimiter": asdict(sheet.delimiter) if sheet.delimiter else None,
        "sheet": sheet.name,
        "sheets": sheet.names,
        "rows": len(table.body),
        "columns": [
            {"number": index + 1, "header": header, "field": fields.get(index)}
            for index, header in enumerate(table.headers)
        ],
        "findings": table.findings.documents(),
    }


class Judge:
    """Judges the rows of a table one after the other, and remembers what a later row may repeat."""

    def __init__(self, table: Table, terms: Terms, rules: TouchpointRules, caller: Caller) -> None:
        self._table, self._terms, self._rules, self._caller = table, terms, rules, caller
        self._records: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    async def rows(self) -> AsyncIterator[JudgedRow]:
        """All rows, in order."""
        for number, row in self._table.body:
            yield await self._judged(number, row)

    async def _judged(self, number: int, row: list[str]) -> JudgedRow:
        made = draft(self._table, self._terms, number, row)
        cells = [str(cell) for cell in without_trailing_blanks(row)]
        checked = [] if made.refused else [one for item in made.items if (one := await self._check(item, made))]
        keys = self._rules.identifiers(checked[0]) if checked and not made.refused else []
        if checked and not made.refused:
            self._compare(number, made, self._rules.would_mint(checked[0]))
        reasons = [reason.document() for reason in (*made.refused, *made.noted)]
        if made.refused:
            return JudgedRow(number, cells, reasons, rejected=True)
        earlier = [self._keys[key] for _, key in keys if key in self._keys]
        for _, key in keys:
            self._keys.setdefault(key, number)
        return JudgedRow(
            number,
            cells,
            reasons,
            messages=[self._rules.message(one, self._caller, None) for one in checked],
            ids=[one.touchpoint.id for one in checked],
            keys=keys,
            source_profile=self._rules.source_profile(checked[0]),
            same_as=min(earlier, default=None),
        )

    async def _check(self, item: dict[str, Any], made: Draft) -> Checked | None:
        """By the same rules as a touchpoint that is posted; what is wrong is said of the column that it came from."""
        try:
            return await self._rules.check(item, 0, self._caller, None)
        except Problem as problem:
            places = problem.errors or ()
            for place in places:
                column = made.column_of(place.pointer)
                made.refused.append(Reason(place.code, column, place.message))
            if not places:
                made.refused.append(Reason("not_valid", None, MESSAGES["not_valid"]))
            return None

    def _compare(self, number: int, made: Draft, names_somebody: bool) -> None:
        if not names_somebody:
            made.refused.append(Reason("names_nobody"))
        elif made.record is not None:
            earlier = self._records.setdefault(made.record, number)
            if earlier != number:
                column = made.column_of("/source/record")
                made.refused.append(Reason("duplicate_record", column, row=earlier))
