"""Sheets for tests: made in the bytes that people send."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook

from rapport_gateway.imports.columns import Table, lay_over
from rapport_gateway.imports.mapping import SheetMapping
from rapport_gateway.imports.rows import Terms
from rapport_gateway.imports.sheets import read_sheet
from rapport_gateway.imports.staging import Judge, JudgedRow
from rapport_gateway.intake.touchpoints import TouchpointRules
from rapport_shared.callers import Caller
from rapport_shared.contracts.customer import UnitState
from rapport_shared.own_fields import UNDECLARED, OwnRules

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TERMS = Terms("d1", "erp", "erp", None, True, NOW, ZoneInfo("Asia/Shanghai"), "CN")
_OPTIONS = {"in_memory": True, "default_date_format": "yyyy-mm-dd", "strings_to_formulas": False}
CALLER = Caller("0198f000-0000-7000-8000-000000000001")


def csv_bytes(*rows: Sequence[str], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue().encode(encoding)


def xlsx_bytes(*rows: Sequence[Any], name: str = "Sheet1") -> bytes:
    """A workbook; values are written as they are typed, days as days."""
    content = io.BytesIO()
    with Workbook(content, _OPTIONS) as book:
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return content.getvalue()


def mapping(*columns: dict[str, Any], **options: Any) -> SheetMapping:
    return SheetMapping.model_validate({"columns": list(columns), **options})


def table(content: bytes, chosen: SheetMapping | None = None, rules: OwnRules = UNDECLARED) -> Table:
    """The sheet under its mapping, as the reading process has it."""
    sheet = read_sheet(
        io.BytesIO(content),
        encoding=chosen.encoding if chosen else None,
        delimiter=chosen.delimiter if chosen else None,
        sheet=chosen.sheet if chosen else None,
    )
    return lay_over(sheet, chosen, rules)


def findings(found: Table) -> dict[tuple[str, str | None], tuple[str, list[int]]]:
    """By code and column: the weight, and the rows named."""
    return {(f["code"], f["column"]): (f["weight"], f["rows"]) for f in found.findings.documents()}


def judged(found: Table, terms: Terms = TERMS) -> list[JudgedRow]:
    """Every row, by the rules of the API."""

    async def no_unit(_: str) -> UnitState | None:
        return None

    async def declared() -> OwnRules:
        return found.rules

    async def all_rows() -> list[JudgedRow]:
        judge = Judge(found, terms, TouchpointRules(b"s" * 32, no_unit, lambda: NOW, declared), CALLER)
        return [row async for row in judge.rows()]

    return asyncio.run(all_rows())
