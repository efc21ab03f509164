"""What the interaction service publishes."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii


class IdentifierType(StrEnum):
    """The kinds of identifier; only the addressable ones make a customer."""

    EXTERNAL = "external"
    PHONE = "phone"
    EMAIL = "email"
    CARD = "card"
    SOCIAL = "social"
    DEVICE = "device"

    @property
    def addressable(self) -> bool:
        """Whether a touch by it alone may make a customer: a device is shared and changes hands."""
        return self is not IdentifierType.DEVICE


ATTRIBUTION_ORDER = (
    IdentifierType.EXTERNAL,
    IdentifierType.CARD,
    IdentifierType.PHONE,
    IdentifierType.EMAIL,
    IdentifierType.SOCIAL,
    IdentifierType.DEVICE,
)
"""Which identifier decides where several are routed differently: the more it names one person alone, the earlier."""


class RecordedIdentifier(Contract):
    """An identifier as a touchpoint named it, in the normal form made at intake.

    `routable`: it is addressable and well-formed, so that touches by it can go to a profile.
    """

    type: IdentifierType
    key: str
    raw: Pii[str]
    normal: Pii[str]
    norm_version: int
    verified: bool = False
    system: str | None = None
    routable: bool = True


class RecordedAssetKey(Contract):
    """A VIN, plate or serial as a touchpoint named it. `key` is its identifier key."""

    type: Literal["serial", "plate"]
    key: str
    raw: Pii[str]
    normal: Pii[str]
    norm_version: int


class Attribution(Contract):
    """Why a touchpoint belongs to its profile. `route_seq` is the state of the route that decided.

    What was attributed by hand (`manual`) names no identifiers: it says whose touch it is, not whose number. With
    `source`, `document` is the document whose profile it is (`order:shop:O-17`), where the touchpoint names nobody
    itself. With `identifier`, the key may be that of a device: the profile used it at that time.
    """

    by: Literal["source", "identifier", "minted", "conversation", "asset", "manual", "anonymous"]
    identifier_key: str | None = None
    route_seq: int | None = None
    document: str | None = None


class InteractionRecorded(Contract):
    """A touchpoint was recorded as an entry of an interaction.

    `touchpoint` is its body as the channel sent it: the schema of its kind says which of its fields are personal.
    `customer_id` is the customer that the profile was part of when it was recorded, as far as the interaction service
    knew; a merge or its undo moves the profile afterwards, and says so.
    """

    interaction_id: UUID
    touchpoint_id: UUID
    recording: int = Field(default=1, ge=1)
    profile_id: UUID | None
    customer_id: UUID | None = None
    attribution: Attribution
    identifiers: tuple[RecordedIdentifier, ...] = ()
    assets: tuple[RecordedAssetKey, ...] = ()
    kind: str
    channel: str
    unit: str | None = None
    historical: bool = False
    touchpoint: dict[str, Any] = Field(json_schema_extra={"x-touchpoint": True})


class InteractionRetracted(Contract):
    """A recording no longer counts. `event_id` is the recording that this ends."""

    interaction_id: UUID
    touchpoint_id: UUID
    event_id: UUID
    reason: Literal["attributed_anew", "wrong_attribution", "reported_in_error"]


class QuarantineReason(Contract):
    """One thing that is wrong, and where: never the value itself."""

    pointer: str
    code: str
    message: str


class InteractionQuarantined(Contract):
    """A touchpoint could not be recorded. With `conflict_of`, another body came under that known id."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    reason: str
    errors: tuple[QuarantineReason, ...] = ()
    conflict_of: UUID | None = None
    received_at: datetime


class QuarantineMended(Contract):
    """What was in quarantine is recorded now, as `touchpoint_id`: mended by hand, or as it was."""

    quarantine_id: UUID
    touchpoint_id: UUID
    decided_by: str | None = None


DismissalReason = Literal["duplicate", "reported_anew", "test", "unusable"]
"""A closed set, for an event kept for ever has no room for a sentence that may be personal."""


class QuarantineDismissed(Contract):
    """What was in quarantine will never be recorded: somebody decided so."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    reason: DismissalReason
    decided_by: str | None = None
