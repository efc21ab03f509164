"""A mapping laid over a sheet: which column holds what, and what is doubtful about it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rapport_gateway.imports.dates import DateReader, decided
from rapport_gateway.imports.escaping import unescape
from rapport_gateway.imports.findings import Findings, SheetUnreadable
from rapport_gateway.imports.headers import propose
from rapport_gateway.imports.mapping import DATES, EXACT_NUMBERS, NUMBERS, SheetColumn, SheetMapping
from rapport_gateway.imports.own_columns import OWN_DATES, own_columns
from rapport_gateway.imports.sheets import NumberText, Sheet, is_exact
from rapport_shared.own_fields import UNDECLARED, OwnField, OwnRules

SCIENTIFIC: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE][+-]?\d+")
DECIMAL: Final = re.compile(r"(\d+)\.0+")
_VALUE: Final = re.compile(r"\+?[\d\s().\-]{5,}|[^@\s]+@[^@\s]+\.[^@\s]+|\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?|\d+")
_DENSE: Final = 20
"""Numbers that on average lie no further apart were given by counting."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A mapped column with its place in the sheet, from 0, and how its dates are read.

    `own` is the field of the deployment's own that it holds, where that is declared.
    """

    column: SheetColumn
    index: int
    label: str
    dates: DateReader
    own: OwnField | None = None

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return self.index + 1

    def cell(self, row: Sequence[str]) -> str:
        """Its cell of a row, without what protects it from being taken for a formula."""
        text = row[self.index] if self.index < len(row) else ""
        return text if isinstance(text, NumberText) else unescape(text).strip()


@dataclass(slots=True)
class Table:
    """A sheet under its mapping: header, body, and the columns that are imported."""

    headers: list[str]
    body: list[tuple[int, list[str]]]
    mapping: SheetMapping | None
    bound: list[Bound]
    findings: Findings
    named: bool = True
    rules: OwnRules = UNDECLARED

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.headers)

    def cells(self, bound: Bound) -> Iterator[tuple[int, str]]:
        """The cells of a column that hold something, each with its row's number."""
        for number, row in self.body:
            text = bound.cell(row)
            if text:
                yield number, text


def lay_over(sheet: Sheet, mapping: SheetMapping | None, rules: OwnRules = UNDECLARED) -> Table:
    """The sheet under `mapping`, or under the one that its header proposes.

    Raises `SheetUnreadable` where there is no header or nothing below it.
    """
    header_row = mapping.header_row if mapping else 1
    headers = _headers(sheet, header_row)
    body = [(number, row) for number, row in sheet.rows if number > header_row]
    proposed = mapping or propose(headers, rules=rules)
    table = Table(headers, body, proposed, [], Findings(), header_row > 0, rules)
    if table.mapping is None:
        if _looks_like_values(headers):
            raise SheetUnreadable("no_header", "The first row holds values and no names of columns.")
        table.findings.add("nothing_mapped", "stops")
    if not body:
        raise SheetUnreadable("no_rows", "There are no rows below the header.")
    _note_reading(sheet, table.findings)
    _bind(table)
    for bound in table.bound:
        _examine(table, bound)
    _note_unmapped(table)
    return table


def _headers(sheet: Sheet, header_row: int) -> list[str]:
    if header_row == 0:
        return [""] * max((len(row) for _, row in sheet.rows), default=0)
    found = next((row for number, row in sheet.rows if number == header_row), None)
    if found is None:
        raise SheetUnreadable("no_header", "The row that should name the columns is empty or missing.")
    return [unescape(cell).strip() for cell in found]


def _looks_like_values(headers: Sequence[str]) -> bool:
    filled = [header for header in headers if header]
    return any(_VALUE.fullmatch(header) for header in filled)


def _note_reading(sheet: Sheet, findings: Findings) -> None:
    if sheet.encoding is not None and sheet.encoding.ambiguous:
        findings.add("ambiguous_encoding", "stops")
    if sheet.delimiter is not None:
        if sheet.delimiter.ambiguous:
            findings.add("ambiguous_delimiter", "stops")
        if sheet.delimiter.better:
            findings.add("wrong_delimiter", "stops")
    if sheet.empty:
        findings.add("empty_lines", "informs", rows=sheet.empty)


