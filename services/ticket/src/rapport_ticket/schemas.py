"""What the ticket service's API takes and answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.ticket import TicketKind
from rapport_shared.contracts.touchpoints.fields import UnitPath

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
Priority = Literal["low", "normal", "high", "urgent"]


class Request(BaseModel):
    """A request refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class NamedIdentifier(Request):
    """What the customer is known by."""

    type: IdentifierType
    value: Annotated[str, StringConstraints(min_length=1, max_length=320)]
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    system: Line | None = None

    @model_validator(mode="after")
    def _system_where_needed(self) -> "NamedIdentifier":
        if self.type in (IdentifierType.EXTERNAL, IdentifierType.SOCIAL) and self.system is None:
            raise ValueError("a system is required")
        return self


class NamedCustomer(Request):
    """Whose ticket it is: by id, or by identifiers that touches are routed by."""

    id: UUID | None = None
    identifiers: Annotated[list[NamedIdentifier], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _one_of_both(self) -> "NamedCustomer":
        if (self.id is None) == (not self.identifiers):
            raise ValueError("either an id or identifiers")
        return self


class NewTicket(Request):
    """A case to open. With an `id` of the caller's own, a repeat is harmless."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "kind": "complaint",
                "customer": {"identifiers": [{"type": "phone", "value": "138 0013 8000", "region": "CN"}]},
                "subject": "Still no call back",
            }
        },
    )

    id: UUID | None = None
    kind: TicketKind
    customer: NamedCustomer
    subject: Line
    description: Text | None = None
    priority: Priority = "normal"
    unit: UnitPath | None = None
    owner: Line | None = None


class TicketEdit(Request):
    """Fields to change; what is left out stays."""

    subject: Line | None = None
    description: Text | None = None
    priority: Priority = "normal"
    unit: UnitPath | None = None
    owner: Line | None = None


class NewComment(Request):
    """A remark."""

    text: Text
    visibility: Literal["internal", "public"] = "internal"


class Transition(Request):
    """Where a ticket goes."""

    to: Line
    note: Text | None = None


class Resolution(Request):
    """How a ticket was resolved."""

    resolution: Text


class TicketPage(BaseModel):
    """A page of tickets, the latest opened first."""

    tickets: list[dict[str, Any]]
    next_cursor: str | None
