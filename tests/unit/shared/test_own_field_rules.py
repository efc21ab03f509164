"""Own fields: what a policy may declare, what it then takes, and what it says of what it does not."""

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.contracts.catalogue import CUSTOMER_POLICY_ACTIVATED
from rapport_shared.errors import Problem
from rapport_shared.own_fields import UNDECLARED, FieldsPolicy, lookup_key
from rapport_shared.policies import PolicyKind, parse_document, read_document
from tests.support.own_fields import ANYTHING, GARAGE, LABELS, declarations, field, rules, stated

KIND = PolicyKind("fields", FieldsPolicy, CUSTOMER_POLICY_ACTIVATED)
CALL = {"kind": "call.ended", "data": {}}


def faults(document: dict[str, Any], **body: Any) -> dict[str, str]:
    return {one.pointer: one.code for one in rules(document).touchpoint_faults({**CALL, **body})}


def own_kind(schema: Any, **more: Any) -> dict[str, Any]:
    return {"kinds": {"custom.thing": {"labels": LABELS, "schema": schema, **more}}}


@given(st.data())
def test_what_is_declared_is_taken(data: st.DataObject) -> None:
    fields = data.draw(declarations())
    assert not faults({"touchpoints": fields}, attributes=data.draw(stated(fields)))


@given(st.data())
def test_whatever_is_sent_is_taken_or_refused_with_its_place_and_never_repeated(data: st.DataObject) -> None:
    fields = data.draw(declarations())
    sent = data.draw(st.dictionaries(st.sampled_from(["one", "two", "three", "six"]), ANYTHING))
    checks = rules({"touchpoints": fields}).touchpoints("call.ended")
    found = list(checks.faults(sent))
    for one in found:
        name = one.pointer.removeprefix("/attributes/")
        assert name in sent or fields[name]["required_when"] == "always"
    wrong = {one.pointer.removeprefix("/attributes/") for one in found}
    assert checks.stated(sent) == {k: v for k, v in sent.items() if k in fields and k not in wrong and v is not None}
    texts = [value for value in sent.values() if isinstance(value, str) and len(value) > 12]
    assert not [text for text in texts for one in found if text in one.message]


@given(declarations())
def test_a_document_is_read_back_as_it_was_written(fields: dict[str, Any]) -> None:
    document = {"profiles": fields, **own_kind({"type": "object"})}
    kept = orjson.loads(FieldsPolicy.model_validate(document).model_dump_json(exclude_unset=True))
    assert kept == document
    assert FieldsPolicy.model_validate(kept) == FieldsPolicy.model_validate(document)


@pytest.mark.parametrize(
    ("declared", "value", "code"),
    [
        (field("text", length=3), "four", "too_large"),
        (field("text"), " ", "too_short"),
        (field("text"), "a\0b", "text"),
        (field("text"), "\ud800", "text"),
        (field("integer", minimum=2), 1, "out_of_range"),
        (field("integer"), True, "wrong_type"),
        (field("integer"), 1.0, "wrong_type"),
        (field("integer"), 2**53, "wrong_type"),
        (field("decimal", maximum="1.5"), "1.51", "out_of_range"),
        (field("decimal"), 1.5, "wrong_format"),
        (field("decimal"), "1e5", "wrong_format"),
        (field("decimal"), "１", "wrong_format"),
        (field("boolean"), "true", "wrong_type"),
        (field("boolean"), 1, "wrong_type"),
        (field("date", minimum="2026-01-01"), "2025-12-31", "out_of_range"),
        (field("date"), "2026-02-30", "date"),
        (field("date"), "2026-W01-1", "date"),
        (field("instant"), "2026-03-01T09:00:00", "time"),
        (field("instant"), "2026-03-01", "time"),
        (field("option"), "d", "not_allowed"),
        (field("option"), ["a"], "wrong_type"),
        (field("options"), ["a", "a"], "duplicate"),
        (field("options"), [], "too_short"),
        (field("options"), [{"a": 1}], "wrong_type"),
    ],
)
def test_a_wrong_value_is_refused(declared: dict[str, Any], value: Any, code: str) -> None:
    assert faults({"touchpoints": {"one": declared}}, attributes={"one": value}) == {"/attributes/one": code}


