"""A touchpoint in quarantine, and what it says once it is mended."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_interaction.domain.arrivals import Arrival, check_arrival
from rapport_interaction.domain.patches import Patch, PatchRefused, apply_patch
from rapport_shared.contracts.interaction import QuarantineReason
from rapport_shared.contracts.touchpoints import MAX_TOUCHPOINT_BYTES, TouchpointInvalid
from rapport_shared.contracts.touchpoints.errors import FieldError
from rapport_shared.intake_headers import read_vetting

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A quarantined touchpoint as it is kept; `state` is open, mended or dismissed."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    reason: str
    errors: tuple[QuarantineReason, ...]
    conflict_of: UUID | None
    headers: Mapping[str, str]
    body: bytes | None
    received_at: datetime
    state: str

    @property
    def mended_id(self) -> UUID:
        """The id that it is recorded under: its own, or the one made for it where that is another's or unreadable."""
        return self.touchpoint_id or self.quarantine_id

    def document(self) -> Any:
        """The body as JSON, parsed at each call; None for a body that is not JSON or is no longer kept."""
        try:
            return orjson.loads(self.body or b"")
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Names:
    """What a body says of itself, as far as it can be read: enough to find it among others, nothing personal."""

    kind: str | None = None
    channel: str | None = None
    source: str | None = None


def names_of(body: bytes | None) -> Names:
    """The names in a body that may be anything. What does not look like a name is left out, for it may be personal."""
    try:
        document = orjson.loads(body or b"")
    except ValueError:
        return Names()
    if not isinstance(document, dict):
        return Names()
    source = document.get("source")
    system = source.get("system") if isinstance(source, dict) else None
    return Names(_name(document.get("kind")), _name(document.get("channel")), _name(system))


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else None


def mended(secret: bytes, quarantined: Quarantined, patch: Patch, now: datetime) -> Arrival:
    """The touchpoint after `patch`, as if it had arrived so when it was received. Headers no longer decide.

    What the gateway found for its unit counts where its signature is that of the body as it came, and only while it
    names that unit. Raises `PatchRefused`, and
    `TouchpointInvalid` for what cannot be recorded yet.
    """
    document = _under_id(quarantined.document(), quarantined.mended_id)
    unit = document.get("unit") if isinstance(document, dict) else None
    after = apply_patch(document, patch)
    if isinstance(after, dict) and not _is_id(
        after.setdefault("id", str(quarantined.mended_id)), quarantined.mended_id
    ):
        raise PatchRefused("/patch", "not_allowed", "A patch may not change the id of a touchpoint.")
    if after is None and not patch:
        raise TouchpointInvalid([_unreadable(quarantined)])
    vetting = read_vetting(secret, quarantined.headers, quarantined.body)
    arrival = check_arrival(after, b"", quarantined.headers, vetting, quarantined.received_at, now)
    value = orjson.dumps(after)
    if len(value) > MAX_TOUCHPOINT_BYTES:
        raise TouchpointInvalid([FieldError("", "too_large", "a touchpoint may have 256 KiB")])
    if arrival.touchpoint.unit != unit:
        return replace(arrival, value=value, vetted=False, region=None)
    return replace(arrival, value=value)


def _under_id(document: Any, touchpoint_id: UUID) -> Any:
    if isinstance(document, dict) and not _is_id(document.get("id"), touchpoint_id):
        document["id"] = str(touchpoint_id)
    return document


def _is_id(value: Any, touchpoint_id: UUID) -> bool:
    return isinstance(value, str) and value.lower() == str(touchpoint_id)


def _unreadable(quarantined: Quarantined) -> FieldError:
    if quarantined.body is None and quarantined.reason != "empty":
        return FieldError("", "gone", "is kept for thirty days, and no longer")
    return FieldError("", "not_json", "is not JSON in UTF-8")
