"""The committed schemas and golden messages are what the contracts make, and each message is what it came from."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from rapport_shared.contract_documents import golden, schemas
from rapport_shared.contract_documents.files import REPOSITORY, Documents, differences, write
from rapport_shared.contracts.catalogue import STATE_MODELS, STATE_TOPICS, TOUCHPOINT_REPORTED
from rapport_shared.contracts.codec import Event, Tombstone, decode_event
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints import parse_touchpoint

GOLDEN = golden.golden_messages()


def committed(message: golden.Golden) -> Any:
    return json.loads((REPOSITORY / golden.path_of(message)).read_text(encoding="utf-8"))


def value_of(message: golden.Golden) -> bytes | None:
    value = committed(message)["value"]
    return None if value is None else json.dumps(value).encode()


def schema_name(message: golden.Golden) -> str:
    return "/".join(message.name.split("/")[:2])


def test_every_type_has_a_golden_message_and_every_compacted_topic_a_tombstone() -> None:
    assert {schema_name(message) for message in GOLDEN} == set(schemas.MODELS)
    tombstones = {message.message.topic for message in GOLDEN if message.message.value is None}
    assert tombstones == {topic.name for topic in STATE_TOPICS}


@pytest.mark.parametrize("name", schemas.MODELS)
def test_a_schema_is_a_valid_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads((REPOSITORY / schemas.path_of(name)).read_text(encoding="utf-8")))


@pytest.mark.parametrize("message", GOLDEN, ids=lambda message: message.name)
def test_a_golden_message_is_read_as_what_it_came_from(message: golden.Golden) -> None:
    headers, value = committed(message)["headers"], value_of(message)
    source = message.source
    if source is None:
        assert decode_event(headers, value, b"key") == Tombstone(b"key")
    elif isinstance(source, Event):
        assert decode_event(headers, value) == source
    elif headers.get("ce_type") == TOUCHPOINT_REPORTED:
        assert parse_touchpoint(committed(message)["value"], strict=True) == source
    else:
        assert isinstance(source, Contract)
        assert STATE_MODELS[message.message.topic].model_validate_json(value or b"") == source


@pytest.mark.parametrize(
    "message", [message for message in GOLDEN if message.source is not None], ids=lambda message: message.name
)
def test_a_golden_message_fits_its_committed_schema(message: golden.Golden) -> None:
    schema = json.loads((REPOSITORY / schemas.path_of(schema_name(message))).read_text(encoding="utf-8"))
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(committed(message)["value"])


def test_an_erased_value_fits_the_schema_of_what_is_published() -> None:
    message = next(message for message in GOLDEN if message.name == "events/rapport.ticket.opened.v1")
    schema = json.loads((REPOSITORY / schemas.path_of(schema_name(message))).read_text(encoding="utf-8"))
    value = committed(message)["value"]
    value["ticket"]["subject"] = {"erased": True}
    Draft202012Validator(schema).validate(value)
    value["ticket"]["number"] = {"erased": True}
    assert not Draft202012Validator(schema).is_valid(value)


def test_some_golden_messages_speak_chinese() -> None:
    assert sum("王小明" in text or "空调" in text for text in golden.texts().values()) >= 5


def test_a_changed_a_missing_and_a_left_over_file_are_each_shown(tmp_path: Path) -> None:
    documents = Documents({"schemas/a.json": "{}\n", "schemas/b.json": "[]\n"}, ("schemas",))
    write(documents, tmp_path)
    assert differences(documents, tmp_path) == ""

    (tmp_path / "schemas/a.json").write_text("{1}\n")
    (tmp_path / "schemas/b.json").unlink()
    (tmp_path / "schemas/c.json").write_text("3\n")
    drift = differences(documents, tmp_path)
    assert "-{1}\n+{}\n" in drift
    assert "+[]\n" in drift
    assert "-3\n" in drift

    assert write(documents, tmp_path) == ["schemas/a.json", "schemas/b.json", "schemas/c.json"]
    assert differences(documents, tmp_path) == ""
