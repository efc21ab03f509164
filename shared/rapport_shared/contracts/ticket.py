"""What the ticket service publishes: full-state registers."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii


class TicketKind(StrEnum):
    """The kinds of case that can be opened."""

    SERVICE = "service"
    REPAIR = "repair"
    COMPLAINT = "complaint"


class TicketComment(Contract):
    """A remark on a ticket."""

    id: UUID
    visibility: Literal["internal", "public"]
    text: Pii[str]
    author: str
    at: datetime


class TicketState(Contract):
    """A ticket's register. `state` is a state of its kind's process; `open` says whether work is left.

    `attributes` are the fields that the deployment declared for tickets.

    `kind` is open on purpose: a reader meets kinds that came after it, and must not fail at them.
    """

    ticket_id: UUID
    number: str
    kind: str
    profile_id: UUID
    state: str
    open: bool
    subject: Pii[str]
    description: Pii[str] | None = None
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    unit: str | None = None
    owner: str | None = None
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None = None
    resolution: Pii[str] | None = None
    comments: tuple[TicketComment, ...] = ()
    attributes: Pii[dict[str, Any]] = Field(default_factory=dict)


class TicketChange(Contract):
    """What every ticket event carries: the ticket after it, and what changed."""

    ticket: TicketState
    changed: tuple[str, ...]


class TicketOpened(TicketChange):
    """A case was opened."""


class TicketCommented(TicketChange):
    """A remark was added: the last of `comments`."""


class TicketTransitioned(TicketChange):
    """A ticket went to another state of its process."""


class TicketResolved(TicketChange):
    """A ticket was resolved; it may be reopened, which is a transition."""


class TicketUpdated(TicketChange):
    """Fields of a ticket were edited."""
