"""The `segment` policy: one for each segment, by the name of the policy."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rapport_scoring.domain.segments.conditions import Condition
from rapport_scoring.domain.segments.expressions import Expression, expression_of
from rapport_scoring.domain.segments.operands import refusal
from rapport_scoring.domain.segments.soundness import unsound

DEEPEST: Final = 8
"""How many `all`, `any` and `not` may stand above a condition."""

MOST: Final = 100
"""How many conditions that are none of these a segment may have."""


def _of_fair_size(written: Any) -> Any:
    """Looks at what is written before anything is made of it. Raises a ValidationError that names the place."""
    ahead: list[tuple[Any, tuple[str | int, ...]]] = [(written, ())]
    leaves = 0
    while ahead:
        condition, place = ahead.pop()
        parts = _parts(condition)
        leaves += not parts
        if len([step for step in place if isinstance(step, str)]) > DEEPEST:
            raise refusal(f"Conditions are nested no deeper than {DEEPEST}", *place)
        if leaves > MOST:
            raise refusal(f"A segment has no more than {MOST} conditions")
        ahead += [(part, (*place, *step)) for step, part in parts]
    return written


def _parts(condition: Any) -> list[tuple[tuple[str | int, ...], Any]]:
    if not isinstance(condition, Mapping):
        return []
    several = [key for key in ("all", "any") if isinstance(condition.get(key), list | tuple)]
    found: list[tuple[tuple[str | int, ...], Any]] = [
        ((key, number), part) for key in several for number, part in enumerate(condition[key])
    ]
    return [*found, (("not",), condition["not"])] if "not" in condition else found


class SegmentPolicy(BaseModel):
    """Who belongs to a segment: those for whom `when` is true. Without it the segment is switched off: nobody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: Annotated[str, Field(max_length=1000)] = ""
    when: Annotated[Condition, BeforeValidator(_of_fair_size)] | None = None

    def expression(self) -> Expression | None:
        """The condition as it is computed."""
        return None if self.when is None else expression_of(self.when)

    @model_validator(mode="after")
    def _says_something(self) -> "SegmentPolicy":
        expression = self.expression()
        found = None if expression is None else unsound(expression)
        if found is not None:
            raise refusal(found.message, *found.place.split("/")[1:])
        return self


def finds_all(matched: int, customers: int) -> str | None:
    """What is wrong with a segment that is tried on `customers` and matches so many of them; None if it may be.

    To be asked before a segment is activated: what holds of everybody tells nobody apart.
    """
    if customers > 1 and matched >= customers:
        return f"It matches the whole base: all {customers} customers"
    return None
