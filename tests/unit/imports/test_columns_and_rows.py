"""What the columns of a sheet are taken for, what is doubtful about them, and the touchpoints that rows become."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_gateway.imports.dates import DateReader, is_serial
from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.headers import TEMPLATE, propose
from rapport_gateway.imports.mapping import SheetMapping, work_digest
from rapport_gateway.imports.results import OWN_COLUMNS
from rapport_gateway.imports.rows import Draft
from rapport_gateway.imports.staging import JudgedRow
from tests.unit.imports.sheets import csv_bytes, findings, judged, mapping, table, xlsx_bytes


def bodies(row: JudgedRow) -> list[dict[str, Any]]:
    return [orjson.loads(message.value or b"") for message in row.messages]


def codes(row: JudgedRow) -> list[tuple[str, str | None]]:
    return [(reason["code"], reason["column"]) for reason in row.reasons]


@pytest.mark.parametrize("language", [1, 2])
def test_every_name_of_the_template_is_understood(language: int) -> None:
    found = propose([names[language] for names in TEMPLATE])
    assert found is not None
    assert [column.field for column in found.columns] == [names[0] for names in TEMPLATE]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        *[
            ("手机", "phone"),
            ("联系电话", "phone"),
            ("电子邮箱", "email"),
            ("客户编号", "record"),
            ("出生日期", "birth_date"),
        ],
        *[("Mobile Phone", "phone"), ("E-Mail", "email"), ("customer_id", "record"), ("DOB", "birth_date")],
        *[("Phone 2", "phone"), ("公司编号", "relation"), ("First name", "given_name"), ("通讯地址", "address")],
    ],
)
def test_names_in_two_languages_say_what_a_column_holds(header: str, field: str) -> None:
    found = propose([header])
    assert found is not None
    assert found.columns[0].field == field


def test_the_columns_of_a_result_are_taken_for_nothing() -> None:
    assert propose(OWN_COLUMNS) is None


def test_a_header_that_stands_twice_is_left_to_the_caller() -> None:
    content = csv_bytes(["编号", "手机", "手机"], ["K1", "13800138000", "13800138001"])
    assert findings(table(content))["duplicate_header", "手机"][0] == "warns"
    named = mapping({"column": "编号", "field": "record"}, {"column": "手机", "field": "phone"})
    assert findings(table(content, named))["duplicate_header", "手机"][0] == "stops"
    by_number = mapping({"column": "编号", "field": "record"}, {"column": 3, "field": "phone"})
    [row] = judged(table(content, by_number))
    assert bodies(row)[0]["identifiers"][0]["value"] == "13800138001"


def test_a_sheet_without_a_header_is_refused_and_can_be_mapped_by_number() -> None:
    content = csv_bytes(["王小明", "13800138000"], ["李雷", "13900139000"])
    with pytest.raises(SheetUnreadable) as refused:
        table(content)
    assert refused.value.code == "no_header"
    by_number = mapping({"column": 1, "field": "name"}, {"column": 2, "field": "phone"}, header_row=0)
    assert [row.number for row in judged(table(content, by_number))] == [1, 2]


def test_a_mapping_that_does_not_fit_the_sheet_stops() -> None:
    chosen = mapping({"column": "nr", "field": "record"}, {"column": 9, "field": "phone"})
    found = findings(table(csv_bytes(["id", "name"], ["1", "Wang"]), chosen))
    assert found["column_missing", "nr"][0] == found["column_missing", "9"][0] == "stops"
    assert findings(table(csv_bytes(["a", "b"], ["x", "y"])))["nothing_mapped", None][0] == "stops"


def test_a_delimiter_that_was_named_wrongly_stops() -> None:
    chosen = mapping({"column": "id;name", "field": "record"}, delimiter=",")
    found = findings(table(b"id;name\r\n1;Wang\r\n2;Li\r\n", chosen))
    assert found["wrong_delimiter", None][0] == "stops"


def test_ragged_rows_are_rejected_by_number() -> None:
    found = table(b"id,name\r\n1,Wang,Xiao\r\n2\r\n3,Li,\r\n")
    assert [(row.number, row.rejected, codes(row)) for row in judged(found)] == [
        (2, True, [("ragged_rows", None)]),
        (3, True, [("ragged_rows", None)]),
        (4, False, []),
    ]


def test_numbers_that_a_spreadsheet_shortened_are_rejected_and_named() -> None:
    content = csv_bytes(["客户编号", "手机"], ["K1", "1.38001E+10"], ["K2", "13800138000"], ["K3", "13800138000.0"])
    found = table(content)
    assert findings(found)["scientific_notation", "手机"] == ("warns", [2])
    assert findings(found)["decimal_point", "手机"] == ("informs", [4])
    first, second, third = judged(found)
    assert (first.rejected, codes(first)) == (True, [("scientific_notation", "手机")])
    assert bodies(second)[0]["identifiers"] == bodies(third)[0]["identifiers"]
    assert third.same_as == 3
    long = table(xlsx_bytes(["客户编号", "会员卡号"], ["K1", 6222021234567890123]))
    assert codes(judged(long)[0]) == [("precision_lost", "会员卡号")]


def test_lost_leading_zeros_stop_until_they_are_decided() -> None:
    content = csv_bytes(["客户编号", "邮编"], ["000123", "010020"], ["4711", "200120"], ["99", "10020"])
    found = findings(table(content))
    assert found["leading_zeros", "客户编号"] == ("stops", [3, 4])
    assert found["leading_zeros", "邮编"] == ("stops", [4])
    padded = mapping(
        {"column": "客户编号", "field": "record", "pad_to": 6},
        {"column": "邮编", "field": "postcode", "as_written": True},
    )
    decided = table(content, padded)
    assert not decided.findings.stops
    assert [bodies(row)[0]["source"]["record"] for row in judged(decided)] == ["000123", "004711", "000099"]
    assert bodies(judged(decided)[2])[0]["data"]["addresses"] == [{"postcode": "10020"}]


def test_records_that_were_counted_are_let_pass() -> None:
    content = csv_bytes(["id", "name"], *([str(n), "x"] for n in range(95, 105)))
    found = table(content)
    assert not found.findings.stops
    assert findings(found)["uneven_numbers", "id"][0] == "informs"


def birth_dates(*dates: Any, **options: Any) -> Any:
    chosen = mapping({"column": "id", "field": "record"}, {"column": "生日", "field": "birth_date", **options})
    return table(csv_bytes(["id", "生日"], *([f"K{n}", each] for n, each in enumerate(dates))), chosen)


def test_dates_that_do_not_tell_day_from_month_stop_until_they_are_decided() -> None:
    assert findings(birth_dates("3/4/1985", "5/6/1990"))["ambiguous_date_order", "生日"] == ("stops", [2, 3])
    assert findings(birth_dates("13/4/1985", "5/16/1990"))["mixed_date_orders", "生日"] == ("stops", [2, 3])
    assert findings(birth_dates("31107", "5/16/1990"))["excel_serial", "生日"] == ("stops", [2])
    shown = birth_dates("3/4/1985", "25/12/1990")
    assert findings(shown)["date_order", "生日"] == ("informs", [3])
    assert [bodies(row)[0]["data"]["birth_date"] for row in judged(shown)] == ["1985-04-03", "1990-12-25"]
    decided = birth_dates("3/4/1985", "31107", "13/4/1985", "3/4/85", date_order="mdy", serial_dates=1900)
    rows = judged(decided)
    assert [bodies(row)[0]["data"]["birth_date"] for row in rows] == ["1985-03-04", "1985-03-01", "13/4/1985", "3/4/85"]
    assert [codes(row) for row in rows[2:]] == [[("date_unreadable", "生日")], [("two_digit_year", "生日")]]
    assert not any(row.rejected for row in rows)


@given(st.dates(date(1930, 1, 1), date(2100, 1, 1)), st.sampled_from(["ymd", "dmy", "mdy"]), st.sampled_from("-/."))
def test_a_date_is_read_as_it_was_decided(day: date, order: str, sign: str) -> None:
    written = sign.join({"y": f"{day.year}", "m": f"{day.month}", "d": f"{day.day:02}"}[part] for part in order)
    reader = DateReader(order)  # type: ignore[arg-type]
    assert reader.day(written) == day
    assert reader.day(f"{day.year}年{day.month}月{day.day}日") == day
    serial = str((day - date(1899, 12, 30)).days)
    assert not is_serial(serial) or DateReader(serials=1900).day(serial) == day


def test_instants_are_read_in_the_zone_of_the_unit() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    read = DateReader().instant
    assert read("2026-03-01", zone) == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert read("2026/3/1 9:30", zone) == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert read("2026-03-01T09:30:00+01:00", zone) == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    assert read("yesterday", zone) is None
    assert read("2026-03-01 29:30", zone) is None


def test_a_row_becomes_a_profile_and_its_consents() -> None:
    chosen = mapping(
        {"column": "id", "field": "record"},
        {"column": "name", "field": "name"},
        {"column": "phones", "field": "phone", "separator": "/", "phone_region": "CN"},
        {"column": "city", "field": "city"},
        {"column": "employer", "field": "relation", "type": "employer", "system": "companies"},
        {"column": "model", "field": "attribute", "name": "preferred_model"},
        {"column": "sms", "field": "consent", "purpose": "marketing", "channel": "sms"},
        {"column": "mail", "field": "consent", "purpose": "marketing", "channel": "email"},
        kind="person",
    )
    header = ["id", "name", "phones", "city", "employer", "model", "sms", "mail"]
    cells = ["C-1", "王小明", "13800138000/13900139000", "上海市", "F-9", "Lavida", "是", "no"]
    [row] = judged(table(csv_bytes(header, cells), chosen))
    profile, given_, withdrawn = bodies(row)
    assert (profile["kind"], given_["kind"], withdrawn["kind"]) == (
        "profile.reported",
        "consent.given",
        "consent.withdrawn",
    )
    assert profile["source"] == {"system": "erp", "record": "C-1"}
    assert [each["value"] for each in profile["identifiers"]] == ["13800138000", "13900139000"]
    assert profile["data"] == {
        "kind": "person",
        "name": {"display": "王小明"},
        "addresses": [{"city": "上海市"}],
        "relations": [{"type": "employer", "to": {"system": "companies", "record": "F-9"}}],
    }
    assert profile["attributes"] == {"preferred_model": "Lavida"}
    assert profile["historical"] is True
    assert given_["data"] == {"purpose": "marketing", "channel": "sms"}
    assert (given_["source"], "attributes" in given_) == (profile["source"], False)


def test_what_is_wrong_with_a_row_names_its_column_and_never_the_cell() -> None:
    chosen = mapping(
        {"column": "id", "field": "record"},
        {"column": "手机", "field": "phone"},
        {"column": "类型", "field": "kind"},
        {"column": "sms", "field": "consent", "purpose": "marketing"},
    )
    content = csv_bytes(
        ["id", "手机", "类型", "sms"],
        ["C-1", "abcdef", "", ""],
        ["C-2", "", "martian", ""],
        ["C-3", "", "", "perhaps"],
        ["", "", "", "yes"],
        ["", "abcdef", "", ""],
        ["C-1", "", "", ""],
    )
    rows = judged(table(content, chosen))
    assert [(row.number, row.rejected, codes(row)) for row in rows] == [
        (2, False, [("phone_unreadable", "手机")]),
        (3, True, [("not_allowed", "类型")]),
        (4, True, [("consent_unreadable", "sms")]),
        (5, True, [("missing", None)]),
        (6, True, [("names_nobody", None), ("phone_unreadable", "手机")]),
        (7, True, [("duplicate_record", "id")]),
    ]
    said = orjson.dumps([row.reasons for row in rows]).decode()
    assert not any(value in said for value in ("abcdef", "martian", "perhaps", "C-1"))


CELLS = st.lists(
    st.tuples(st.from_regex(r"K[0-9]{1,6}", fullmatch=True), st.text("王李张abc", min_size=1, max_size=5)),
    min_size=1,
    max_size=8,
    unique_by=lambda pair: pair[0],
)


@given(CELLS, st.data())
def test_a_row_has_the_same_ids_and_the_same_bodies_wherever_reading_begins_anew(
    cells: list[tuple[str, str]], data: st.DataObject
) -> None:
    content = csv_bytes(["编号", "姓名"], *([*pair] for pair in cells))
    first = judged(table(content))
    again = judged(table(content))
    resumed_at = data.draw(st.integers(0, len(first)))
    mixed = [*first[:resumed_at], *again[resumed_at:]]
    assert [(row.ids, row.messages) for row in mixed] == [(row.ids, row.messages) for row in first]
    assert len({id_ for row in first for id_ in row.ids}) == len(first)


def test_other_work_has_other_ids() -> None:
    chosen = mapping({"column": "a", "field": "record"})
    other = mapping({"column": "a", "field": "record", "as_written": True})
    digests = {
        work_digest(b"1", chosen, ["erp"]),
        work_digest(b"2", chosen, ["erp"]),
        work_digest(b"1", other, ["erp"]),
        work_digest(b"1", chosen, ["shop"]),
    }
    assert len(digests) == 4
    same = SheetMapping.model_validate_json(chosen.canonical())
    assert work_digest(b"1", same, ["erp"]) == work_digest(b"1", chosen, ["erp"])


@pytest.mark.parametrize(
    "columns",
    [
        [{"column": "a", "field": "relation"}],
        [{"column": "a", "field": "consent"}],
        [{"column": "a", "field": "name", "pad_to": 5}],
        [{"column": "a", "field": "email", "date_order": "dmy"}],
        [{"column": "a", "field": "name"}, {"column": "b", "field": "name"}],
        [{"column": "a", "field": "name"}, {"column": "a", "field": "phone"}],
        [],
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(columns: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        SheetMapping.model_validate({"columns": columns})


def test_a_pointer_leads_to_the_column_it_came_from() -> None:
    draft = Draft([], pointers={"/identifiers/0": "phone", "/data/name/display": "name"})
    assert draft.column_of("/identifiers/0/value") == "phone"
    assert draft.column_of("/data/name/display") == "name"
    assert draft.column_of("/data") is None
