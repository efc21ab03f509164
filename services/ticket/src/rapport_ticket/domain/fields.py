"""The types of text fields that tickets and playbooks share."""

from typing import Annotated, Literal

from pydantic import StringConstraints

# PostgreSQL takes no NUL, and \S alone would match one.
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]
Priority = Literal["low", "normal", "high", "urgent"]
