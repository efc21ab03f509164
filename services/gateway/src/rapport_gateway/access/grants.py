"""The rights that a key or a token may grant: no right that its creator lacks."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from rapport_shared.callers import SCOPES, Caller, unknown_scopes
from rapport_shared.errors import FORBIDDEN, VALIDATION, FieldProblem, Problem
from rapport_shared.web.nearest import unknown_name

KeyUnit = Annotated[str, Field(max_length=200, pattern=r"^([^/\s\x00]+(/[^/\s\x00]+)*)?$")]
"""The path of a unit; empty for the whole firm."""


def require_grantable(scopes: Sequence[str], caller: Caller) -> None:
    """Raises a 422 for a scope that does not exist, a 403 for one that the caller lacks."""
    for scope in unknown_scopes(scopes):
        place = FieldProblem("/scopes", "not_allowed", unknown_name("scope", scope, SCOPES))
        raise Problem(VALIDATION, "A scope does not exist. `errors` names the nearest one.", errors=[place])
    for scope in scopes:
        if scope not in caller.scopes and not caller.may(scope):
            raise Problem(FORBIDDEN, "A key can only grant scopes that it has itself.", scope=scope)
