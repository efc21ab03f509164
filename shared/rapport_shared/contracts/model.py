"""The form every contract has: immutable, tolerant of fields it does not know."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """Data of an event or message. Readers ignore unknown fields; the HTTP edge validates with `extra="forbid"`."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64")
