"""The AsyncAPI document names every topic and type, and every reference in it leads somewhere."""

from collections.abc import Iterator
from typing import Any

import yaml

from rapport_shared.contract_documents import asyncapi, schemas
from rapport_shared.contract_documents.files import REPOSITORY
from rapport_shared.contracts.catalogue import EVENT_TYPES, STATE_MODELS, STATE_TOPICS, TOPICS, TOUCHPOINT_REPORTED

DOCUMENT = yaml.safe_load((REPOSITORY / asyncapi.PATH).read_text(encoding="utf-8"))


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for item in part:
            yield from references(item)


def resolve(reference: str) -> Any:
    found = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_it_is_asyncapi_3_1_with_every_topic() -> None:
    assert DOCUMENT["asyncapi"] == "3.1.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {topic.name for topic in TOPICS}
    assert [operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()] == [
        f"#/channels/{topic.name}" for topic in TOPICS
    ]


def test_every_reference_leads_somewhere() -> None:
    files = set()
    for reference in references(DOCUMENT):
        if reference.startswith("#/"):
            assert resolve(reference), reference
        else:
            path = (REPOSITORY / asyncapi.PATH).parent / reference
            assert path.is_file(), reference
            files.add(path.resolve().relative_to(REPOSITORY).as_posix())
    assert files == {schemas.path_of(name) for name in schemas.MODELS}


def test_every_type_is_a_message_of_its_topic() -> None:
    for event_type in EVENT_TYPES:
        message = resolve(DOCUMENT["channels"][event_type.topic.name]["messages"][event_type.wire]["$ref"])
        assert message["payload"] == {"$ref": f"../{schemas.path_of(f'events/{event_type.wire}')}"}
    for topic in STATE_TOPICS:
        assert set(DOCUMENT["channels"][topic.name]["messages"]) == {topic.name, "tombstone"}
    messages = DOCUMENT["components"]["messages"]
    assert set(messages) == {
        *(event_type.wire for event_type in EVENT_TYPES),
        *STATE_MODELS,
        TOUCHPOINT_REPORTED,
        "tombstone",
        "dead-letter",
    }


def test_topic_settings_are_those_that_topics_are_made_with() -> None:
    for topic in TOPICS:
        stated = DOCUMENT["channels"][topic.name]["bindings"]["kafka"]["topicConfiguration"]
        assert stated["cleanup.policy"] == ["compact" if topic.compacted else "delete"]
        assert stated.get("retention.ms") == (None if topic.compacted else topic.retention_ms)
