"""Touchpoints on their way in."""