def test_an_undeclared_name_that_may_be_personal_is_not_repeated() -> None:
    (found,) = rules(GARAGE).touchpoint_faults({**CALL, "attributes": {"王小明 13800138000": 1}})
    assert (found.pointer, found.code) == ("/attributes", "unknown_field")


def test_a_part_that_is_left_out_stays_as_it_is_without_a_policy() -> None:
    anything = {"whatever": [1, {"deep": None}]}
    assert not UNDECLARED.touchpoint_faults({"kind": "custom.any", "data": anything, "attributes": anything})
    assert not faults({"profiles": {"one": field("text")}}, attributes=anything)
    assert not faults({"touchpoints": {}}, kind="custom.any", data=anything)
    assert faults({"touchpoints": {}}, attributes=anything) == {"/attributes/whatever": "unknown_field"}
    assert faults({"profiles": {}}, kind="profile.reported", attributes=anything) == {
        "/attributes/whatever": "unknown_field"
    }
    assert faults({"kinds": {}}, kind="custom.any", data=anything) == {"/kind": "unknown_kind"}


def test_required_is_always_or_by_another_field_or_by_kind() -> None:
    other = {"one": field("option"), "two": field("text", required_when={"field": "one", "equals": "a"})}
    assert faults({"touchpoints": other}, attributes={"one": "a"}) == {"/attributes/two": "missing"}
    assert faults({"touchpoints": other}, attributes={"one": "a", "two": None}) == {"/attributes/two": "missing"}
    assert not faults({"touchpoints": other}, attributes={"one": "b"})
    several = {"one": field("options"), "two": field("text", required_when={"field": "one", "equals": "b"})}
    assert faults({"touchpoints": several}, attributes={"one": ["a", "b"]}) == {"/attributes/two": "missing"}
    flagged = {"one": field("boolean"), "two": field("text", required_when={"field": "one", "equals": True})}
    assert faults({"touchpoints": flagged}, attributes={"one": True}) == {"/attributes/two": "missing"}
    by_kind = {"one": field("text", required_when={"kind": "call.ended"})}
    assert faults({"touchpoints": by_kind}) == {"/attributes/one": "missing"}
    assert not faults({"touchpoints": by_kind}, kind="email.received")
    company = {"profiles": {"one": field("text", required_when={"kind": "company"})}}
    report = {"kind": "profile.reported"}
    assert faults(company, **report, data={"kind": "company"}) == {"/attributes/one": "missing"}
    assert not faults(company, **report, data={"kind": "person"})


def test_what_an_asset_must_have_is_asked_for_at_delivery_alone() -> None:
    asset = {"serial": "S1"}
    assert faults(GARAGE, kind="asset.delivered", data=asset) == {"/attributes/warranty_until": "missing"}
    assert not faults(GARAGE, kind="asset.serviced", data=asset, attributes={"colour": "blue"})


def test_an_own_kind_follows_its_schema() -> None:
    drive = {"kind": "custom.test_drive"}
    assert not faults(GARAGE, **drive, data={"model": "Lavida"}, attributes={"campaign_code": "c"})
    found = rules(GARAGE).touchpoint_faults(
        {**drive, "data": {"minutes": 0, "13800138000": 1}, "attributes": {"party_size": 0}}
    )
    assert {(one.pointer, one.code) for one in found} == {
        ("/data/model", "missing"),
        ("/data/minutes", "out_of_range"),
        ("/data", "unknown_field"),
        ("/attributes/party_size", "out_of_range"),
    }
    assert not [one for one in found if "138" in one.message]


