"""CSV files and workbooks as rows of text. Row numbers are those that a spreadsheet shows."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from rapport_gateway.imports.encodings import Encoding, decode, sniff
from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.limits import MAX_CELLS, MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES

DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS: Final = 256 * 1024
_SAMPLE_ROWS: Final = 200
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_PRINTED: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class NumberText(str):
    """The text of a cell that holds a number: digits before it, if there were any, are lost."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Delimiter:
    """The separator of the cells, its certainty (0 to 1), and whether the certainty is too low to continue."""

    sign: str
    confidence: float
    ambiguous: bool = False
    better: bool = False


@dataclass(slots=True)
class Sheet:
    """A sheet as it was read: each row with its number, its cells as text. Empty rows are listed apart."""

    format: str
    rows: list[tuple[int, list[str]]]
    empty: list[int] = field(default_factory=list)
    encoding: Encoding | None = None
    delimiter: Delimiter | None = None
    name: str | None = None
    names: list[str] = field(default_factory=list)


def refuse_at_once(beginning: bytes) -> None:
    """Raises `SheetUnreadable` for a file whose first bytes show that it is no sheet."""
    if beginning.startswith(_ZIP):
        return
    if beginning.startswith(_OLE):
        if _ENCRYPTED in beginning:
            raise _encrypted()
        raise SheetUnreadable(
            "old_workbook", "It is a workbook of the old binary form or an encrypted one; save it as XLSX, unprotected."
        )
    is_utf16 = beginning.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not beginning.strip():
        raise SheetUnreadable("empty_file", "The file is empty.")
    if not is_utf16 and _PRINTED.search(beginning[:8192]):
        raise SheetUnreadable("not_a_sheet", "The file is neither text nor a workbook, whatever its name says.")


def read_sheet(
    content: BinaryIO, *, encoding: str | None = None, delimiter: str | None = None, sheet: str | None = None
) -> Sheet:
    """The sheet in a seekable file, by what it is and not by its name. Raises `SheetUnreadable`."""
    beginning = content.read(65_536)
    content.seek(0)
    refuse_at_once(beginning)
    if beginning.startswith(_ZIP):
        return read_workbook(content, sheet)
    return read_text(content.read(), encoding, delimiter)


def read_text(content: bytes, encoding: str | None = None, delimiter: str | None = None) -> Sheet:
    """A CSV file. Raises `SheetUnreadable`."""
    written = Encoding(encoding, 1.0) if encoding else sniff(content)
    text = decode(content, written.name)
    if "\0" in text:
        raise SheetUnreadable("not_a_sheet", "The file holds signs that no text has.")
    separator = Delimiter(delimiter, 1.0, better=_another_is_better(text, delimiter)) if delimiter else split_by(text)
    result = Sheet("csv", [], encoding=written, delimiter=separator)
    _gather(result, enumerate(_records(text, separator.sign), 1))
    return result


def read_workbook(content: BinaryIO, sheet: str | None = None) -> Sheet:
    """A sheet of a workbook, the first by default. Raises `SheetUnreadable`."""
    _check_archive(content)
    content.seek(0)
    try:
        with CalamineWorkbook.from_filelike(content) as workbook:
            names = list(workbook.sheet_names)
            if not names or (sheet is not None and sheet not in names):
                raise SheetUnreadable("no_such_sheet", "The workbook has no sheet of that name.")
            name = sheet if sheet is not None else names[0]
            result = Sheet("xlsx", [], name=name, names=names)
            _gather(result, _cells_of(workbook.get_sheet_by_name(name)))
            return result
    except CalamineError:
        raise SheetUnreadable("broken_workbook", "The workbook cannot be read.") from None


