"""What conditions compare with: numbers, texts, names and the operators that take them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from rapport_shared.contracts.touchpoints.fields import MAX_AMOUNT


def refusal(message: str, *place: str | int) -> ValidationError:
    """An error that names a place below the model in which it is raised."""
    error = PydanticCustomError("segment", "{message}", {"message": message})
    return ValidationError.from_exception_data("segment", [InitErrorDetails(type=error, loc=place, input=None)])


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_AMOUNT <= value <= MAX_AMOUNT:
        raise PydanticCustomError("number", "Write a number of no more than 15 digits")
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        if not 1 <= len(value) <= 200:
            raise PydanticCustomError("text", "A text has 1 to 200 characters")
        return value
    return value if isinstance(value, bool) else _number(value)


def _names(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Number = Annotated[int | float, BeforeValidator(_number)]
Scalar = Annotated[str | bool | int | float, BeforeValidator(_scalar)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names), Field(min_length=1, max_length=100)]
Where = Annotated[Mapping[str, Names], Field(max_length=5)]


class Written(BaseModel):
    """A part of a policy: nothing unknown, and nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class Operators(Written):
    """Operators that stand together must all hold."""

    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None
    between: tuple[Number, Number] | None = None

    NUMERIC: ClassVar[frozenset[str]] = frozenset({"at_least", "at_most", "more_than", "less_than", "between"})

    def operators(self, *names: str) -> list[str]:
        """Those of `names` that are written. Raises a ValidationError where none is."""
        written = [name for name in names if getattr(self, name) is not None]
        if not written:
            raise refusal(f"Say what is asked of it: {', '.join(name.rstrip('_') for name in names)}")
        return written
