"""Settings of the customer service."""

from pydantic import Field

from rapport_shared.settings import ServiceSettings


class CustomerSettings(ServiceSettings):
    """What the customer service needs beside what every service needs."""

    identifier_secret: str = Field(
        min_length=32,
        description="Makes identifier keys; the same in customer, interaction and gateway, and never changed.",
    )
