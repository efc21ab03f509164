"""Settings of the customer service."""

from rapport_shared.settings import IdentifierSettings


class CustomerSettings(IdentifierSettings):
    """The settings of the customer service besides those of every service."""
