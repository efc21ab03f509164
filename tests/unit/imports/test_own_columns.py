"""Columns of the deployment's own fields: known by their labels, their cells values of their types."""

from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_gateway.imports.dates import DateReader
from rapport_gateway.imports.headers import propose, template
from rapport_gateway.imports.own_columns import as_value
from rapport_shared.own_fields import OwnField
from tests.support.own_fields import GARAGE, LABELS, SOUND, field, rules
from tests.unit.imports.sheets import csv_bytes, findings, judged, mapping, table, xlsx_bytes

OWN = rules(
    {
        "profiles": {
            "level": field(
                "option", options={"gold": {"en": "Gold", "zh": "金卡"}, "tin": {"en": "Tin", "zh": "锡卡"}}
            ),
            "cars": field("integer", labels={"en": "Number of cars", "zh": "车辆数"}),
            "since": field("date", labels={"en": "Member since", "zh": "入会日期"}),
            "interests": field("options", labels={"en": "Interests", "zh": "兴趣"}),
            "club": field("text", labels={"en": "City", "zh": "城市"}),
        }
    }
)


def attributes(content: bytes, *columns: dict[str, Any]) -> list[Any]:
    chosen = mapping({"column": "id", "field": "record"}, *columns)
    found = judged(table(content, chosen, OWN))
    return [
        orjson.loads(row.messages[0].value or b"").get("attributes")
        if row.messages
        else [(reason["code"], reason["column"]) for reason in row.reasons]
        for row in found
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_template_has_a_column_for_each_field_and_understands_it(language: Any) -> None:
    headers = template(OWN, language)
    assert len(set(headers)) == len(headers)
    found = propose(headers, rules=OWN)
    assert found is not None
    own = [column.name for column in found.columns if column.field == "attribute"]
    assert own == ["level", "cars", "since", "interests", "club"]
    assert len(found.columns) == len(headers)


@pytest.mark.parametrize("header", ["Number of cars", "number_of_cars", "车辆数", "cars", "车辆数 (cars)"])
def test_a_column_is_known_by_name_and_label(header: str) -> None:
    found = propose([header], rules=OWN)
    assert found is not None
    assert (found.columns[0].field, found.columns[0].name) == ("attribute", "cars")
    assert propose([header]) is None


def test_cells_become_values_of_their_types() -> None:
    header = ["id", "等级", "车辆数", "入会日期", "兴趣"]
    columns = [
        {"column": "等级", "field": "attribute", "name": "level"},
        {"column": "车辆数", "field": "attribute", "name": "cars"},
        {"column": "入会日期", "field": "attribute", "name": "since"},
        {"column": "兴趣", "field": "attribute", "name": "interests"},
    ]
    content = csv_bytes(header, ["1", "金卡", "3", "2020年3月1日", "a；c"], ["2", "TIN", "2.0", "", ""])
    assert attributes(content, *columns) == [
        {"level": "gold", "cars": 3, "since": "2020-03-01", "interests": ["a", "c"]},
        {"level": "tin", "cars": 2},
    ]


def test_what_a_cell_cannot_be_is_said_of_its_column_and_never_repeated() -> None:
    level = {"column": "等级", "field": "attribute", "name": "level"}
    cars = {"column": "车辆数", "field": "attribute", "name": "cars"}
    content = csv_bytes(["id", "等级", "车辆数"], ["1", "王小明", "many"])
    assert attributes(content, level, cars) == [[("not_allowed", "等级"), ("wrong_type", "车辆数")]]
    undeclared = {"column": "等级", "field": "attribute", "name": "never_declared"}
    assert attributes(content, undeclared) == [[("unknown_field", "等级")]]


def test_a_date_that_may_be_two_stops_until_it_is_decided() -> None:
    column = {"column": "since", "field": "attribute", "name": "since"}
    content = csv_bytes(["id", "since"], ["1", "3/4/2020"])
    found = table(content, mapping({"column": "id", "field": "record"}, column), OWN)
    assert findings(found)["ambiguous_date_order", "since"][0] == "stops"
    assert attributes(content, {**column, "date_order": "dmy"}) == [{"since": "2020-04-03"}]


def test_a_number_that_a_spreadsheet_made_is_the_text_that_was_typed() -> None:
    column = {"column": "club", "field": "attribute", "name": "club"}
    assert attributes(xlsx_bytes(["id", "club"], ["C-1", 4711]), column) == [{"club": "4711"}]


@given(st.sampled_from(sorted(set(SOUND) - {"options"})), st.data())
def test_what_a_person_reads_in_a_sheet_is_the_value_again(type_: str, data: st.DataObject) -> None:
    declared = OwnField.model_validate(field(type_))
    value = data.draw(SOUND[type_])
    written = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    read = as_value(declared, written, DateReader(), ZoneInfo("UTC"), None)
    checks = rules({"touchpoints": {"one": field(type_)}}).touchpoints("call.ended")
    assert not list(checks.faults({"one": read}))
    if type_ in ("integer", "boolean", "date", "option", "text"):
        assert read == value


def test_without_a_declaration_a_cell_is_a_text_as_before() -> None:
    chosen = mapping({"column": "id", "field": "record"}, {"column": "model", "field": "attribute", "name": "m"})
    [row] = judged(table(csv_bytes(["id", "model"], ["1", "3"]), chosen))
    assert orjson.loads(row.messages[0].value or b"")["attributes"] == {"m": "3"}


def test_labels_of_the_garage_are_understood_in_both_languages() -> None:
    for header in ("Loyalty level", "会员等级"):
        found = propose([header], rules=rules(GARAGE))
        assert found is not None
        assert found.columns[0].name == "loyalty_level"
    assert LABELS["en"] not in template(rules(GARAGE), "en")
