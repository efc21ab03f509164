"""What every touchpoint carries, whatever its kind."""

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii
from rapport_shared.contracts.touchpoints.fields import (
    ChannelName,
    Code,
    Flag,
    Instant,
    PersonalLine,
    Reference,
    Region,
    UnitPath,
)

CHANNELS: Final = frozenset({"phone", "email", "web", "chat", "sms", "store", "field", "erp", "survey", "campaign"})
"""The channels that are there without a deployment adding its own."""

IdentifierName = Literal["phone", "email", "external", "card", "device", "social"]


class Source(Contract):
    """Where the channel has the touchpoint from. `record` names one profile exactly."""

    system: Code
    record: Reference | None = None


class Identifier(Contract):
    """What a channel knows somebody by, as it was typed. `system` is required of external and social ones."""

    type: IdentifierName
    value: Pii[Annotated[str, StringConstraints(min_length=1, max_length=320)]]
    region: Region | None = None
    verified: Flag = False
    system: Code | None = None


class Attachment(Contract):
    """A file, by reference: Rapport never stores it."""

    name: PersonalLine
    type: Code | None = None
    size: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    url: Pii[Annotated[str, StringConstraints(min_length=1, max_length=2048)]] | None = None


class TouchpointEnvelope(Contract):
    """The fields that all kinds share. `occurred_at` is the channel's clock, which `sent_at` may correct."""

    id: UUID
    channel: ChannelName
    occurred_at: Instant
    sent_at: Instant | None = None
    historical: Flag = False
    source: Source | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=50)] = ()
    conversation: Reference | None = None
    unit: UnitPath | None = None
    agent: Code | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=50)] = ()
    attributes: Pii[Annotated[dict[str, Any], Field(max_length=200)]] = Field(default_factory=dict)
