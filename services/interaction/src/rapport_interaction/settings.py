"""Settings of the interaction service."""

from rapport_shared.settings import IdentifierSettings


class InteractionSettings(IdentifierSettings):
    """What the interaction service needs beside what every service needs."""