@pytest.mark.parametrize(
    "document",
    [
        {"profile": {}},
        {"profiles": {"Upper": field("text")}},
        {"profiles": {"one": {**field("text"), "labels": {"en": "only English"}}}},
        {"profiles": {"one": field("text", options={"a": LABELS})}},
        {"profiles": {"one": {"type": "option", "labels": LABELS}}},
        {"profiles": {"one": field("integer", length=3)}},
        {"profiles": {"one": field("integer", minimum="2026-01-01")}},
        {"profiles": {"one": field("integer", minimum=3, maximum=2)}},
        {"profiles": {"one": field("text", minimum=1)}},
        {"profiles": {"one": field("boolean", lookup=True)}},
        {"profiles": {"one": field("option", lookup=True)}},
        {"profiles": {"one": field("text", required_when={"field": "two", "equals": "x"})}},
        {"profiles": {"one": field("text", required_when={"field": "one", "equals": "x"})}},
        {"profiles": {"one": field("option"), "two": field("text", required_when={"field": "one", "equals": "d"})}},
        {"profiles": {"one": field("text")}, "touchpoints": {"one": field("text")}},
        {"assets": {"one": field("text")}, "touchpoints": {"one": field("text", kinds=["asset.serviced"])}},
        {"touchpoints": {"one": field("text", kinds=["call.endd"])}},
        {"kinds": {"thing": {"labels": LABELS, "schema": {"type": "object"}}}},
        own_kind({"type": "string"}),
        own_kind({"type": "object", "$ref": "https://example.com/schema.json"}),
        own_kind({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}),
        own_kind({"type": "object", "$id": "https://example.com/a"}),
        own_kind({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}),
        own_kind({"type": "object", "properties": {"a": {"pattern": "(?=a)b"}}}),
        own_kind({"type": "object", "properties": {"a": {"pattern": "("}}}),
        own_kind({"type": "object", "properties": {"a": {"type": "strin"}}}),
        own_kind({"type": "object", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}),
        own_kind({"type": "object", "title": "x" * 40_000}),
        own_kind({"type": "object", "properties": {"a": {}}}, personal=["/b"]),
        {"profiles": {f"f{n}": field("text") for n in range(201)}},
        {"tickets": {f"f{n}": field("text", length=10_000) for n in range(7)}},
    ],
)
def test_a_document_that_declares_nonsense_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refused:
        parse_document(KIND, document)
    assert refused.value.errors


def test_a_schema_that_grows_without_end_is_refused() -> None:
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    schema = {"type": "object", "$defs": {**doubling, "d30": {}}, "properties": {"a": {"$ref": "#/$defs/d0"}}}
    began = time.perf_counter()
    with pytest.raises(Problem):
        parse_document(KIND, own_kind(schema))
    assert time.perf_counter() - began < 1
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"properties": {"a": deep}}
    with pytest.raises(Problem):
        parse_document(KIND, own_kind({"type": "object", **deep}))


def test_a_pattern_takes_time_that_grows_with_the_text_alone() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    began = time.perf_counter()
    assert faults(own_kind(schema), kind="custom.thing", data={"a": "a" * 50_000 + "b"}) == {"/data/a": "wrong_format"}
    assert time.perf_counter() - began < 1


def test_dates_of_yaml_are_texts() -> None:
    text = "profiles: {one: {type: date, minimum: 2020-01-01, labels: {en: One, zh: 一}}}"
    policy = parse_document(KIND, read_document(text.encode(), "application/yaml"))
    assert policy.profiles is not None
    assert policy.profiles["one"].minimum == "2020-01-01"


def test_a_later_release_may_declare_more_than_this_one_knows() -> None:
    later = {"profiles": {"one": {**field("text"), "colour": "red"}}, "orders": {}}
    assert not rules(later).touchpoint_faults({"kind": "profile.reported", "attributes": {"one": "x"}})
    assert not faults({"touchpoints": {"one": field("text", kinds=["kind.of_later", "call.ended"])}}, attributes={})


def test_equal_values_are_found_by_equal_keys() -> None:
    assert lookup_key("one", " Ab  C ") == lookup_key("one", "ab c") != lookup_key("two", "ab c")
    assert lookup_key("one", ["a"]) is lookup_key("one", True) is lookup_key("one", {"erased": True}) is None
