"""Settings of the customer service."""

from rapport_shared.settings import IdentifierSettings


class CustomerSettings(IdentifierSettings):
    """What the customer service needs beside what every service needs."""
