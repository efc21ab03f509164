"""Settings of the ticket service."""

from rapport_shared.settings import IdentifierSettings


class TicketSettings(IdentifierSettings):
    """The settings of the ticket service besides those of every service."""