def _bind(table: Table) -> None:
    declared = own_columns(table.rules)
    for column in table.mapping.columns if table.mapping else ():
        index = _place(table, column)
        if index is None or column.field == "ignore":
            continue
        label = table.headers[index] or str(index + 1)
        own = declared.get(column.name) if column.field == "attribute" and column.name else None
        bound = Bound(column, index, label, DateReader(), own)
        if column.field in DATES or (own is not None and own.type in OWN_DATES):
            wanted = DateReader(column.date_order, column.serial_dates)
            reader = decided(wanted, list(table.cells(bound)), table.findings, label, index + 1)
            bound = replace(bound, dates=reader)
        table.bound.append(bound)
    seen: set[int] = set()
    for bound in table.bound:
        if bound.index in seen:
            table.findings.add("mapped_twice", "stops", bound.label, bound.number)
        seen.add(bound.index)


def _place(table: Table, column: SheetColumn) -> int | None:
    if isinstance(column.column, int):
        if column.column <= table.width:
            return column.column - 1
        table.findings.add("column_missing", "stops", str(column.column), column.column)
        return None
    places = [index for index, header in enumerate(table.headers) if header == column.column.strip()]
    if len(places) == 1:
        return places[0]
    if places:
        table.findings.add("duplicate_header", "stops", column.column, places[1] + 1)
    else:
        missing = -1 - [each.column for each in table.mapping.columns].index(column.column) if table.mapping else 0
        table.findings.add("column_missing", "stops", column.column, missing)
    return None


def _note_unmapped(table: Table) -> None:
    named = {column.column for column in table.mapping.columns} if table.mapping else set()
    bound = {each.index for each in table.bound}
    for index, header in enumerate(table.headers):
        if index in bound or header in named or index + 1 in named:
            continue
        if not header:
            rows = [number for number, row in table.body if index < len(row) and row[index].strip()]
            if rows and table.named:
                table.findings.add("unnamed_column", "warns", None, index + 1, rows)
        elif table.headers.count(header) > 1:
            table.findings.add("duplicate_header", "warns", header, index + 1)
        else:
            table.findings.add("not_mapped", "informs", header, index + 1)


def _examine(table: Table, bound: Bound) -> None:
    """Notes what spreadsheets do to numbers that are names."""
    if bound.column.field not in NUMBERS:
        return
    lost = [row for row, text in table.cells(bound) if SCIENTIFIC.fullmatch(text)]
    rounded = [row for row, text in table.cells(bound) if isinstance(text, NumberText) and not is_exact(text)]
    pointed = [row for row, text in table.cells(bound) if DECIMAL.fullmatch(text)]
    for code, weight, rows in (
        ("scientific_notation", "warns", lost),
        ("precision_lost", "warns", rounded),
        ("decimal_point", "informs", pointed),
    ):
        if rows:
            table.findings.add(code, weight, bound.label, bound.number, rows)  # type: ignore[arg-type]
    if bound.column.field in EXACT_NUMBERS and not bound.column.as_written and bound.column.pad_to is None:
        _examine_zeros(table, bound)


def _examine_zeros(table: Table, bound: Bound) -> None:
    """Leading zeros are lost where some numbers have them, or where sparse numbers of one length have shorter ones."""
    numbers = [(row, text) for row, text in table.cells(bound) if text.isdecimal()]
    if not numbers:
        return
    longest = max(len(text) for _, text in numbers)
    shorter = [row for row, text in numbers if len(text) < longest]
    as_numbers = [row for row, text in numbers if isinstance(text, NumberText)]
    if as_numbers:
        table.findings.add("number_cells", "warns", bound.label, bound.number, as_numbers)
    if not shorter:
        return
    padded = any(text.startswith("0") and len(text) == longest for _, text in numbers)
    values = [int(text) for _, text in numbers]
    sparse = longest >= 4 and max(values) - min(values) > _DENSE * len(values)
    mostly_long = len(shorter) <= len(numbers) * 0.3
    if padded or bound.column.field == "postcode" or (sparse and mostly_long):
        table.findings.add("leading_zeros", "stops", bound.label, bound.number, shorter)
    else:
        table.findings.add("uneven_numbers", "informs", bound.label, bound.number, shorter)
