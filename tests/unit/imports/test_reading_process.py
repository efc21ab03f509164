"""The process that reads sheets: what it answers, and that a bomb ends it and nothing else."""

import io
import tempfile
import zipfile
from typing import Any

import pytest

from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.reading import reading
from tests.unit.imports.sheets import csv_bytes, mapping, xlsx_bytes

TERMS: dict[str, Any] = {
    "digest": "d1",
    "system": "erp",
    "channel": "erp",
    "historical": True,
    "as_of": "2026-03-01T12:00:00+00:00",
    "unit": None,
    "region": None,
    "secret": "s" * 32,
    "caller": {"principal": "0198f000-0000-7000-8000-000000000001", "channel": "*", "unit": "", "may_verify": []},
}


async def read(content: bytes, chosen: Any = None) -> tuple[Any, list[Any]]:
    """What the process reports, and the rows that it judges."""
    with tempfile.TemporaryFile() as file:
        file.write(content)
        async with reading(file, chosen) as sheet:
            report = await sheet.report()
            return report, [row async for rows in sheet.rows(TERMS) for row in rows]


async def test_a_sheet_is_reported_and_its_rows_are_judged() -> None:
    report, rows = await read(csv_bytes(["客户编号", "手机"], *([f"K-{n}", f"+861380013{n:04}"] for n in range(600))))
    assert report["stops"] is False
    assert report["mapping"] == {
        "columns": [{"column": "客户编号", "field": "record"}, {"column": "手机", "field": "phone"}]
    }
    assert [row["row"] for row in rows] == list(range(2, 602))
    assert len({row["ids"][0] for row in rows}) == 600
    assert rows[0]["messages"][0]["key"] == rows[0]["keys"][0][1]


async def test_a_mapping_names_sheet_encoding_and_delimiter() -> None:
    chosen = mapping(
        {"column": "姓名", "field": "name"}, {"column": "手机", "field": "phone"}, encoding="gb18030", delimiter=";"
    )
    content = csv_bytes(["姓名", "手机"], ["王小明", "+8613800138000"], encoding="gb18030", delimiter=";")
    report, [row] = await read(content, chosen.model_dump(mode="json"))
    assert report["report"]["encoding"]["name"] == "gb18030"
    assert row["rejected"] is False
    with pytest.raises(SheetUnreadable, match="no sheet of that name"):
        await read(xlsx_bytes(["id"], ["1"]), {"columns": [{"column": "id", "field": "record"}], "sheet": "Other"})


def workbook_with(sheet: bytes) -> bytes:
    """A workbook whose sheet's XML is this."""
    plain = zipfile.ZipFile(io.BytesIO(xlsx_bytes(["id"], ["1"])))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for part in plain.infolist():
            is_sheet = part.filename == "xl/worksheets/sheet1.xml"
            made.writestr(part.filename, sheet if is_sheet else plain.read(part))
    return content.getvalue()


def sheet_xml(*rows: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{"".join(rows)}</sheetData></worksheet>'.encode()


FAR_AWAY = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>', '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (FAR_AWAY, {"too_large", "too_many_columns", "too_many_cells"}),
        (sheet_xml("<row><c><v>"), {"broken_workbook"}),
    ],
    ids=["two cells far away", "broken XML"],
)
async def test_a_bomb_ends_in_a_problem(content: bytes, codes: set[str]) -> None:
    with pytest.raises(SheetUnreadable) as refused:
        await read(workbook_with(content))
    assert refused.value.code in codes


async def test_a_process_that_wants_more_memory_than_it_may_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    content = csv_bytes(["id", "name"], *([str(n), "x" * 500] for n in range(50_000)))
    code = "from rapport_gateway.imports import reading_process as p; p.MEMORY_BYTES = 150 * 2**20; p.main()"
    monkeypatch.setattr("rapport_gateway.imports.reading._PROGRAM", ("-c", code))
    with pytest.raises(SheetUnreadable) as refused:
        await read(content)
    assert refused.value.code == "too_large"


async def test_a_fault_is_said_without_what_the_sheet_holds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    code = (
        "from rapport_gateway.imports import reading_process as p\n"
        "def fail(sheet, *_): raise ValueError(str(sheet.rows))\n"
        "p.lay_over = fail; p.main()"
    )
    monkeypatch.setattr("rapport_gateway.imports.reading._PROGRAM", ("-c", code))
    with pytest.raises(SheetUnreadable) as refused:
        await read(csv_bytes(["id"], ["Wang Xiaoming"]))
    assert refused.value.code == "fault"
    [record] = caplog.records
    assert vars(record)["error"] == "ValueError"
    assert "Wang" not in str(vars(record)) + capfd.readouterr().err


async def test_it_ends_when_nobody_listens() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(csv_bytes(["id"], ["1"]))
        async with reading(file, None) as sheet:
            await sheet.report()
            process = sheet.process
            assert process.stdin is not None
            process.stdin.close()
            assert await process.wait() == 0
