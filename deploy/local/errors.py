"""What can go wrong before Rapport itself runs, each an English sentence for the person at the terminal."""

from __future__ import annotations

__all__ = ["LocalStackError"]


class LocalStackError(Exception):
    """The local stack cannot do what was asked; the message says why and, where possible, what to do."""
