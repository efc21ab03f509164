"""Secrets of the local stack: made at the first need, kept in a file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

__all__ = ["SecretBook"]


class SecretBook:
    """Secrets by name. The same name gives the same secret for as long as the file lives."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._secrets: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def secret(self, name: str) -> str:
        """The secret of this name, 43 URL-safe characters, made now if there is none yet."""
        if name not in self._secrets:
            self.keep(name, secrets.token_urlsafe(32))
        return self._secrets[name]

    def known(self, name: str) -> str | None:
        """The secret of this name if there is one."""
        return self._secrets.get(name)

    def keep(self, name: str, value: str) -> None:
        """Keeps a secret that somebody else made."""
        self._secrets[name] = value
        partial = self._file.with_suffix(".partial")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._secrets, file, indent=1)
        partial.replace(self._file)
