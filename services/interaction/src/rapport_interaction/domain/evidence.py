"""Evidence for the profile of a touchpoint that names no customer: a document, a device or an asset."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rapport_shared.contracts.interaction import Attribution, IdentifierType, InteractionRecorded, RecordedIdentifier
from rapport_shared.normalisation import WEB_IDENTIFIED, identifier_key, normalise_identifier, reads_identifier


def device_keys(identifiers: Iterable[RecordedIdentifier]) -> list[str]:
    """The keys of the devices among identifiers, without placeholders."""
    return [
        one.key for one in identifiers if one.type is IdentifierType.DEVICE and reads_identifier(one.type, one.normal)
    ]


def device_signed_in(secret: bytes, kind: str, data: Any) -> str | None:
    """The key of the device that somebody signed in at; None for a touchpoint of another kind or no usable device."""
    if kind != WEB_IDENTIFIED:
        return None
    form = normalise_identifier("device", str(data["device"]))
    return identifier_key(secret, "device", form.normal) if form.usable else None


def names_nobody(recorded: InteractionRecorded) -> bool:
    """Whether nothing but a document, a device or an asset says whose a recorded touchpoint is, or nothing at all."""
    by = recorded.attribution.by
    return by in ("anonymous", "asset") or is_borrowed(recorded.attribution, recorded.identifiers)


def is_borrowed(attribution: Attribution, identifiers: Iterable[RecordedIdentifier]) -> bool:
    """Whether a document or a device gave the profile of a touchpoint. The profile of its conversation has priority."""
    by_device = attribution.by == "identifier" and attribution.identifier_key in device_keys(identifiers)
    return by_device or attribution.document is not None


def evident_profile(recorded: InteractionRecorded) -> UUID | None:
    """The profile of a recording, where the touchpoint says itself whose it is or its device does.

    A document that only another document speaks for says nothing itself.
    """
    by_document = recorded.attribution.document is not None
    return None if by_document or recorded.attribution.by == "anonymous" else recorded.profile_id
