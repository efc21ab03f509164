"""JSON Patch on a quarantined touchpoint: what RFC 6902 says, within bounds, and never another id."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jsonpatch
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_interaction.domain.patches import PatchRefused, apply_patch, check_patch
from rapport_interaction.domain.quarantined import Names, Quarantined, mended, names_of
from rapport_shared.contracts.catalogue import MAX_MESSAGE_BYTES
from rapport_shared.contracts.interaction import QuarantineReason
from rapport_shared.contracts.touchpoints import TouchpointInvalid
from rapport_shared.contracts.touchpoints.examples import EXAMPLES

TOUCHPOINT_ID, QUARANTINE_ID = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

NAMES = st.sampled_from(["id", "data", "unit", "a", "b", "0", "1", "-", "a~1b", "~0"])
POINTERS = st.lists(NAMES, max_size=3).map(lambda parts: "".join(f"/{part}" for part in parts))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
    optional={"from": POINTERS, "value": VALUES},
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=5).map(lambda found: found | {"id": str(TOUCHPOINT_ID)})
SECRET = b"s" * 32


def quarantined(document: Any, **changes: Any) -> Quarantined:
    fields: dict[str, Any] = {
        "quarantine_id": QUARANTINE_ID,
        "touchpoint_id": TOUCHPOINT_ID,
        "reason": "missing",
        "errors": (),
        "conflict_of": None,
        "headers": {},
        "body": document if isinstance(document, bytes | None) else orjson.dumps(document),
        "received_at": NOON,
        "state": "open",
    }
    return Quarantined(**fields | changes)


def applied(document: Any, patch: list[Any]) -> Any:
    """The document after the patch, or the reason why it is refused."""
    try:
        check_patch(patch)
        return apply_patch(document, patch)
    except PatchRefused as refused:
        return refused.reason


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.lists(OPERATIONS, max_size=6))
def test_a_patch_does_what_the_library_says_of_the_whole_or_is_refused(document: Any, patch: list[Any]) -> None:
    kept = deepcopy(patch)
    after = applied(deepcopy(document), patch)
    assert patch == kept
    if isinstance(after, QuarantineReason):
        assert after.pointer.startswith("/patch")
        return
    assert after == jsonpatch.apply_patch(document, patch)
    touched_whole = any(operation["path"] == "" and operation["op"] != "test" for operation in patch)
    assert touched_whole or after["id"] == document["id"]


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.lists(OPERATIONS, max_size=6))
def test_whatever_a_patch_makes_is_a_touchpoint_under_its_id_or_no_touchpoint(document: Any, patch: list[Any]) -> None:
    sound = EXAMPLES["call.ended"] | {"id": str(TOUCHPOINT_ID)} | {"attributes": document}
    try:
        check_patch(patch)
        arrival = mended(SECRET, quarantined(sound), patch, NOON)
    except (PatchRefused, TouchpointInvalid):
        return
    assert arrival.touchpoint.id == TOUCHPOINT_ID
    assert arrival.body["id"] == str(TOUCHPOINT_ID)
    assert orjson.loads(arrival.value) == arrival.body


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(60)],
        [{"op": "copy", "from": "/a", "path": f"/a/{number}"} for number in range(100)],
        [{"op": "copy", "from": "/a", "path": "/a/x"}, *({"op": "copy", "from": "/a", "path": "/a/x/y"},) * 90],
        [{"op": "add", "path": "/a/-", "value": "x" * 20_000}] * 90,
        [{"op": "replace", "path": "/a", "value": json.loads("[" * 900 + "]" * 900)}],
        [{"op": "test", "path": "/a", "value": json.loads("[" * 900 + "]" * 900)}],
    ],
    ids=["whole into itself", "doubled", "deeper", "appended", "nested", "nested test"],
)
def test_a_bomb_goes_off_at_the_bound(patch: list[Any]) -> None:
    document: Any = {"id": str(TOUCHPOINT_ID), "a": ["x" * 1000] if "-" in str(patch) else {"text": "x" * 1000}}
    after = applied(document, patch)
    if isinstance(after, QuarantineReason):
        assert after.code in ("too_large", "too_deep", "no_such_place", "test_failed")
    else:
        assert len(json.dumps(after)) <= MAX_MESSAGE_BYTES
    assert len(json.dumps(document)) <= 2 * MAX_MESSAGE_BYTES, "one step over the bound at most was ever made"


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (quarantined({**EXAMPLES["call.ended"], "id": str(TOUCHPOINT_ID).upper()}), TOUCHPOINT_ID),
        (quarantined({**EXAMPLES["call.ended"], "id": 7}, touchpoint_id=None), QUARANTINE_ID),
        (quarantined(EXAMPLES["call.ended"], touchpoint_id=QUARANTINE_ID), QUARANTINE_ID),
    ],
    ids=["its own", "unreadable", "of a conflict"],
)
def test_it_is_recorded_under_its_own_id_or_the_one_made_for_it(held: Quarantined, expected: UUID) -> None:
    assert mended(SECRET, held, (), NOON).touchpoint.id == expected


def test_what_is_no_json_or_no_longer_kept_says_so() -> None:
    for held, code in (
        (quarantined(b"{"), "not_json"),
        (quarantined(None, reason="empty"), "not_json"),
        (quarantined(None), "gone"),
    ):
        with pytest.raises(TouchpointInvalid) as caught:
            mended(SECRET, held, (), NOON)
        assert [error.code for error in caught.value.errors] == [code]


def test_only_what_looks_like_a_name_is_kept_beside_the_body() -> None:
    body = {"kind": "call.ended", "channel": "王小明", "source": {"system": "erp-east", "record": "C-1"}}
    assert names_of(orjson.dumps(body)) == Names("call.ended", None, "erp-east")
    for other in (b"[]", b"{", None, b'{"kind": 1, "source": []}', b'{"kind": "' + b"x" * 65 + b'"}'):
        assert names_of(other) == Names()