def split_by(text: str) -> Delimiter:
    """The delimiter by which the first rows have the most even number of cells, above one."""
    scores = {sign: _evenness(text, sign) for sign in DELIMITERS}
    best = max(scores, key=lambda sign: scores[sign])
    share, width = scores[best]
    if width < 2:
        return Delimiter(",", 1.0 if not any(sign in text[:_SAMPLE_CHARACTERS] for sign in DELIMITERS) else 0.5)
    rivals = [other for other, (even, cells) in scores.items() if other != best and cells > 1 and even >= share]
    return Delimiter(best, round(share / (2 if rivals else 1), 2), ambiguous=bool(rivals) or share < 0.5)


def _another_is_better(text: str, delimiter: str) -> bool:
    """Whether the sheet has one column by this delimiter, and evenly more by another."""
    if _evenness(text, delimiter)[1] > 1:
        return False
    return any(share > 0.9 and width > 1 for share, width in (_evenness(text, sign) for sign in DELIMITERS))


def _evenness(text: str, sign: str) -> tuple[float, int]:
    """The share of the first rows that have as many cells as the first of them, and how many that is."""
    sample = text[:_SAMPLE_CHARACTERS]
    if len(text) > len(sample):
        sample = sample.rpartition("\n")[0]
    widths: list[int] = []
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=sign):
            if any(record):
                widths.append(len(record))
            if len(widths) == _SAMPLE_ROWS:
                break
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 1
    return sum(1 for width in widths if width == widths[0]) / len(widths), widths[0]


def _records(text: str, sign: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        yield from reader
    except csv.Error:
        message = f"A quotation mark is not closed, or is inside a cell, before line {reader.line_num + 1}."
        raise SheetUnreadable("broken_quotation", message) from None


def _cells_of(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    if sheet.start is None:
        return
    first_row, first_column = sheet.start
    before = [""] * first_column
    for number, row in enumerate(sheet.iter_rows(), first_row + 1):
        yield number, [*before, *map(_text, row)]


def _gather(sheet: Sheet, numbered: Iterator[tuple[int, list[str]]]) -> None:
    cells = 0
    for number, row in numbered:
        if not any(cell.strip() for cell in row):
            sheet.empty.append(number)
            continue
        cells += len(row)
        if len(row) > MAX_COLUMNS and any(row[MAX_COLUMNS:]):
            raise SheetUnreadable("too_many_columns", f"A sheet may have {MAX_COLUMNS} columns.")
        if len(sheet.rows) > MAX_ROWS:
            raise SheetUnreadable("too_many_rows", f"A sheet may have {MAX_ROWS} rows; split it.")
        if cells > MAX_CELLS or number > 20 * MAX_ROWS:
            raise SheetUnreadable("too_many_cells", f"A sheet may have {MAX_CELLS} cells.")
        sheet.rows.append((number, row[:MAX_COLUMNS]))


def _text(value: int | float | str | bool | time | date | datetime | timedelta) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            whole = isinstance(value, int) or (value.is_integer() and abs(value) < 1e21)
            return NumberText(int(value) if whole else repr(value))
        case datetime():
            is_day = value.time() == time()
            return value.date().isoformat() if is_day else value.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)


def is_exact(text: str) -> bool:
    """Whether a spreadsheet can have kept all digits of a number: it keeps fifteen."""
    digits = text.lstrip("-").partition(".")[0]
    return not digits.isdigit() or int(digits) < 10**15


def without_trailing_blanks(row: Sequence[str]) -> list[str]:
    """The row up to its last cell that holds something."""
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return list(row[:end])


def _check_archive(content: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(content) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise SheetUnreadable("broken_workbook", "The file begins as a workbook and cannot be read as one.") from None
    if any(part.flag_bits & 0x1 for part in parts):
        raise _encrypted()
    if not any(part.filename.startswith("xl/workbook.") for part in parts):
        raise SheetUnreadable("not_a_sheet", "The file is an archive of something else than a workbook.")
    if len(parts) > 10_000 or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise SheetUnreadable("unpacks_too_large", f"A workbook may unpack to {MAX_UNPACKED_BYTES // 2**20} MiB.")


def _encrypted() -> SheetUnreadable:
    return SheetUnreadable("encrypted", "The workbook is encrypted; save it without a password.")
