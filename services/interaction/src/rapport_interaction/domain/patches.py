"""JSON Patch (RFC 6902) on a quarantined touchpoint, bounded: what it makes never outgrows a message."""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import orjson
from jsonpatch import (
    InvalidJsonPatch,
    JsonPatch,
    JsonPatchException,
    JsonPatchTestFailed,
    JsonPointer,
    JsonPointerException,
)

from rapport_shared.contracts.catalogue import MAX_MESSAGE_BYTES
from rapport_shared.contracts.interaction import QuarantineReason

MAX_OPERATIONS: Final = 100
Operation = Mapping[str, Any]
Patch = Sequence[Operation]

_MEMBERS: Final = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("from", "path"),
    "copy": ("from", "path"),
    "test": ("path", "value"),
}
_GROWING: Final = frozenset({"add", "replace", "copy"})


class PatchRefused(Exception):
    """A patch that cannot be applied. `reason` names the operation, or a place in it; never a value."""

    def __init__(self, pointer: str, code: str, message: str) -> None:
        super().__init__(message)
        self.reason = QuarantineReason(pointer=pointer, code=code, message=message)


def check_patch(patch: Patch) -> None:
    """Raises `PatchRefused` for the first operation that RFC 6902 does not know, or that would change the id."""
    if len(patch) > MAX_OPERATIONS:
        raise PatchRefused("/patch", "too_large", f"A patch may have {MAX_OPERATIONS} operations.")
    for index, operation in enumerate(patch):
        _check_operation(f"/patch/{index}", operation)


def apply_patch(document: Any, patch: Patch) -> Any:
    """`document` after `patch`, which `check_patch` took; `document` itself may be changed, `patch` never is.

    Raises `PatchRefused` at the operation that fails or that makes the document larger than a message may be.
    """
    for index, operation in enumerate(patch):
        document = _apply(document, operation, f"/patch/{index}")
        if operation["op"] in _GROWING and _size(document, f"/patch/{index}") > MAX_MESSAGE_BYTES:
            raise PatchRefused(f"/patch/{index}", "too_large", "It makes the touchpoint larger than a message may be.")
    return document


def _check_operation(place: str, operation: Operation) -> None:
    name = operation.get("op")
    members = _MEMBERS.get(name) if isinstance(name, str) else None
    if members is None:
        raise PatchRefused(f"{place}/op", "not_allowed", f"It must be one of {', '.join(_MEMBERS)}.")
    for member in members:
        if member not in operation:
            raise PatchRefused(f"{place}/{member}", "missing", f"The operation {name} needs this member.")
        if member != "value":
            _check_pointer(f"{place}/{member}", operation[member], moves=(name, member) not in _LOOKING)


_LOOKING: Final = frozenset({("test", "path"), ("copy", "from")})


def _check_pointer(place: str, pointer: Any, *, moves: bool) -> None:
    try:
        parts = JsonPointer(pointer).parts if isinstance(pointer, str) else None
    except JsonPointerException:
        parts = None
    if parts is None:
        raise PatchRefused(place, "wrong_format", "It must be a JSON pointer such as /unit.")
    if moves and parts[:1] == ["id"]:
        raise PatchRefused(place, "not_allowed", "A patch may not change the id of a touchpoint.")


def _apply(document: Any, operation: Operation, place: str) -> Any:
    try:
        return JsonPatch([deepcopy(dict(operation))]).apply(document, in_place=True)
    except JsonPatchTestFailed:
        raise PatchRefused(place, "test_failed", "The touchpoint has another value at this place.") from None
    except InvalidJsonPatch:
        raise PatchRefused(place, "wrong_format", "It must be an operation of JSON Patch (RFC 6902).") from None
    except (JsonPatchException, JsonPointerException):
        raise PatchRefused(f"{place}/path", "no_such_place", "The touchpoint has no value at this place.") from None
    except RecursionError:
        raise PatchRefused(place, "too_deep", "The touchpoint is nested too deep for it.") from None


def _size(document: Any, place: str) -> int:
    """About the bytes of `document`; of what is no sound touchpoint yet, its characters."""
    try:
        return len(orjson.dumps(document))
    except TypeError:
        pass  # an integer or text that only a general encoder takes
    try:
        return len(json.dumps(document, ensure_ascii=False))
    except RecursionError:
        raise PatchRefused(place, "too_deep", "The touchpoint is nested too deep for it.") from None
