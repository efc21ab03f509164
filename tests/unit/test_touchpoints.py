"""Touchpoints: every kind is taken, everything wrong is named by its place, nothing personal is repeated."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest

from rapport_shared.contracts.pii import is_erased
from rapport_shared.contracts.touchpoints import (
    CHANNELS,
    KINDS,
    MAX_DEPTH,
    MAX_TEXT_BYTES,
    Touchpoint,
    TouchpointInvalid,
    check_times,
    content_digest,
    corrected_occurred_at,
    parse_touchpoint,
    read_touchpoint,
    touchpoint_adapter,
)
from rapport_shared.contracts.touchpoints.conversation import CallEnded
from rapport_shared.contracts.touchpoints.examples import EXAMPLES

JsonObject = dict[str, Any]
OWN = "custom.charging_ended"


def example(kind: str = "call.ended", /, **changes: Any) -> JsonObject:
    return copy.deepcopy(dict(EXAMPLES[kind])) | changes


def codes(data: object, *, strict: bool = True) -> dict[str, str]:
    with pytest.raises(TouchpointInvalid) as caught:
        parse_touchpoint(data, strict=strict)
    return {error.pointer: error.code for error in caught.value.errors}


def with_data(kind: str, **changes: Any) -> JsonObject:
    touchpoint = example(kind)
    touchpoint["data"] |= changes
    return touchpoint


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == KINDS | {OWN}
    assert {item["channel"] for item in EXAMPLES.values()} <= CHANNELS
    assert len({item["id"] for item in EXAMPLES.values()}) == len(EXAMPLES)


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_every_example_is_taken_and_survives_the_wire(kind: str) -> None:
    touchpoint = parse_touchpoint(example(kind), strict=True)
    assert touchpoint.kind == kind
    assert touchpoint_adapter().validate_python(example(kind)) == touchpoint
    wire = touchpoint.model_dump(mode="json")
    assert read_touchpoint(wire) == touchpoint
    assert parse_touchpoint(wire, strict=True) == touchpoint


def test_the_published_schema_takes_the_examples() -> None:
    validator = jsonschema.Draft202012Validator(touchpoint_adapter().json_schema())
    for kind in EXAMPLES:
        validator.validate(example(kind))
    assert not validator.is_valid(example(kind="call.ended", channel=7))


def test_unknown_fields_are_refused_or_passed_by() -> None:
    touchpoint = example(surplus=1)
    touchpoint["data"]["effort"]["more"] = 2
    assert codes(touchpoint) == {"/data/effort/more": "unknown_field", "/surplus": "unknown_field"}
    assert parse_touchpoint(touchpoint, strict=False) == parse_touchpoint(example(), strict=True)


@pytest.mark.parametrize("kind", ["call.exploded", "", "custom.", "custom.A", "custom.a b", "x" * 9000, 7, None])
def test_unknown_kinds_are_named(kind: Any) -> None:
    assert codes(example(kind=kind))["/kind"] in ("unknown_kind", "missing")


@pytest.mark.parametrize("value", [None, [], "x", 1, 1.5, True, b"{}"])
def test_only_an_object_is_a_touchpoint(value: object) -> None:
    assert codes(value) == {"": "wrong_type"}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"id": "no-uuid"}, "/id", "wrong_format"),
        ({"id": None}, "/id", "wrong_type"),
        ({"channel": "Phone Desk"}, "/channel", "wrong_format"),
        ({"unit": "cn//east"}, "/unit", "wrong_format"),
        ({"historical": "yes"}, "/historical", "wrong_type"),
        ({"source": {"record": "C-1"}}, "/source/system", "missing"),
        ({"identifiers": [{"type": "fax", "value": "1"}]}, "/identifiers/0/type", "not_allowed"),
        ({"identifiers": [{"type": "phone", "value": ""}]}, "/identifiers/0/value", "too_short"),
        ({"identifiers": [{"type": "phone", "value": "1", "region": "cn"}]}, "/identifiers/0/region", "wrong_format"),
        ({"identifiers": [{"type": "external", "value": "1"}]}, "/identifiers/0/system", "missing"),
        ({"identifiers": [{"type": "phone", "value": {"erased": True}}]}, "/identifiers/0/value", "erased"),
        ({"identifiers": [{"type": "card", "value": "1"}] * 51}, "/identifiers", "too_large"),
        ({"attachments": [{"name": "a", "sha256": "00"}]}, "/attachments/0/sha256", "wrong_format"),
        ({"agent": " "}, "/agent", "wrong_format"),
        ({"agent": "a\0b"}, "/agent", "text"),
        ({"agent": "\ud800"}, "/agent", "text"),
        ({"attributes": {"a": float("nan")}}, "/attributes/a", "out_of_range"),
        ({"attributes": {"a": 2**63}}, "/attributes/a", "out_of_range"),
        ({"attributes": {"a": datetime.now(UTC)}}, "/attributes/a", "wrong_type"),
        ({"data": {"effort": {"talk_s": True}}}, "/data/effort/talk_s", "wrong_type"),
        ({"data": {"effort": {"talk_s": 1.0}}}, "/data/effort/talk_s", "wrong_type"),
        ({"data": {"effort": {"talk_s": -1}}}, "/data/effort/talk_s", "out_of_range"),
        ({"data": {"promises": [{"text": "x", "due_at": "2026-03-01"}]}}, "/data/promises/0/due_at", "time"),
    ],
)
def test_a_fault_is_named_by_its_place(changes: JsonObject, pointer: str, code: str) -> None:
    assert codes(example(**changes)) == {pointer: code}


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T09:30:00",
        "2026-03-01",
        "2026-03-01 09:30:00+08:00",
        "1772328600",
        1772328600,
        1.5,
        "1899-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
        "2026-03-01T24:00:01Z",
        "",
        None,
    ],
)
def test_impossible_times_are_refused(value: Any) -> None:
    assert codes(example(occurred_at=value)) == {"/occurred_at": "time"}


def test_text_is_limited_in_bytes() -> None:
    fits = "汉" * (MAX_TEXT_BYTES // 3)
    parse_touchpoint(with_data("call.ended", text=fits), strict=True)
    assert codes(with_data("call.ended", text=fits + "汉")) == {"/data/text": "too_large"}
    assert codes(with_data("call.ended", text="a" * (MAX_TEXT_BYTES + 1))) == {"/data/text": "too_large"}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def test_depth_is_limited() -> None:
    parse_touchpoint(example(attributes=nested(MAX_DEPTH - 1)), strict=True)
    assert set(codes(example(attributes=nested(MAX_DEPTH))).values()) == {"too_deep"}
    assert set(codes(example(attributes=nested(100_000))).values()) == {"too_deep"}


@pytest.mark.parametrize(
    ("kind", "changes", "pointer"),
    [
        ("asset.delivered", {"serial": None, "plate": None}, "/data/serial"),
        ("referral.made", {"referred": {"type": "social", "value": "x"}}, "/data/referred/system"),
    ],
)
def test_what_is_required_together(kind: str, changes: JsonObject, pointer: str) -> None:
    assert codes(with_data(kind, **changes)) == {pointer: "missing"}


def test_a_profile_must_be_somebodys() -> None:
    nobody = example("profile.reported", source={"system": "erp"}, identifiers=[])
    assert codes(nobody) == {"/source": "missing"}
    parse_touchpoint(nobody | {"conversation": "c-1"}, strict=True)


def test_names_that_may_be_personal_are_not_repeated() -> None:
    touchpoint = example() | {"13800138000": 1, "xiaoming@example.com": 2}
    assert codes(touchpoint) == {"": "unknown_field"}


def test_a_birth_date_that_is_none_refuses_nothing() -> None:
    parse_touchpoint(with_data("profile.reported", birth_date="属牛"), strict=True)


def test_erased_values_are_read() -> None:
    recorded = with_data("call.ended", text={"erased": True})
    recorded["identifiers"][0]["value"] = {"erased": True}
    touchpoint = read_touchpoint(recorded)
    assert is_erased(touchpoint.identifiers[0].value)
    assert touchpoint.model_dump(mode="json")["data"]["text"] == {"erased": True}
    assert is_erased(read_touchpoint(example(OWN, data={"erased": True})).data)


def at(text: str, **changes: Any) -> Touchpoint:
    return parse_touchpoint(example(occurred_at=text, **changes), strict=True)


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "refused"), [(300, False), (301, True), (-(10**9), False)])
def test_five_minutes_ahead_is_the_limit(seconds: int, refused: bool) -> None:
    touchpoint = at((NOW + timedelta(seconds=seconds)).isoformat())
    if refused:
        with pytest.raises(TouchpointInvalid) as caught:
            check_times(touchpoint, NOW)
        assert [(error.pointer, error.code) for error in caught.value.errors] == [("/occurred_at", "time_ahead")]
    else:
        check_times(touchpoint, NOW)


@pytest.mark.parametrize(
    ("sent", "moved"),
    [
        (timedelta(hours=-3), timedelta(hours=3)),
        (timedelta(days=40), timedelta(days=-40)),
        (timedelta(seconds=5), None),
    ],
)
def test_a_devices_clock_is_corrected(sent: timedelta, moved: timedelta | None) -> None:
    touchpoint = at("2026-03-01T11:00:00Z", sent_at=(NOW + sent).isoformat())
    corrected = corrected_occurred_at(touchpoint, NOW)
    assert corrected == datetime(2026, 3, 1, 11, tzinfo=UTC) + (moved or timedelta())


def test_a_clock_ahead_is_mended_not_refused() -> None:
    check_times(at("2027-03-01T11:00:00Z", sent_at="2027-03-01T12:00:00Z"), NOW)


def digest(**changes: Any) -> str:
    return content_digest(example(**changes))


def test_a_repeat_is_told_from_another_body() -> None:
    sent = {"sent_at": "2026-03-01T02:00:00Z"}
    again = {"sent_at": "2026-03-01T03:00:00Z", "occurred_at": "2026-03-01T10:30:00+08:00", "id": "other"}
    assert digest(**sent) == digest(**again)
    assert digest() == content_digest(dict(reversed(example().items())))
    assert digest() != digest(occurred_at="2026-03-01T10:30:00+08:00")
    assert digest() != digest(agent="agent-18")


def test_the_union_narrows_by_match() -> None:
    touchpoint = parse_touchpoint(example(), strict=True)
    match touchpoint:
        case CallEnded(data=data):
            assert data.effort is not None
        case _:
            pytest.fail("a call that ended")
