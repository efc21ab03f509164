"""What every service answers alike: problems, redirects, not-modified. Models are for the OpenAPI document."""

from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Responses = dict[int | str, dict[str, Any]]
"""Answers by status, as FastAPI's `responses` takes them."""


class WrongPlace(BaseModel):
    """One wrong place of a request."""

    pointer: str = Field(description="A JSON pointer into the request.")
    code: str
    message: str


class RejectedTouchpoint(BaseModel):
    """A touchpoint that was not accepted, by its place in the request."""

    index: int
    problem: "Problem"


class Problem(BaseModel):
    """RFC 9457. `type` names a page that explains the problem; `errors` says where the request is wrong.

    The members after `errors` belong to some types: `scope` is the one that the key lacks, `customer_id` the customer
    that an identifier or a merge leads to, `state` and `possible` say what the thing is and can become, `lag_ms` and
    `behind` how far the view is, `reason` and `code` what is wrong with a touchpoint or a sheet.
    """

    model_config = ConfigDict(extra="allow")

    type: str = Field(json_schema_extra={"format": "uri-reference"})
    title: str
    status: int
    detail: str
    errors: list[WrongPlace] | None = None
    scope: str | None = None
    customer_id: UUID | None = None
    interaction_id: UUID | None = None
    state: str | None = None
    possible: list[str] | None = None
    lag_ms: int | None = None
    behind: int | None = None
    reason: str | None = None
    code: str | None = None
    rejected: list[RejectedTouchpoint] | None = None


class MovedCustomer(BaseModel):
    """The customer that a merged customer is part of now."""

    customer_id: UUID


class Moved(MovedCustomer):
    """Where a read of a merged customer goes on; `location` is that of the header `Location`."""

    location: str


MOVED: Final[Responses] = {
    307: {
        "model": Moved,
        "description": "The customer was merged: read the customer that it is part of now. Not to be kept.",
        "headers": {"Location": {"required": True, "schema": {"type": "string", "format": "uri-reference"}}},
    }
}
NOT_MODIFIED: Final[Responses] = {304: {"description": "What `If-None-Match` names is what there is now."}}


def refusals(*statuses: int) -> Responses:
    """Problems of statuses that the method and path of a route do not tell of."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "A problem.", "content": problem} for status in statuses}
