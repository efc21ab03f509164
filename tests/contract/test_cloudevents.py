"""The official CloudEvents SDK reads what the codec writes and writes what the codec reads, in Kafka's binary mode."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_shared.contract_documents.golden import Golden, golden_messages
from rapport_shared.contracts.catalogue import INTERACTION_RECORDED, TICKET_OPENED, TOUCHPOINT_REPORTED, UNIT_CHANGED
from rapport_shared.contracts.codec import (
    DataInvalid,
    Event,
    Message,
    Tombstone,
    UnknownEvent,
    decode_event,
    encode_event,
    event_key,
)
from rapport_shared.contracts.customer import UnitChanged, UnitState
from rapport_shared.contracts.envelope import Envelope, header_mapping
from rapport_shared.contracts.interaction import Attribution, InteractionRecorded
from rapport_shared.contracts.model import Contract

FORMAT = JSONFormat()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENTS = [golden for golden in golden_messages() if isinstance(golden.source, Event)]
EXTENSIONS = {
    "profileid": "profile_id",
    "customerid": "customer_id",
    "correlationid": "correlation_id",
    "causationid": "causation_id",
    "touchpointid": "touchpoint_id",
}

text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.sampled_from(["王小明", "𠮷野家", "é\n"])
instants = st.integers(0, 10**16).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
maybe_id = st.none() | st.uuids()


@st.composite
def events(draw: st.DrawFn) -> Event[Contract]:
    unit = st.builds(UnitState, path=text, name=text, time_zone=text, currency=text, phone_region=text)
    recorded = st.builds(
        InteractionRecorded,
        interaction_id=st.uuids(),
        touchpoint_id=st.uuids(),
        profile_id=maybe_id,
        attribution=st.just(Attribution(by="anonymous")),
        kind=text,
        channel=text,
        touchpoint=st.dictionaries(text, json_values, max_size=4),
    )
    event_type, data = draw(
        st.one_of(
            st.tuples(st.just(UNIT_CHANGED), st.builds(UnitChanged, unit=unit, changed=st.tuples(text))),
            st.tuples(st.just(INTERACTION_RECORDED), recorded),
        )
    )
    envelope = Envelope(
        id=draw(st.uuids()),
        source=event_type.source,
        type=event_type.wire,
        subject=draw(text),
        occurred_at=draw(instants),
        recorded_at=draw(instants),
        sequence=draw(st.integers(0, 10**17)),
        traceparent=draw(st.none() | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
        **{field: draw(maybe_id) for field in EXTENSIONS.values()},
    )
    return Event(envelope, event_type, data)


def read_by_sdk(message: Message) -> Any:
    record: Any = message.value
    return from_kafka(KafkaMessage(dict(message.headers), message.key, record), FORMAT)


def assert_same(read: Any, event: Event[Contract]) -> None:
    envelope = event.envelope
    assert UUID(read.get_id()) == envelope.id
    assert read.get_source() == envelope.source
    assert read.get_type() == envelope.type
    assert read.get_specversion() == "1.0"
    assert read.get_datacontenttype() == "application/json"
    assert read.get_subject() == envelope.subject
    assert read.get_time() == envelope.occurred_at
    assert datetime.fromisoformat(read.get_extension("recordedtime")) == envelope.recorded_at
    assert int(read.get_extension("sequence")) == envelope.sequence
    for extension, field in EXTENSIONS.items():
        found, expected = read.get_extension(extension), getattr(envelope, field)
        assert (None if found is None else UUID(found)) == expected, extension
    assert read.get_extension("partitionkey") == event_key(envelope).decode()
    assert event.type.model.model_validate(read.get_data()) == event.data


def written_by_sdk(event: Event[Contract], zone: timezone = UTC) -> KafkaMessage:
    envelope = event.envelope
    attributes = {
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "specversion": "1.0",
        "subject": envelope.subject,
        "time": envelope.occurred_at.astimezone(zone),
        "datacontenttype": "application/json",
        "recordedtime": envelope.recorded_at.astimezone(zone).isoformat(),
        "sequence": str(envelope.sequence),
        "partitionkey": event_key(envelope).decode(),
    }
    for extension, field in EXTENSIONS.items():
        if getattr(envelope, field) is not None:
            attributes[extension] = str(getattr(envelope, field))
    message = to_binary(CloudEvent(attributes, json.loads(event.data.model_dump_json())), FORMAT)
    if envelope.traceparent is not None:
        message.headers["traceparent"] = envelope.traceparent.encode()
    return message


@given(events())
@settings(max_examples=60, deadline=None)
def test_the_sdk_reads_what_the_codec_writes(event: Event[Contract]) -> None:
    assert_same(read_by_sdk(encode_event(event)), event)


@given(events(), st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=3, minutes=30))]))
@settings(max_examples=60, deadline=None)
def test_the_codec_reads_what_the_sdk_writes(event: Event[Contract], zone: timezone) -> None:
    message = written_by_sdk(event, zone)
    assert message.key == event_key(event.envelope).decode()
    assert decode_event(header_mapping(message.headers.items()), message.value) == event


@given(events())
@settings(max_examples=60, deadline=None)
def test_what_the_codec_writes_it_reads(event: Event[Contract]) -> None:
    message = encode_event(event)
    assert decode_event(header_mapping(message.headers), message.value, message.key) == event


@pytest.mark.parametrize("golden", EVENTS, ids=lambda golden: golden.name)
def test_the_sdk_reads_golden_events(golden: Golden) -> None:
    assert isinstance(golden.source, Event)
    read = read_by_sdk(golden.message)
    assert UUID(read.get_id()) == golden.source.envelope.id
    assert read.get_type() == golden.source.envelope.type
    assert golden.source.type.model.model_validate(read.get_data()) == golden.source.data


def test_the_sdk_reads_a_reported_touchpoint() -> None:
    golden = next(golden for golden in golden_messages() if golden.name == "touchpoints/call.ended")
    read = read_by_sdk(golden.message)
    assert read.get_type() == TOUCHPOINT_REPORTED
    assert read.get_time() == datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
    assert read.get_data()["data"]["text"] == "客户反映空调有异响，希望本周内检修。"


def test_a_tombstone_is_no_event_for_either() -> None:
    golden = next(golden for golden in golden_messages() if golden.source is None)
    assert decode_event(header_mapping(golden.message.headers), None, golden.message.key) == Tombstone(
        golden.message.key
    )
    with pytest.raises((TypeError, AttributeError, ValueError)):
        read_by_sdk(golden.message)


def test_an_event_without_data_is_not_taken_for_a_tombstone() -> None:
    source = EVENTS[0].source
    assert isinstance(source, Event)
    message = written_by_sdk(source)
    assert message.value
    with pytest.raises(DataInvalid):
        decode_event(header_mapping(message.headers.items()), b"")


def of_type(ce_type: str) -> KafkaMessage:
    golden = next(golden for golden in EVENTS if golden.name.endswith(TICKET_OPENED.wire))
    assert isinstance(golden.source, Event)
    message = written_by_sdk(golden.source)
    message.headers["ce_type"] = ce_type.encode()
    return message


@pytest.mark.parametrize("ce_type", ["rapport.ticket.opened.v2", "rapport.ticket.escalated.v1", "com.example.other"])
def test_a_newer_version_and_an_unknown_type_are_values(ce_type: str) -> None:
    message = of_type(ce_type)
    decoded = decode_event(header_mapping(message.headers.items()), message.value)
    assert isinstance(decoded, UnknownEvent)
    assert decoded.envelope.type == ce_type


def test_fields_headers_and_values_of_a_newer_writer_are_passed_by() -> None:
    message = of_type(TICKET_OPENED.wire)
    message.headers["ce_dataschema"] = b"urn:rapport:newer"
    body = json.loads(message.value or b"")
    body["reason"] = "语言"
    body["ticket"] |= {"kind": "lead", "state": "won", "clock": {"due_at": "2026-03-02T00:00:00Z"}}
    decoded = decode_event(header_mapping(message.headers.items()), json.dumps(body).encode())
    assert isinstance(decoded, Event)
    written = json.loads(decoded.data.model_dump_json())
    assert (written["ticket"]["kind"], written["ticket"]["state"]) == ("lead", "won")
    assert "clock" not in written["ticket"]
