"""The requests and answers of the ticket service's API."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.ticket import TicketKind, TicketState
from rapport_shared.contracts.touchpoints.fields import Instant, UnitPath
from rapport_shared.web.requests import Attributes, Request
from rapport_ticket.domain.fields import Line, Priority, Text


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
    """The customer of a ticket, by id or by identifiers with a route. `id` is a former name of the customer id."""

    customer_id: UUID | None = Field(
        default=None, validation_alias=AliasChoices("customer_id", "id"), serialization_alias="id"
    )
    identifiers: Annotated[list[NamedIdentifier], Field(max_length=50)] = []  # noqa: RUF012 - pydantic copies it

    @model_validator(mode="after")
    def _one_of_both(self) -> "NamedCustomer":
        if (self.customer_id is None) == (not self.identifiers):
            raise PydanticCustomError("one_of_both", "name the customer by id or by identifiers, not by both")
        return self


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
    """Fields to change. A missing field stays, null empties a field. Subject and priority cannot be empty.

    The same holds for each of the `attributes`.
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
    """The target state of a ticket."""

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


class BusiestDay(BaseModel):
    """The day on which most tickets would have been opened."""

    day: date
    tickets: int


class PlayTrial(BaseModel):
    """The tickets that one play would have opened. For `reason_gone` of them the reason has ended since."""

    tickets: int
    customers: int
    reason_gone: int
    examples: list[UUID]


class PresentPlaybook(BaseModel):
    """The tickets that the active playbook would have opened."""

    tickets: int


class PlaybookTrial(BaseModel):
    """The tickets that a playbook would have opened in the last days, and the occasions without a play."""

    days: int
    occasions: int
    tickets: int
    customers: int
    busiest_day: BusiestDay | None
    plays: dict[str, PlayTrial]
    unanswered: dict[str, int]
    in_force: PresentPlaybook
