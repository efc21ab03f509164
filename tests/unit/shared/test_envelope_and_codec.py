"""What a record must have to be an event, and that no refusal repeats what was sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from rapport_shared.contracts.catalogue import CUSTOMER_VIEW_STATE, PROFILE_CHANGED, TICKET_OPENED, UNIT_CHANGED
from rapport_shared.contracts.codec import (
    DataInvalid,
    Event,
    Tombstone,
    decode_event,
    decode_json,
    encode_event,
    encode_state,
)
from rapport_shared.contracts.customer import UnitChanged, UnitState
from rapport_shared.contracts.envelope import (
    Envelope,
    EnvelopeInvalid,
    canonical_json,
    decode_envelope,
    encode_headers,
    header_mapping,
    instant_text,
)
from rapport_shared.contracts.gateway import CustomerViewState
from rapport_shared.contracts.pii import ERASED
from rapport_shared.contracts.view import CustomerSections

AT = datetime(2026, 3, 1, 1, 30, 0, 5, tzinfo=UTC)
PROFILE = UUID("019ca710-2640-7000-8000-000000000002")
ENVELOPE = Envelope(
    id=UUID("019ca710-2640-7000-8000-000000000001"),
    source=UNIT_CHANGED.source,
    type=UNIT_CHANGED.wire,
    subject="cn/华东",
    occurred_at=AT,
    recorded_at=AT + timedelta(microseconds=1),
    sequence=3,
)
UNIT = UnitState(path="cn/华东", name="华东", time_zone="Asia/Shanghai", currency="CNY", phone_region="CN")
EVENT = Event(ENVELOPE, UNIT_CHANGED, UnitChanged(unit=UNIT, changed=("name",)))
HEADERS = header_mapping(encode_headers(ENVELOPE))


def test_an_envelope_comes_back_as_it_went() -> None:
    full = replace(
        ENVELOPE,
        profile_id=PROFILE,
        customer_id=PROFILE,
        correlation_id=PROFILE,
        causation_id=PROFILE,
        touchpoint_id=PROFILE,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    for envelope in (ENVELOPE, full):
        assert decode_envelope(header_mapping(encode_headers(envelope))) == envelope


def test_instants_travel_in_utc_with_microseconds() -> None:
    assert HEADERS["ce_time"] == "2026-03-01T01:30:00.000005Z"
    assert instant_text(AT.astimezone(timezone(timedelta(hours=8)))) == HEADERS["ce_time"]
    elsewhere = HEADERS | {"ce_time": "2026-03-01T09:30:00.000005+08:00"}
    assert decode_envelope(elsewhere).occurred_at == AT
    assert decode_envelope(elsewhere).occurred_at.tzinfo is UTC


@pytest.mark.parametrize("name", ["ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_recordedtime"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_attribute_is_named(name: str, value: str | None) -> None:
    headers = {key: text for key, text in HEADERS.items() if key != name}
    if value is not None:
        headers[name] = value
    with pytest.raises(EnvelopeInvalid, match=f"{name} is missing"):
        decode_envelope(headers)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", "0.3"),
        ("ce_id", "private-3"),
        ("ce_profileid", "private-4"),
        ("ce_time", "private-5"),
        ("ce_time", "2026-03-01T01:30:00"),
        ("ce_recordedtime", "2026-13-01T01:30:00Z"),
        ("ce_sequence", "private-6"),
        ("ce_sequence", "-1"),
        ("ce_sequence", "1.5"),
        ("ce_sequence", "٣"),
        ("ce_sequence", "9" * 19),
    ],
)
def test_a_malformed_attribute_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(EnvelopeInvalid) as refused:
        decode_envelope(HEADERS | {name: value})
    assert str(refused.value).startswith(name)
    assert value not in str(refused.value)


def test_headers_are_text_and_the_last_of_a_name_counts() -> None:
    assert header_mapping([("a", b"1"), ("b", "王".encode()), ("a", b"2")]) == {"a": "2", "b": "王"}
    with pytest.raises(EnvelopeInvalid, match="UTF-8"):
        header_mapping([("a", b"\xff")])


def test_a_profile_keys_its_events_and_an_aggregate_all_others() -> None:
    assert encode_event(EVENT).key == "cn/华东".encode()
    of_profile = replace(EVENT, envelope=replace(ENVELOPE, profile_id=PROFILE))
    assert encode_event(of_profile).key == str(PROFILE).encode()
    assert encode_event(of_profile, key="another").key == b"another"


def test_an_event_goes_to_the_topic_of_its_owner() -> None:
    assert encode_event(EVENT).topic == "rapport.customer.events.v1"
    assert (TICKET_OPENED.topic.name, TICKET_OPENED.source) == ("rapport.ticket.events.v1", "/rapport/ticket")


def test_data_are_the_bare_value_in_their_own_script() -> None:
    value = encode_event(EVENT).value
    assert value is not None
    assert "华东".encode() in value
    assert decode_event(HEADERS, value) == EVENT


@pytest.mark.parametrize("value", [b"", b"[]", b"null", b"{", b"\xff", b'{"unit": "secret"}', b"[" * 100_000])
def test_data_of_another_shape_are_refused_without_repeating_them(value: bytes) -> None:
    with pytest.raises(DataInvalid) as refused:
        decode_event(HEADERS, value)
    assert "secret" not in str(refused.value)


def test_a_refusal_names_five_places_at_most() -> None:
    with pytest.raises(DataInvalid) as refused:
        decode_event(HEADERS, b'{"unit": {"path": 1}, "changed": ["name"]}')
    assert str(refused.value).startswith("/unit/path string_type; /unit/name missing; ")
    assert str(refused.value).count(";") == 4


def test_an_erased_value_decodes_to_erased() -> None:
    profile: dict[str, Any] = {"profile_id": str(PROFILE), "registered": True, "created_at": "2026-03-01T01:30:00Z"}
    identifier = {"type": "phone", "key": "ab", "normal": {"erased": True}, "raw": {"erased": True}}
    profile["identifiers"] = [identifier | {"norm_version": 1, "routed": True, "held_since": "2026-03-01T01:30:00Z"}]
    headers = HEADERS | {"ce_type": PROFILE_CHANGED.wire}
    decoded: Any = decode_event(headers, canonical_json({"profile": profile, "changed": ["identifiers"]}))
    assert decoded.data.profile.identifiers[0].normal is ERASED


def test_no_value_is_a_tombstone_whatever_the_headers() -> None:
    assert decode_event({}, None, b"key") == Tombstone(b"key")
    assert decode_event(HEADERS, None) == Tombstone(None)


def test_a_state_has_a_key_and_no_envelope() -> None:
    state = CustomerViewState(customer_id=PROFILE, run=1, version=2, sections=CustomerSections(segments=["loyal"]))
    message = encode_state(CUSTOMER_VIEW_STATE, PROFILE, state)
    assert (message.topic, message.key) == (CUSTOMER_VIEW_STATE.name, str(PROFILE).encode())
    assert message.headers == (("content-type", b"application/json"),)
    assert CustomerViewState.model_validate_json(message.value or b"") == state
    assert encode_state(CUSTOMER_VIEW_STATE, PROFILE, None).value is None


def test_json_that_cannot_be_read_is_refused_without_repeating_it() -> None:
    assert decode_json('{"a": "王"}'.encode()) == {"a": "王"}
    for value in (b"secret", b"\xff", b"[" * 100_000):
        with pytest.raises(DataInvalid) as refused:
            decode_json(value)
        assert "secret" not in str(refused.value)


def test_canonical_json_is_the_same_for_equal_values() -> None:
    assert canonical_json({"b": "王", "a": [1, 2]}) == '{"a":[1,2],"b":"王"}'.encode()
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
