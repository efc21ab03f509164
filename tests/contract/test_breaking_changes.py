"""A contract that breaks what was released is caught, by type and field; one that only grows is not."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from rapport_shared.contract_documents import schemas
from rapport_shared.contract_documents.compatibility import breaking_changes
from rapport_shared.contract_documents.files import REPOSITORY
from rapport_shared.contract_documents.released import FOLDER, broken_promises, read_schemas, release

TICKET = "events/rapport.ticket.opened.v1"
CALL = "touchpoints/call.ended"
Schema = dict[str, Any]
Change = Callable[[Schema], object]


def after(change: Change, name: str = TICKET) -> list[str]:
    old = schemas.schema_of(name)
    new = deepcopy(old)
    change(new)
    assert new != old
    return breaking_changes({name: old}, {name: new})


def fields(schema: Schema, definition: str) -> Schema:
    found: Schema = schema["$defs"][definition]["properties"]
    return found


def test_the_contracts_keep_what_was_released() -> None:
    assert broken_promises() == []
    assert read_schemas(REPOSITORY / FOLDER), "no schema is released"


def remove_required(schema: Schema) -> None:
    del fields(schema, "TicketState")["number"]
    schema["$defs"]["TicketState"]["required"].remove("number")


def add_required(schema: Schema) -> None:
    fields(schema, "TicketState")["urgency"] = {"type": "string"}
    schema["$defs"]["TicketState"]["required"].append("urgency")


BREAKING: dict[str, tuple[Change, str]] = {
    "a required field removed": (remove_required, "/ticket/number is gone"),
    "an optional field removed": (lambda s: fields(s, "TicketState").pop("owner"), "/ticket/owner is gone"),
    "a required field added": (add_required, "/ticket/urgency is required now, and was not always there"),
    "an optional field required": (
        lambda s: s["$defs"]["TicketState"]["required"].append("priority"),
        "/ticket/priority is required now, and was not always there",
    ),
    "a required field optional": (
        lambda s: s["$defs"]["TicketState"]["required"].remove("state"),
        "/ticket/state is no longer required, and readers count on it",
    ),
    "a type narrowed": (
        lambda s: fields(s, "TicketState").update(unit={"type": "string", "default": ""}),
        "/ticket/unit takes other values than before",
    ),
    "a type widened": (
        lambda s: fields(s, "TicketState").update(open={"type": ["boolean", "null"]}),
        "/ticket/open takes other values than before",
    ),
    "a type replaced in a list": (
        lambda s: s["properties"]["changed"].update(items={"type": "integer"}),
        "/changed[] takes other values than before",
    ),
    "a format added": (
        lambda s: fields(s, "TicketState")["number"].update(format="uuid"),
        "/ticket/number has another format",
    ),
    "an enum value added": (
        lambda s: fields(s, "TicketState")["priority"]["enum"].append("critical"),
        '/ticket/priority may now be "critical"',
    ),
    "an enum value removed": (
        lambda s: fields(s, "TicketComment")["visibility"]["enum"].remove("public"),
        '/ticket/comments[]/visibility may no longer be "public"',
    ),
    "no longer personal": (
        lambda s: fields(s, "TicketState")["subject"].pop("x-personal"),
        "/ticket/subject is no longer personal",
    ),
}


@pytest.mark.parametrize("case", BREAKING)
def test_a_breaking_change_is_named_by_type_and_field(case: str) -> None:
    change, sentence = BREAKING[case]
    assert after(change) == [f"{TICKET}: {sentence}"]


def test_limits_of_touchpoints_do_not_move() -> None:
    assert after(lambda s: s["properties"]["channel"].update(pattern="^[a-z]+$"), CALL) == [
        f"{CALL}: /channel has another pattern"
    ]
    assert after(lambda s: s["properties"]["channel"].update(maxLength=10), CALL) == [
        f"{CALL}: /channel takes other values than before"
    ]


def test_a_type_that_is_gone_is_named() -> None:
    assert breaking_changes({TICKET: schemas.schema_of(TICKET)}, {}) == [f"{TICKET}: the type is gone"]


def test_what_a_schema_said_nothing_of_may_be_described() -> None:
    def touched(clock: Schema) -> Schema:
        return {"type": "object", "properties": {"clock": clock}, "required": ["clock"]}

    open_ = touched({"type": "object", "additionalProperties": True})
    described = touched({"$ref": "#/$defs/Clock"}) | {
        "$defs": {"Clock": {"type": "object", "properties": {"due_at": {"type": "string"}}, "required": ["due_at"]}}
    }
    assert breaking_changes({"a": open_}, {"a": described}) == []
    assert breaking_changes({"a": open_}, {"a": touched({"type": "string"})}) == [
        "a: /clock takes other values than before"
    ]
    assert breaking_changes({"a": described}, {"a": open_}) != []


HARMLESS: dict[str, Change] = {
    "an optional field": lambda s: fields(s, "TicketState").update(
        urgency={"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    ),
    "an optional object": lambda s: s["properties"].update(
        clock={"type": "object", "properties": {"due_at": {"type": "string"}}, "required": ["due_at"]}
    ),
    "another description": lambda s: s.update(description="A case."),
    "another default": lambda s: fields(s, "TicketState")["priority"].update(default="low"),
    "a field that becomes personal": lambda s: fields(s, "TicketState")["owner"].update({"x-personal": True}),
}


@pytest.mark.parametrize("case", HARMLESS)
def test_growth_breaks_nothing(case: str) -> None:
    assert after(HARMLESS[case]) == []


def test_a_new_type_breaks_nothing() -> None:
    assert breaking_changes({}, {TICKET: schemas.schema_of(TICKET)}) == []


def test_a_schema_that_contains_itself_is_compared() -> None:
    def tree(leaf: str) -> Schema:
        node = {"type": "object", "properties": {"leaf": {"type": leaf}, "next": {"$ref": "#/$defs/Node"}}}
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node}}

    assert breaking_changes({"a": tree("string")}, {"a": tree("integer")}) == [
        "a: /leaf takes other values than before"
    ]


def test_a_release_keeps_the_present_schemas_unless_they_break_the_last(tmp_path: Path) -> None:
    assert release(tmp_path) == []
    assert read_schemas(tmp_path) == {name: schemas.schema_of(name) for name in schemas.MODELS}

    gone = tmp_path / "events" / "rapport.ticket.vanished.v1.json"
    gone.write_text("{}")
    (tmp_path / f"{TICKET}.json").unlink()
    assert release(tmp_path) == ["events/rapport.ticket.vanished.v1: the type is gone"]
    assert not (tmp_path / f"{TICKET}.json").exists(), "a refused release wrote something"
