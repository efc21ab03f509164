"""Asking the operator before something is changed."""

import sys

from rapport_shared.operations.stack import WrongUsage


def agrees(question: str, *, yes: bool) -> bool:
    """Whether to go on: `yes` says so, else a person is asked. Raises `WrongUsage` where nobody can be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise WrongUsage("This changes something, and there is nobody to ask: give --yes.")
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes"):
        return True
    print("Nothing is changed.")
    return False
