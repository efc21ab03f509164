"""Settings of the ticket service."""

from rapport_shared.settings import IdentifierSettings


class TicketSettings(IdentifierSettings):
    """What the ticket service needs beside what every service needs."""
