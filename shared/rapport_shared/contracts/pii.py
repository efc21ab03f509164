"""Personal fields: plain values on the wire, marked in the schema, erasable in the type.

A field typed `Pii[str]` holds a string or `ERASED`. Whoever reads it must answer for both, so that erasing a
person later changes no reader. The schema of a personal field carries no pattern, format or length: a sealed
value must fit where the plain one did.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, TypeAlias, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

T = TypeVar("T")

REFUSE_ERASED: Final = {"refuse_erased": True}
"""Validation context of data that come from outside, where nothing can have been erased yet."""

_CONSTRAINTS = ("pattern", "format", "minLength", "maxLength")


class Erased:
    """What is left of a personal value after its erasure. There is one instance, `ERASED`."""

    __slots__ = ()
    _instance: "Erased | None" = None

    def __new__(cls) -> "Erased":
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "ERASED"

    def __reduce__(self) -> str:
        return "ERASED"


ERASED: Final = Erased()


def is_erased(value: object) -> TypeGuard[Erased]:
    """Whether `value` has been erased."""
    return value is ERASED


class Personal:
    """The marker behind `Pii`: validates, serialises and documents a personal field."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        union: Any = Union
        plain = union[tuple(part for part in get_args(source) if part is not Erased)]
        return core_schema.with_info_wrap_validator_function(
            _validate,
            handler.generate_schema(plain),
            serialization=core_schema.wrap_serializer_function_ser_schema(_serialise),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        plain = dict(handler(schema["schema"]))
        if "$ref" in plain:
            plain = {"allOf": [plain]}
        for name in _CONSTRAINTS:
            plain.pop(name, None)
        return plain | {"x-personal": True}

    def __hash__(self) -> int:
        return hash(Personal)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal)


Pii: TypeAlias = Annotated[T | Erased, Personal()]


def personal_fields(model: type[BaseModel]) -> list[str]:
    """The paths of the personal fields of `model`, sorted: `identifiers[].value`, `fields{}[].value`, `data.text`.

    A model inside itself is followed once.
    """
    return sorted(set(_fields_of(model, ())))


def _fields_of(model: type[BaseModel], above: tuple[type[BaseModel], ...]) -> Iterator[str]:
    if model in above:
        return
    for name, field in model.model_fields.items():
        path = field.alias or name
        if any(isinstance(item, Personal) for item in field.metadata):
            yield path
        else:
            yield from _paths_in(field.annotation, path, (*above, model))


def _paths_in(annotation: Any, path: str, above: tuple[type[BaseModel], ...]) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        if any(isinstance(item, Personal) for item in arguments[1:]):
            yield path
        else:
            yield from _paths_in(arguments[0], path, above)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from (f"{path}.{inner}" for inner in _fields_of(annotation, above))
    elif origin in (tuple, list, set, frozenset):
        for item in arguments:
            yield from _paths_in(item, f"{path}[]", above)
    elif origin is dict:
        yield from _paths_in(arguments[1], f"{path}{{}}", above)
    else:
        for member in arguments:
            yield from _paths_in(member, path, above)


def _validate(
    value: Any, handler: core_schema.ValidatorFunctionWrapHandler, info: core_schema.ValidationInfo[Any]
) -> Any:
    if value is ERASED:
        return value
    if value.__class__ is dict and len(value) == 1 and value.get("erased") is True:
        if info.context is REFUSE_ERASED:
            raise PydanticCustomError("erased", "only Rapport may say that a value was erased")
        return ERASED
    return handler(value)


def _serialise(value: Any, handler: core_schema.SerializerFunctionWrapHandler) -> Any:
    return {"erased": True} if value is ERASED else handler(value)
