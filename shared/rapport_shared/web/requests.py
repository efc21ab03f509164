"""What the requests of every service have in common."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Request(BaseModel):
    """A request refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


Attributes = Annotated[
    dict[str, Any],
    Field(
        max_length=200,
        description="The deployment's own fields, as the policy `fields` declares them.",
        json_schema_extra={"x-personal": True},
    ),
]
