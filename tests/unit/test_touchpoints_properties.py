"""Whatever comes in, a touchpoint or `TouchpointInvalid` comes out, and no error repeats what was sent."""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.contracts.touchpoints import (
    KINDS,
    TouchpointInvalid,
    content_digest,
    parse_touchpoint,
    read_touchpoint,
)
from rapport_shared.contracts.touchpoints.examples import EXAMPLES

Path = tuple[str | int, ...]

SECRET = "王小明 13800138000"
"""Stands for what a customer would not want in a log."""

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\ud800", "2026-03-01", "NaN", "-1", "1e9", {"erased": True}])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def places(value: Any, above: Path = ()) -> Iterator[Path]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        yield (*above, name)
        yield from places(member, (*above, name))


PLACES = [(kind, path) for kind, example in sorted(EXAMPLES.items()) for path in places(example) if path != ("kind",)]


def changed(kind: str, path: Path, value: Any) -> dict[str, Any]:
    touchpoint = copy.deepcopy(dict(EXAMPLES[kind]))
    holder: Any = touchpoint
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return touchpoint


def outcome(data: object, *, strict: bool) -> list[str]:
    try:
        parse_touchpoint(data, strict=strict).model_dump_json()
    except TouchpointInvalid as error:
        return [str(error), *(f"{item.pointer} {item.code} {item.message}" for item in error.errors)]
    return []


@given(JSON, st.booleans())
def test_any_other_json_is_invalid_and_says_why(data: object, strict: bool) -> None:
    assert outcome(data, strict=strict)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.text(max_size=12), JSON, max_size=5), st.booleans())
def test_any_data_of_a_kind_are_taken_or_invalid(kind: str, data: dict[str, Any], strict: bool) -> None:
    outcome({**EXAMPLES[kind], "data": data}, strict=strict)


@given(st.sampled_from(PLACES), JSON, st.booleans())
def test_anything_at_any_place_is_taken_or_invalid(place: tuple[str, Path], value: Any, strict: bool) -> None:
    outcome(changed(*place, value), strict=strict)


@given(st.sampled_from(PLACES), JSON)
def test_what_was_recorded_is_read_or_invalid(place: tuple[str, Path], value: Any) -> None:
    with suppress(TouchpointInvalid):
        read_touchpoint(changed(*place, value))


def test_no_error_repeats_what_was_sent() -> None:
    refused = 0
    for kind, path in PLACES:
        for value in (SECRET, [SECRET], {SECRET: SECRET}, SECRET * 10_000, SECRET + "\0", {"a": SECRET + "\ud800"}):
            for line in outcome(changed(kind, path, value), strict=True):
                assert "王" not in line
                assert "138" not in line
                refused += 1
    assert refused > 1000


@given(st.sampled_from(sorted(EXAMPLES)))
def test_what_is_taken_strictly_is_taken_tolerantly(kind: str) -> None:
    assert parse_touchpoint(EXAMPLES[kind], strict=False) == parse_touchpoint(EXAMPLES[kind], strict=True)


@given(st.sampled_from(PLACES), SCALARS.filter(lambda value: value == value and value != "\ud800"))
def test_another_body_has_another_digest(place: tuple[str, Path], value: Any) -> None:
    kind, path = place
    other = changed(kind, path, value)
    same = json.dumps({**other, "id": 0}, sort_keys=True) == json.dumps({**EXAMPLES[kind], "id": 0}, sort_keys=True)
    assert (content_digest(other) == content_digest(EXAMPLES[kind])) == same
