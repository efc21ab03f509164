"""Whether one organisation unit lies in another, in Python and in SQL."""

from typing import Final

FIRM: Final = ""
"""The path of the whole firm: every unit lies in it."""


def lies_in(unit: str, outer: str) -> bool:
    """Whether `unit` is `outer` or below it."""
    return outer == FIRM or f"{unit}/".startswith(f"{outer}/")


def lies_in_sql(unit: str, outer: str) -> str:
    """The SQL condition for it; both are expressions of type text. It is never true of a unit that is null, but in
    the whole firm."""
    return f"({outer} = '' OR starts_with({unit} || '/', {outer} || '/'))"
