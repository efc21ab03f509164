"""What the ticket service's API takes and answers."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.ticket import TicketKind, TicketState
from rapport_shared.contracts.touchpoints.fields import Instant, UnitPath
from rapport_ticket.domain.fields import Line, Priority, Text


class Request(BaseModel):
    """A request refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class NamedIdentifier(Request):
    """An identifier of the customer, as it was typed."""

    type: IdentifierType
    value: Annotated[str, StringConstraints(min_length=1, max_length=320)]
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    system: Line | None = None

    @model_validator(mode="after")
    def _system_where_needed(self) -> "NamedIdentifier":
        if self.type in (IdentifierType.EXTERNAL, IdentifierType.SOCIAL) and self.system is None:
            raise PydanticCustomError("missing_system", "an external or social identifier needs its system")
        return self


class NamedCustomer(Request):
    """Whose ticket it is: by id, or by identifiers that touches are routed by."""

    id: UUID | None = None
    identifiers: Annotated[list[NamedIdentifier], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _one_of_both(self) -> "NamedCustomer":
        if (self.id is None) == (not self.identifiers):
            raise PydanticCustomError("one_of_both", "name the customer by id or by identifiers, not by both")
        return self


Attributes = Annotated[
    dict[str, Any],
    Field(
        max_length=200,
        description="The deployment's own fields, as the policy `fields` declares them.",
        json_schema_extra={"x-personal": True},
    ),
]


class NewTicket(Request):
    """A case to open. With an `id` of the caller's own, a repeat is harmless.

    `occurred_at` is when the case arose, if that was earlier than the request.
    """

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
    occurred_at: Instant | None = None
    attributes: Attributes = Field(default_factory=dict)


class TicketEdit(Request):
    """Fields to change; what is left out stays, what is null is emptied. Subject and priority cannot be empty.

    So it is with each of the `attributes`, too.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"priority": "high", "owner": "agent-17"}})

    subject: Line | None = None
    description: Text | None = None
    priority: Priority | None = None
    unit: UnitPath | None = None
    owner: Line | None = None
    attributes: Attributes = Field(default_factory=dict)

    @field_validator("subject", "priority")
    @classmethod
    def _stated(cls, value: str | None) -> str:
        if value is None:
            raise PydanticCustomError("empty", "this cannot be empty")
        return value


class NewComment(Request):
    """A comment to add."""

    text: Text
    visibility: Literal["internal", "public"] = "internal"


class Transition(Request):
    """The state that a ticket is to go to."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"to": "in_progress"}})

    to: Line
    note: Text | None = None


class Resolution(Request):
    """How a ticket was resolved."""

    resolution: Text


class Ticket(TicketState):
    """A ticket, the customer that its profile belongs to now, and the states that it can go to from here."""

    customer_id: UUID
    possible_states: list[str]


class TicketPage(BaseModel):
    """A page of tickets, the latest opened first."""

    tickets: list[Ticket]
    next_cursor: str | None
