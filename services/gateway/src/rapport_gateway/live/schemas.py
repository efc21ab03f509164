"""The events of a customer's stream: a text of lines `event`, `id` and `data`, where `data` is JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from rapport_shared.contracts.view import CustomerView
from rapport_shared.web.answers import MovedCustomer, Problem

EventId = Annotated[str, Field(description="`Last-Event-ID` with this id resumes the stream after the event.")]


class SnapshotEvent(BaseModel):
    """The whole customer, as far as the caller may read it."""

    event: Literal["snapshot"]
    id: EventId
    data: CustomerView


class DeltaEvent(BaseModel):
    """The sections that changed since the event before, each whole."""

    event: Literal["delta"]
    id: EventId
    data: CustomerView


class MovedEvent(BaseModel):
    """The customer was merged; the stream ends. Follow the customer that it names."""

    event: Literal["moved"]
    id: EventId
    data: MovedCustomer


class EndedEvent(BaseModel):
    """The stream ends: a read of the customer would get this problem."""

    event: Literal["ended"]
    data: Problem


CustomerEvent = Annotated[SnapshotEvent | DeltaEvent | MovedEvent | EndedEvent, Field(discriminator="event")]
"""An event of a customer's stream."""
