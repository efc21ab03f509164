"""The routes of the scoring service."""
