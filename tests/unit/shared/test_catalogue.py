"""The catalogue is whole: every fact has an owner, a place, and a name that follows from both."""

import pytest

from rapport_shared.contracts.catalogue import (
    DEAD_LETTERS,
    EVENT_TOPIC_OF,
    EVENT_TOPICS,
    EVENT_TYPE_OF,
    EVENT_TYPES,
    INTAKE,
    SERVICES,
    STATE_MODELS,
    STATE_TOPICS,
    TOPICS,
    EventType,
    Topic,
)
from rapport_shared.contracts.pii import personal_fields


def test_names_are_unique_and_say_what_a_topic_holds() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert all(topic.name.endswith(".events.v1") for topic in EVENT_TOPICS)
    assert all(topic.name.endswith(".state.v1") for topic in STATE_TOPICS)
    assert len(EVENT_TYPE_OF) == len(EVENT_TYPES)


@pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda event_type: event_type.name)
def test_an_event_is_published_by_the_owner_of_its_topic(event_type: EventType) -> None:
    assert event_type.topic.owner == event_type.service
    assert event_type.source == f"/rapport/{event_type.service}"
    assert event_type.wire == f"rapport.{event_type.name}.v1"
    assert event_type.key
    assert event_type.when


@pytest.mark.parametrize("topic", EVENT_TOPICS, ids=lambda topic: topic.name)
def test_facts_are_kept_for_ever_and_uncompacted(topic: Topic) -> None:
    assert topic.configuration(single_broker=True) == {
        "cleanup.policy": "delete",
        "max.message.bytes": "1048576",
        "retention.ms": "-1",
    }


def test_states_are_the_compacted_topics_and_each_has_a_model() -> None:
    assert {topic for topic in TOPICS if topic.compacted} == set(STATE_TOPICS)
    assert set(STATE_MODELS) == {topic.name for topic in STATE_TOPICS}
    for topic in STATE_TOPICS:
        settings = topic.configuration(single_broker=True)
        assert settings["cleanup.policy"] == "compact"
        assert "retention.ms" not in settings, "compaction alone decides what goes"


def test_intake_is_on_disk_before_it_is_acknowledged_where_nothing_else_holds_a_copy() -> None:
    assert INTAKE.configuration(single_broker=True)["flush.messages"] == "1"
    assert "flush.messages" not in INTAKE.configuration(single_broker=False)
    assert INTAKE.configuration(single_broker=False)["message.timestamp.type"] == "LogAppendTime"


def test_what_may_carry_bytes_of_a_person_without_a_profile_goes_within_a_month() -> None:
    month = 30 * 86_400_000
    assert set(DEAD_LETTERS) == set(SERVICES)
    for topic in (INTAKE, *DEAD_LETTERS.values()):
        assert 0 < topic.retention_ms <= month


def test_events_that_belong_to_no_profile_carry_nothing_personal() -> None:
    for name in ("customer.identifier_routed", "customer.merged", "customer.unmerged", "customer.unit_changed"):
        assert personal_fields(EVENT_TYPE_OF[f"rapport.{name}.v1"].model) == [], name
    quarantined = EVENT_TYPE_OF["rapport.interaction.quarantined.v1"].model
    assert personal_fields(quarantined) == []


def test_readers_are_services() -> None:
    for topic in EVENT_TOPICS:
        assert set(topic.readers) <= set(SERVICES)
    assert set(EVENT_TOPIC_OF) == set(SERVICES) - {"gateway"}
