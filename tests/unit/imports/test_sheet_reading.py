"""CSV files and workbooks: what encoding, what delimiter, which row, and what is no sheet at all."""

import io
import zipfile
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_gateway.imports import sheets
from rapport_gateway.imports.encodings import sniff
from rapport_gateway.imports.escaping import DANGEROUS, escape, unescape
from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.results import csv_text, workbook_bytes
from rapport_gateway.imports.sheets import NumberText, Sheet, read_sheet
from tests.unit.imports.sheets import csv_bytes, xlsx_bytes

CHINESE = "客户编号,姓名,地址\r\nK-1,王小明,上海市浦东新区世纪大道100号\r\nK-2,李雷,北京市朝阳区建国路8号\r\n"
GERMAN = "Kundennr;Name;Straße\r\n1;Jürgen Müller;Königsallee 5\r\n2;Zoë Groß;Käthe-Kollwitz-Weg 3\r\n"


def read(content: bytes, **options: str) -> Sheet:
    return read_sheet(io.BytesIO(content), **options)


@pytest.mark.parametrize(
    ("content", "name", "least"),
    [
        (CHINESE.encode("utf-8"), "utf-8", 0.99),
        (CHINESE.encode("utf-8-sig"), "utf-8", 1.0),
        (CHINESE.encode("utf-16"), "utf-16", 1.0),
        (CHINESE.encode("gb18030"), "gb18030", 0.9),
        (GERMAN.encode("latin-1"), "windows-1252", 0.8),
        (b"id,name\r\n1,Wang\r\n", "utf-8", 1.0),
    ],
)
def test_the_encoding_is_found_and_how_sure_it_is(content: bytes, name: str, least: float) -> None:
    found = sniff(content)
    assert (found.name, found.ambiguous) == (name, False)
    assert found.confidence >= least


def test_an_encoding_that_could_be_either_is_not_guessed() -> None:
    mixed = "姓名".encode("gb18030") + b",\r\n" + "Müller,Zoë,Köln,é,è\r\n".encode("latin-1") + "王".encode("gb18030")
    assert sniff(mixed + "李雷韩梅梅".encode("gb18030")[:-1] + b",").ambiguous


def test_an_encoding_that_was_named_is_held_to() -> None:
    assert read(CHINESE.encode("gb18030"), encoding="gb18030").rows[1][1][1] == "王小明"
    with pytest.raises(SheetUnreadable) as refused:
        read(CHINESE.encode("gb18030"), encoding="utf-8")
    assert (refused.value.code, "line 1" in refused.value.message) == ("wrong_encoding", True)


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(sign: str) -> None:
    content = csv_bytes(["id", "name"], ["1", "Wang, Xiaoming; GM"], ["2", "Li"], delimiter=sign)
    sheet = read(content)
    assert sheet.delimiter is not None
    assert (sheet.delimiter.sign, sheet.delimiter.ambiguous) == (sign, False)
    assert sheet.rows[1] == (2, ["1", "Wang, Xiaoming; GM"])


def test_two_delimiters_that_fit_alike_are_not_guessed() -> None:
    sheet = read(b"id;a,name\r\n1;a,Wang\r\n2;a,Li\r\n")
    assert sheet.delimiter is not None
    assert sheet.delimiter.ambiguous


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    sheet = read(b'id,name\r\n\r\n1,"Wang\r\nXiaoming"\r\n , \r\n2,Li\r\n')
    assert sheet.rows == [(1, ["id", "name"]), (3, ["1", "Wang\r\nXiaoming"]), (5, ["2", "Li"])]
    assert sheet.empty == [2, 4]


def test_cells_of_a_workbook_are_read_as_people_see_them() -> None:
    content = xlsx_bytes(["id", "born"], [13800138000, date(1985, 3, 1)], [1.5, True], [], ["007", 12345678901234567])
    sheet = read(content)
    assert sheet.rows[1:] == [
        (2, ["13800138000", "1985-03-01"]),
        (3, ["1.5", "true"]),
        (5, ["007", "12345678901234570"]),
    ]
    assert isinstance(sheet.rows[1][1][0], NumberText)
    assert not isinstance(sheet.rows[3][1][0], NumberText)
    assert (sheet.name, sheet.names, sheet.empty) == ("Sheet1", ["Sheet1"], [4])


def archive(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            made.writestr(name, part)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \r\n\r\n", "empty_file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not_a_sheet"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "not_a_sheet"),
        (b"%PDF-1.7\n%\x00\x01", "not_a_sheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "old_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"PK\x03\x04 and nothing of an archive", "broken_workbook"),
        (archive(letter=b"hello"), "not_a_sheet"),
        (archive(**{"xl/workbook.xml": b"<nothing"}), "broken_workbook"),
        (b'id,name\r\n1,"Wang\r\n2,Li\r\n', "broken_quotation"),
        (b"id,name\r\n1,Wa\0ng\r\n", "not_a_sheet"),
        (csv_bytes([f"c{n}" for n in range(201)]), "too_many_columns"),
    ],
)
def test_what_is_no_sheet_is_refused_by_name(content: bytes, code: str) -> None:
    with pytest.raises(SheetUnreadable) as refused:
        read(content)
    assert refused.value.code == code
    assert "Wang" not in refused.value.message


def test_a_workbook_that_unpacks_to_too_much_is_refused_by_what_it_states() -> None:
    content = archive(**{"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b" " * 513 * 2**20})
    assert len(content) < 2**20
    with pytest.raises(SheetUnreadable, match="unpack"):
        read(content)


@pytest.mark.parametrize(("limit", "code"), [("MAX_CELLS", "too_many_cells"), ("MAX_ROWS", "too_many_rows")])
def test_a_sheet_has_so_many_rows_and_cells(monkeypatch: pytest.MonkeyPatch, limit: str, code: str) -> None:
    monkeypatch.setattr(sheets, limit, 50)
    for content in (csv_bytes(*[["1", "2"]] * 60), xlsx_bytes(*[["1", "2"]] * 60)):
        with pytest.raises(SheetUnreadable) as refused:
            read(content)
        assert refused.value.code == code


LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
TYPED = st.builds("".join, st.tuples(st.sampled_from(["", "'", "''", *DANGEROUS]), LINE))


@given(TYPED)
def test_an_escaped_cell_begins_no_formula_and_is_read_back(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not escape(text).startswith(tuple(DANGEROUS))


SHEETS = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(TYPED, min_size=width, max_size=width), min_size=1, max_size=6)
)


def as_read(sheet: Sheet) -> list[tuple[int, list[str]]]:
    return [(number, [unescape(cell) for cell in row]) for number, row in sheet.rows]


def visible(rows: list[list[str]]) -> list[tuple[int, list[str]]]:
    return [(number, row) for number, row in enumerate(rows, 1) if any(escape(cell).strip() for cell in row)]


@given(SHEETS)
def test_what_is_written_as_csv_is_read_back(rows: list[list[str]]) -> None:
    assert as_read(read(csv_text(rows, first=True), delimiter=",")) == visible(rows)


@given(SHEETS)
def test_what_is_written_as_a_workbook_is_read_back(rows: list[list[str]]) -> None:
    sheet = read(workbook_bytes(rows))
    found = {number: [*row, *[""] * 5][: len(rows[0])] for number, row in as_read(sheet)}
    assert found == dict(visible(rows))
