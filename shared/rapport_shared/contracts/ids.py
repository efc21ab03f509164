"""How ids are made: v7 for what is new, v5 for what two parties must name alike."""

import secrets
from datetime import datetime
from uuid import UUID, uuid5

RAPPORT = UUID("5f0c1f5e-6c4c-5b0a-9a52-3d2b7a1f4e10")
"""The namespace of all derived ids."""


def new_id(now: datetime) -> UUID:
    """A UUIDv7 of the instant `now` (RFC 9562, section 5.7): sortable by time, otherwise random."""
    milliseconds = int(now.timestamp() * 1000) & 0xFFFFFFFFFFFF
    bits = secrets.randbits(74)
    high, low = bits >> 62, bits & 0x3FFFFFFFFFFFFFFF
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0x2 << 62) | low)


def derived_id(*parts: object) -> UUID:
    """The UUIDv5 of `parts`: the same parts give the same id, whoever derives it.

    Parts are joined by a separator that is escaped inside a part, so that no two lists of parts meet.
    """
    return uuid5(RAPPORT, "\x1f".join(_escaped(str(part)) for part in parts))


def _escaped(part: str) -> str:
    return part.replace("\x1e", "\x1e\x1e").replace("\x1f", "\x1e\x1f")


def source_profile_id(system: str, record: str) -> UUID:
    """The profile of a source record; an external identifier is a source record."""
    return derived_id("source", system, record)


def first_touch_profile_id(identifier_key: str, route_sequence: int) -> UUID:
    """The profile created by the first touchpoint with an identifier. `route_sequence` is 0 for an unseen route."""
    return derived_id("first-touch", identifier_key, route_sequence)


def recording_id(touchpoint_id: UUID, number: int) -> UUID:
    """The event id of the `number`-th recording of a touchpoint (1 is the first, which keeps the touchpoint's id)."""
    return touchpoint_id if number == 1 else derived_id("recording", touchpoint_id, number)


def resolution_id(quarantine_id: UUID) -> UUID:
    """The event that says what became of a quarantined touchpoint: there is one, however often it is decided."""
    return derived_id("settlement", quarantine_id)
