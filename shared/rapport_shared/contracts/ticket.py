"""What the ticket service publishes: full-state registers."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii


class TicketKind(StrEnum):
    """The kinds of case that can be opened."""

    SERVICE = "service"
    REPAIR = "repair"
    COMPLAINT = "complaint"
    FOLLOW_UP = "follow_up"
    OPPORTUNITY = "opportunity"
    TASK = "task"


OWN_WORK: Final = frozenset({TicketKind.FOLLOW_UP, TicketKind.OPPORTUNITY, TicketKind.TASK})
"""Kinds of work that a firm gives itself: no customer asked for it, and it may turn out needless."""

WON: Final = "won"
LOST: Final = "lost"
"""How an opportunity is decided: states of its process, which win rates are learnt from."""


class TicketComment(Contract):
    """A remark on a ticket."""

    id: UUID
    visibility: Literal["internal", "public"]
    text: Pii[str]
    author: str
    at: datetime


class TicketOrigin(Contract):
    """Why a ticket was opened by itself: a play of the playbook's version, and the occasion that called for it.

    `reason` is of the form `trigger:growth`, `event_id` is the event that reported the reason,
    `figures` are the figures that decided.
    """

    play: str
    playbook_version: int
    reason: str
    event_id: UUID
    figures: dict[str, str] = Field(default_factory=dict)


class TicketState(Contract):
    """A ticket's register. `state` is a state of its kind's process; `open` says whether work is left.

    `attributes` are the fields that the deployment declared for tickets; `origin` is missing where a caller opened it.

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
    origin: TicketOrigin | None = None


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
