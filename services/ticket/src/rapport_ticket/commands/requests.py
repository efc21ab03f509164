"""The input of the command that opens a ticket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.ticket import TicketKind
from rapport_ticket.domain.fields import Priority


@dataclass(frozen=True, slots=True)
class TypedIdentifier:
    """An identifier as it was typed."""

    type: IdentifierType
    value: str
    region: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket to open for the customer named by `customer_id` or, without one, by `identifiers`.

    `ticket_id` is the caller's own id, if any. `digest` identifies the request: under one id, another digest is
    another ticket. `occurred_at` is when the case arose, where that was earlier.
    """

    kind: TicketKind
    subject: str
    digest: str
    customer_id: UUID | None = None
    identifiers: tuple[TypedIdentifier, ...] = ()
    ticket_id: UUID | None = None
    description: str | None = None
    priority: Priority = "normal"
    unit: str | None = None
    owner: str | None = None
    occurred_at: datetime | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
