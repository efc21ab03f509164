"""Settings of the ticket service."""

from pydantic import Field

from rapport_shared.settings import ServiceSettings


class TicketSettings(ServiceSettings):
    """What the ticket service needs beside what every service needs."""

    identifier_secret: str = Field(
        min_length=32,
        description="Makes identifier keys, by which routes are found; the same in all services, and never changed.",
    )
