"""The routes of the interaction service."""
