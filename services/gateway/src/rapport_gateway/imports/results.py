"""The outcome of an import as a sheet, and the sheet to begin with. No cell can be taken for a formula."""

import asyncio
import csv
import io
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any, Final

import orjson
from xlsxwriter import Workbook

from rapport_gateway.imports.escaping import escape
from rapport_shared.database import Row

CSV: Final = "text/csv; charset=utf-8"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OWN_COLUMNS: Final = ("import row", "import verdict", "import outcome", "import reasons", "import customer id")
"""The columns before those of the sheet. An import of the result does not take their headers for fields."""
_PIECE: Final = 256 * 1024

Cells = list[str]


def result_row(row: Row) -> list[str]:
    """A row of the result: what became of it, and what it was."""
    reasons = "; ".join(_sentence(reason) for reason in orjson.loads(row["reasons"]))
    customer = str(row["customer_id"]) if row["customer_id"] else ""
    return [str(row["number"]), row["verdict"], row["outcome"] or "", reasons, customer, *orjson.loads(row["cells"])]


def csv_text(rows: Sequence[Cells], *, first: bool = False) -> bytes:
    """Rows as CSV in UTF-8, with the mark without which Excel takes it for Latin-1 before the first."""
    written = io.StringIO()
    csv.writer(written).writerows([escape(cell) for cell in row] for row in rows)
    return (("\ufeff" if first else "") + written.getvalue()).encode()


def workbook_bytes(rows: Sequence[Cells]) -> bytes:
    """A small workbook."""
    content = io.BytesIO()
    with Workbook(content, _OPTIONS) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            _write_row(sheet, number, row)
    return content.getvalue()


async def csv_pieces(rows: AsyncIterable[list[Cells]]) -> AsyncIterator[bytes]:
    """A CSV file in pieces."""
    first = True
    async for some in rows:
        yield csv_text(some, first=first)
        first = False


async def workbook_pieces(rows: AsyncIterable[list[Cells]]) -> AsyncIterator[bytes]:
    """A workbook in pieces, written by another process: it takes seconds of computing."""
    with tempfile.TemporaryFile(prefix="rapport-result-") as content:
        descriptor = content.fileno()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", __name__, str(descriptor)),
            stdin=PIPE,
            stderr=DEVNULL,  # what a writer complains of may quote the sheet
            pass_fds=(descriptor,),
        )
        assert process.stdin is not None
        try:
            async for some in rows:
                process.stdin.write(orjson.dumps(some) + b"\n")
                await process.stdin.drain()
            process.stdin.close()
            if await process.wait() != 0:
                raise RuntimeError("a workbook could not be written")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        content.seek(0)
        while piece := content.read(_PIECE):
            yield piece


_OPTIONS: Final[dict[str, Any]] = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": False,
}


def _write_row(sheet: Any, number: int, row: Cells) -> None:
    for column, cell in enumerate(row):
        if cell:
            sheet.write_string(number, column, escape(cell))


def _sentence(reason: dict[str, Any]) -> str:
    column = f"{reason['column']}: " if reason.get("column") else ""
    row = f" (row {reason['row']})" if reason.get("row") else ""
    return f"{column}{reason['message']}{row}"


def _write_workbook(descriptor: int) -> None:
    number = 0
    with open(descriptor, "wb") as content, Workbook(content, _OPTIONS) as book:
        sheet = book.add_worksheet()
        for line in sys.stdin.buffer:
            for row in orjson.loads(line):
                _write_row(sheet, number, row)
                number += 1


if __name__ == "__main__":
    _write_workbook(int(sys.argv[1]))
