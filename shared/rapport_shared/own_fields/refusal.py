"""A refusal that says which own fields are wrong, and in what."""

from collections.abc import Iterable

from rapport_shared.contracts.touchpoints.errors import FieldError
from rapport_shared.errors import VALIDATION, FieldProblem, Problem


def refuse(faults: Iterable[FieldError], detail: str) -> None:
    """Raises a 422 that names each fault; returns where there is none."""
    places = [FieldProblem(one.pointer, one.code, one.message) for one in faults]
    if places:
        raise Problem(VALIDATION, detail, errors=places[:50])
