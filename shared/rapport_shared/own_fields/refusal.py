"""A refusal that says which own fields are wrong, and in what."""

from collections.abc import Iterable
from typing import Final

from rapport_shared.contracts.touchpoints.errors import FieldError
from rapport_shared.errors import VALIDATION, FieldProblem, Problem

WRONG_FIELDS: Final = "The deployment's own fields are not as they are declared."


def refuse(faults: Iterable[FieldError], detail: str = WRONG_FIELDS) -> None:
    """Raises a 422 that names each fault; returns where there is none."""
    places = [FieldProblem(one.pointer, one.code, one.message) for one in faults]
    if places:
        raise Problem(VALIDATION, detail, errors=places[:50])
